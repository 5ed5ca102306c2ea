"""What became of a write, judged from one reading after it."""

import pytest

from core.sync.verdicts import LOST_AFTER_MS, SETTLED_AFTER_MS, WAITS_MS, taken, verdict

SENT_AT = 1_000_000


def push(outcome: str = "accepted", answered: int | None = SENT_AT + 400) -> dict[str, object]:
    """10 were shown with 1 held when 7 was sent."""
    return {
        "outcome": outcome, "target": 7, "read_available": 10, "read_committed": 1,
        "intent_at": SENT_AT, "answered_at": answered,
    }  # fmt: skip


def read(available: int, committed: int = 1, shipped: int = 0) -> dict[str, object]:
    return {"available": available, "committed": committed, "shipped_since": shipped}


SOON, LATER, LONG_AFTER = SENT_AT + 1_000, SENT_AT + WAITS_MS + LOST_AFTER_MS, SENT_AT + SETTLED_AFTER_MS


def test_our_number_read_back_confirms_it() -> None:
    assert verdict(push(), read(7), SOON) == "confirmed"


def test_units_sold_since_are_part_of_what_confirms_it() -> None:
    assert taken(push(), read(5, committed=2, shipped=1)) == 2
    assert verdict(push(), read(5, committed=2, shipped=1), SOON) == "confirmed"


def test_a_sale_that_our_write_erased_does_not_contradict_it() -> None:
    assert verdict(push(), read(7, committed=2), SOON) == "confirmed"


def test_another_number_contradicts_it() -> None:
    assert verdict(push(), read(9), SOON) == "contradicted"


def test_long_after_the_write_a_number_between_is_a_hand_and_no_erased_sale() -> None:
    later = SENT_AT + 3_600_000
    assert verdict(push(), read(7, committed=4), later) is None, "an order behind it may be unknown still"
    assert verdict(push(), read(7, committed=4), later, complete=True) == "contradicted"


def test_e6_a_lost_answer_is_confirmed_by_what_is_shown() -> None:
    assert verdict(push("unknown"), read(7), SOON) == "confirmed"
    assert verdict(push("unknown"), read(5, committed=3), SOON) == "confirmed"


def test_a_write_without_a_trace_may_still_be_on_its_way() -> None:
    assert verdict(push("unknown"), read(10), SOON) is None
    assert verdict(push("unknown"), read(10), LATER) == "lost"


def test_a_write_of_a_process_that_died_is_waited_for_as_long_as_it_could_have_been_answered() -> None:
    unanswered = push("sent", answered=None)
    assert verdict(unanswered, read(10), SENT_AT + LOST_AFTER_MS + 1_000) is None
    assert verdict(unanswered, read(10), LATER + 1_000) == "lost"


def test_when_both_stories_fit_no_verdict_is_given_until_the_request_has_expired() -> None:
    both = read(7, committed=4)  # three were sold: after a write that was lost, or before one that arrived
    assert verdict(push("unknown", answered=SENT_AT + 50_000), both, SENT_AT + 80_000) is None
    assert verdict(push("unknown", answered=SENT_AT + 270_000), both, LONG_AFTER) == "confirmed"


@pytest.mark.parametrize(("at", "found"), [(LATER, None), (LONG_AFTER, "contradicted")])
def test_when_neither_story_fits_it_stays_in_doubt_until_the_request_has_expired(at: int, found: str | None) -> None:
    assert verdict(push("unknown"), read(3), at) == found


def test_a_lost_write_that_a_later_one_overtook_is_over() -> None:
    assert verdict(push("unknown"), read(7), SOON, overtaken=True) is None
    assert verdict(push("unknown"), read(7), LATER, overtaken=True) == "lost"
