"""How numbers, times and foreign text read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.store.queries.activity import RunLine
from core.ui import text, words


def test_foreign_text_cannot_make_links_pictures_colours_or_formulas() -> None:
    told = text.plain("[a](http://x.example) ![b](https://y.example) :red[c] $d$ <e> www.z.example me@x.example")
    for trick in ("](", "://", ":red", "www.", "@x"):
        assert trick not in told
    assert not re.search(r"(?<!\\)[\[\]()$<>!*_`]", told), "every mark that could mean something is escaped"


@given(st.text())
def test_plain_text_reads_the_same_once_its_marks_are_taken_away(given_text: str) -> None:
    unmarked = re.sub(r"\\(.)", r"\1", text.plain(given_text)).replace("\u2060", "")
    assert unmarked == text.flat(given_text).replace("\u2060", "")


def test_text_that_turns_its_direction_is_straightened() -> None:
    assert text.flat("abc\u202edef\nghi\u2066") == "abcdef ghi"


def test_durations_use_two_units_at_most() -> None:
    spans = {400: "0.4 s", 9_940: "9.9 s", 41_000: "41 s", 200_000: "3 min 20 s", 3_600_000: "1 h",
             5_700_000: "1 h 35 min", 3 * 86_400_000: "3 days"}  # fmt: skip
    for milliseconds, shown in spans.items():
        assert text.span(milliseconds) == shown


def test_how_long_ago_is_told_roughly_and_never_for_what_has_not_been() -> None:
    now = 1_000_000_000
    assert text.ago(None) == "never"
    assert text.ago(now - 1_000, now) == "just now"
    assert text.ago(now - 41_000, now) == "41 s ago"
    assert text.ago(now - 7_000_000, now) == "1 h ago"
    assert text.ago(now - 3 * 86_400_000, now) == "3 days ago"
    assert text.ago(now + 300_000, now) == "in 5 min"


def test_times_are_those_of_the_shop() -> None:
    with clock.turned(1_790_000_000.0):  # 21 September 2026, 14:13 in UTC
        now = clock.now_ms()
        assert text.clock_time(now, "Europe/London") == "15:13"
        assert text.clock_time(now, "America/Los_Angeles") == "07:13"
        assert text.clock_time(now - 3 * 86_400_000, "Europe/London") == "18 Sep 15:13"
        assert text.clock_time(now - 400 * 86_400_000, "Europe/London") == "17 Aug 2025"
        assert text.clock_time(None, "Europe/London") == "\N{EN DASH}"


def test_a_zone_that_this_computer_does_not_know_is_utc() -> None:
    assert text.zone("Nowhere/Land").key == "UTC"


def test_amounts_carry_their_sign_once() -> None:
    assert text.money(12_500_000, "GBP") == "£1,250.00"
    assert text.money(12_500_000, "USD") == "\\$1,250.00", "a dollar sign would begin a formula"
    assert text.currency_name("GBP") == "£"
    assert text.currency_name("MXN") == "MXN"
    assert text.currency_name("") == ""


def test_numbers_and_nouns_agree() -> None:
    assert text.plural(1, "order") == "1 order"
    assert text.plural(1_200, "order") == "1,200 orders"
    assert text.plural(2, "entry", "entries") == "2 entries"
    assert text.signed(3) == "+3"
    assert text.signed(-3) == "\N{MINUS SIGN}3"
    assert text.sentence_list(["a", "b", "c"]) == "a, b and c"


def _run(**more: object) -> RunLine:
    plain: dict[str, object] = {
        "id": 1, "kind": "sync orders", "shop_id": "1", "trigger": "timer", "status": "done", "started_at": 1,
        "ended_at": 2, "done": 0, "total": 0, "counts": {}, "outcome": None, "sentence": "", "next_step": "",
        "code": None, "request_id": "",
    }  # fmt: skip
    return RunLine(**(plain | more))  # type: ignore[arg-type]


def test_a_run_is_told_as_a_sentence() -> None:
    assert words.outcome(_run(sentence="2 new orders.")) == "2 new orders."
    assert words.outcome(_run(counts={"new orders": 2, "unchanged": 9})) == "2 new orders."
    assert words.outcome(_run()) == "Nothing to do."
    assert words.outcome(_run(status="running", done=3, total=9)) == "3 of 9 so far"
    assert words.kind(_run(kind="something_new")) == "Something new"


def test_a_state_that_is_not_known_is_shown_as_it_came() -> None:
    assert words.word(words.ORDER, "SOME_NEW_STATE").text == "Some new state"
