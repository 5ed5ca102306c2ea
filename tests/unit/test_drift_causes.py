"""The likely cause of a number that nothing explains: each by its evidence, always one, and no more than is known."""

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store.queries.drift_evidence import Evidence, Hint, Shown, Write
from core.sync.drift_causes import Cause, jumps, likely, regular, returns

NOON = 1_795_176_000_000
MINUTE = 60_000
PLAIN = Evidence(
    amount=6, observed=18, found_at=NOON, since=NOON - 60 * MINUTE, before_at=NOON - 5 * MINUTE, committed=2,
    open_units=2, backorder=0, apart=0, others=0, shown=(), writes=(), hints=(),
)  # fmt: skip


def write(at: int, target: int = 12, outcome: str = "confirmed", code: int | None = None, *, doubtful: bool = False):
    return Write(at, target, 12, outcome, code, "", doubtful)


def told(found: Evidence) -> tuple[Cause, str]:
    cause = likely(found, UTC)
    return cause.cause, cause.sentence


def test_what_nothing_else_explains_was_probably_typed_between_the_two_readings() -> None:
    cause, sentence = told(PLAIN)
    assert cause is Cause.HAND
    assert "Probably somebody typed 18, between 11:55:00 and 12:00:00." in sentence


def test_without_an_earlier_reading_only_the_later_one_is_named() -> None:
    assert told(replace(PLAIN, before_at=None))[1].endswith("typed 18, at 12:00:00 or shortly before.")


def test_units_held_for_orders_that_are_not_here_yet_go_before_everything() -> None:
    found = replace(PLAIN, committed=5, backorder=99, hints=(Hint(NOON, ("manual_adjustment",)),))
    cause, sentence = told(found)
    assert cause is Cause.UNSEEN
    assert "3 units for orders that have not arrived" in sentence


def test_a_rise_up_to_the_backorder_is_no_goods() -> None:
    assert told(replace(PLAIN, backorder=6))[0] is Cause.BACKORDER
    assert told(replace(PLAIN, backorder=20))[0] is Cause.BACKORDER


def test_a_rise_beyond_the_backorder_or_a_fall_is_no_conversion() -> None:
    assert told(replace(PLAIN, backorder=5))[0] is Cause.HAND
    assert told(replace(PLAIN, amount=-6, backorder=20))[0] is Cause.HAND


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("campaign_lock", Cause.CAMPAIGN), ("creator_unlock", Cause.CAMPAIGN), ("campaign_reserved", Cause.CAMPAIGN),
        ("system_auto_replenish", Cause.REFILL), ("manual_adjustment", Cause.HAND),
    ],
)  # fmt: skip
def test_what_tiktok_names_by_itself_is_believed(source: str, cause: Cause) -> None:
    found, sentence = told(replace(PLAIN, hints=(Hint(NOON - 30_000, (source,)),), others=50))
    assert found is cause
    assert "At 11:59:30 TikTok told" in sentence


def test_a_lost_answer_inside_the_evidence_is_named_before_a_hand() -> None:
    cause, sentence = told(replace(PLAIN, writes=(write(NOON - MINUTE, 18, "lost", doubtful=True),)))
    assert cause is Cause.LOST
    assert "Our change to 18 at 11:59:00 got no answer" in sentence


def test_a_lost_answer_from_before_the_settled_number_says_nothing() -> None:
    old = write(PLAIN.since - 1, doubtful=True, outcome="lost")
    found = replace(PLAIN, writes=(old, write(PLAIN.since + 5)))
    assert not found.doubtful
    assert told(found)[0] is Cause.HAND


def test_a_number_refused_for_a_promotion_is_a_campaign() -> None:
    cause, sentence = told(replace(PLAIN, writes=(write(NOON - MINUTE, 5, "refused", 12052393),)))
    assert cause is Cause.CAMPAIGN
    assert "refused 5 at 11:59:00 because a promotion is running" in sentence


def test_any_other_refusal_is_named_as_one() -> None:
    assert told(replace(PLAIN, writes=(write(NOON - MINUTE, 5, "refused", 12052990),)))[0] is Cause.REFUSED


def test_a_number_that_tiktok_accepted_and_did_not_show_was_not_kept() -> None:
    cause, sentence = told(replace(PLAIN, writes=(write(NOON - MINUTE, 5, "contradicted"),)))
    assert cause is Cause.REFUSED
    assert "accepted 5 at 11:59:00 and showed another number" in sentence


def test_a_refusal_that_a_later_write_overcame_says_nothing() -> None:
    writes = (write(NOON - 2 * MINUTE, 5, "refused", 12052393), write(NOON - MINUTE))
    assert told(replace(PLAIN, writes=writes))[0] is Cause.HAND


def test_units_set_apart_explain_a_change_of_no_more_than_these() -> None:
    assert told(replace(PLAIN, amount=-6, apart=6))[0] is Cause.CAMPAIGN
    assert told(replace(PLAIN, amount=-7, apart=6))[0] is Cause.HAND


def tug_of_war(times: int, gap: int) -> Evidence:
    """Something sets 18 again and again, and each time we set 12 a minute later."""
    shown, writes = [Shown(NOON - times * gap, 12, 2)], []
    for place in range(times):
        at = NOON - (times - 1 - place) * gap
        shown.append(Shown(at, 18, 2))
        if place < times - 1:
            writes.append(write(at + MINUTE))
            shown.append(Shown(at + MINUTE + 1_000, 12, 2))
    return replace(PLAIN, shown=tuple(shown), writes=tuple(writes))


def test_the_same_number_again_and_again_is_another_program() -> None:
    cause, sentence = told(tug_of_war(4, 30 * MINUTE))
    assert cause is Cause.TOOL
    assert "4 times since 10:30:00, about every 30 minutes, the number went back to 18" in sentence


def test_twice_may_still_be_a_hand() -> None:
    assert told(tug_of_war(2, 30 * MINUTE))[0] is Cause.HAND


def test_many_listings_at_once_are_no_single_edit() -> None:
    assert told(replace(PLAIN, others=4))[0] is Cause.TOOL
    assert told(replace(PLAIN, others=3))[0] is Cause.HAND


def test_a_sale_and_our_own_write_are_no_jumps() -> None:
    shown = (Shown(1, 20, 0), Shown(2, 18, 2), Shown(3, 18, 0), Shown(1_000, 12, 0), Shown(2_000, 15, 0))
    assert jumps(shown, [write(900, 12)]) == [Shown(2_000, 15, 0)]


def test_intervals_are_regular_only_when_they_are() -> None:
    assert regular([0, 100, 205, 300]) == 100
    assert regular([0, 100, 400]) is None
    assert regular([0, 100]) is None


MOMENTS = st.integers(NOON - 100 * MINUTE, NOON)
OUTCOMES = st.sampled_from(["confirmed", "contradicted", "lost", "refused", "unknown", "sent", "not sent", "accepted"])


@given(
    amount=st.integers(-50, 50).filter(bool),
    observed=st.integers(0, 60),
    committed=st.integers(0, 3),
    backorder=st.integers(0, 20),
    apart=st.integers(0, 20),
    others=st.integers(0, 6),
    shown=st.lists(st.builds(Shown, MOMENTS, st.integers(0, 60), st.integers(0, 3)), max_size=8),
    writes=st.lists(
        st.builds(Write, MOMENTS, st.integers(0, 60), st.integers(0, 60), OUTCOMES, st.none(), st.just(""),
                  st.booleans()), max_size=5
    ),
    sources=st.lists(st.sampled_from(["manual_adjustment", "campaign_lock", "order_created"]), max_size=2),
)  # fmt: skip
def test_there_is_always_one_cause_with_a_sentence(
    amount: int, observed: int, committed: int, backorder: int, apart: int, others: int, shown: list[Shown],
    writes: list[Write], sources: list[str],
) -> None:  # fmt: skip
    found = replace(
        PLAIN, amount=amount, observed=observed, committed=committed, backorder=backorder, apart=apart, others=others,
        shown=tuple(sorted(shown, key=lambda each: each.at)), writes=tuple(sorted(writes, key=lambda each: each.at)),
        hints=(Hint(NOON, tuple(sources)),),
    )  # fmt: skip
    cause, sentence = told(found)
    assert cause in Cause
    assert sentence.endswith(".")
    assert len(returns(found)) <= len(shown) + 1
