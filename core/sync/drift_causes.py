"""Why TikTok shows a number that our records do not explain: the likely cause and the evidence for it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from itertools import pairwise

from core.store.queries.drift_evidence import Evidence, Shown, Write
from core.sync import locks

REPEATS = 3  # the same number so often, each time after another one, is no slip of a hand
MANY = 4  # so many other listings between the same two readings are no single edit
_EVEN_BY = 0.15  # intervals that differ by less than this part of their mean are called regular
_HELD = ("campaign_lock", "campaign_unlock", "creator_lock", "creator_unlock", "campaign_reserved", "creator_reserved")


class Cause(StrEnum):
    """What most likely changed the number."""

    UNSEEN = "unseen"
    BACKORDER = "backorder"
    CAMPAIGN = "campaign"
    REFILL = "refill"
    LOST = "lost"
    REFUSED = "refused"
    TOOL = "tool"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Likely:
    """A cause, and the sentence that says what speaks for it."""

    cause: Cause
    sentence: str


def likely(found: Evidence, zone: tzinfo) -> Likely:
    """The likely cause; times in the sentence are in the shop's zone. What TikTok itself named goes first."""
    for judge in (_unseen, _backorder, _told, _lost, _refused, _apart, _again, _many):
        cause = judge(found, zone)
        if cause is not None:
            return cause
    return _by_hand(found, zone)


def _unseen(found: Evidence, _zone: tzinfo) -> Likely | None:
    waits = found.committed - found.open_units
    if waits <= 0:
        return None
    told = f"TikTok holds {units(waits)} for orders that have not arrived here yet; they may explain it."
    return Likely(Cause.UNSEEN, told)


def _backorder(found: Evidence, _zone: tzinfo) -> Likely | None:
    if not 0 < found.amount <= found.backorder:
        return None
    return Likely(
        Cause.BACKORDER,
        f"TikTok may sell {units(found.backorder)} of this listing on backorder and probably turned "
        f"{found.amount:,} of them into stock. No goods came with that.",
    )


def _told(found: Evidence, zone: tzinfo) -> Likely | None:
    """TikTok sent a webhook that names the source."""
    for hint in reversed(found.hints):
        at = _clock(hint.at, zone)
        if any(source in _HELD for source in hint.sources):
            told = f"At {at} TikTok told that a campaign or a creator holds or gave back units of it."
            return Likely(Cause.CAMPAIGN, f"{told} That is probably why the number changed.")
        if "system_auto_replenish" in hint.sources:
            return Likely(Cause.REFILL, f"At {at} TikTok told that it refilled the number by itself. No goods came.")
        if "manual_adjustment" in hint.sources:
            return Likely(Cause.HAND, f"At {at} TikTok told that somebody changed the number by hand.")
    return None


def _lost(found: Evidence, zone: tzinfo) -> Likely | None:
    write = next((each for each in reversed(found.writes) if each.doubtful and each.at >= found.since), None)
    if write is None:
        return None
    told = f"Our change to {write.target:,} at {_clock(write.at, zone)} got no answer and may have arrived late."
    return Likely(Cause.LOST, f"{told} This number may be our own, less what was sold.")


def _refused(found: Evidence, zone: tzinfo) -> Likely | None:
    """The last write before it was found did not stick."""
    settled: list[Write] = [each for each in found.writes if each.at <= found.found_at and each.outcome != "not sent"]
    last = settled[-1] if settled else None
    if last is None or last.outcome not in ("refused", "contradicted"):
        return None
    at = _clock(last.at, zone)
    if last.outcome == "contradicted":
        told = f"TikTok accepted {last.target:,} at {at} and showed another number in the next reading."
        return Likely(Cause.REFUSED, f"{told} It probably did not keep ours.")
    if last.code == locks.PROMOTION:
        told = f"TikTok refused {last.target:,} at {at} because a promotion is running."
        return Likely(Cause.CAMPAIGN, f"{told} It probably keeps the stock for that.")
    return Likely(Cause.REFUSED, f"TikTok refused {last.target:,} at {at}. {last.sentence}".strip())


def _apart(found: Evidence, _zone: tzinfo) -> Likely | None:
    if not 0 < abs(found.amount) <= found.apart:
        return None
    told = f"TikTok sets {units(found.apart)} of this listing apart for campaigns or creators."
    return Likely(Cause.CAMPAIGN, f"{told} That probably changed the number.")


def _again(found: Evidence, zone: tzinfo) -> Likely | None:
    times = returns(found)
    if len(times) < REPEATS:
        return None
    rhythm = regular(times)
    every = f", about every {_minutes(rhythm)}" if rhythm else ""
    told = f"{len(times)} times since {_clock(times[0], zone)}{every}, the number went back to {found.observed:,}"
    return Likely(Cause.TOOL, f"{told}: probably another program sets it.")


def _many(found: Evidence, _zone: tzinfo) -> Likely | None:
    if found.others < MANY:
        return None
    told = f"{found.others:,} other listings of the shop changed between the same two readings"
    return Likely(Cause.TOOL, f"{told}: probably another program, or a change of many at once in TikTok's admin.")


def _by_hand(found: Evidence, zone: tzinfo) -> Likely:
    when = f"at {_clock(found.found_at, zone)} or shortly before"
    if found.before_at is not None:
        when = f"between {_clock(found.before_at, zone)} and {_clock(found.found_at, zone)}"
    told = (
        f"No order, no change of ours and nothing that TikTok told explains it. Probably somebody typed {{}}, {when}."
    )
    return Likely(Cause.HAND, told.format(f"{found.observed:,}"))


def jumps(shown: Sequence[Shown], writes: Sequence[Write]) -> list[Shown]:
    """Readings whose number was changed neither by an order nor by a write of ours since the one before.

    An order moves units between available and committed; a number typed on TikTok changes the available ones alone.
    """
    ours = [each for each in writes if each.outcome not in ("refused", "not sent")]
    return [
        now
        for before, now in pairwise(shown)
        if now.committed == before.committed
        and now.available != before.available
        and not any(before.at <= each.at <= now.at and each.target == now.available for each in ours)
    ]


def returns(found: Evidence) -> list[int]:
    """The moments (ms) at which the number was set to what it is now, each time away from another one."""
    times = [each.at for each in jumps(found.shown, found.writes) if each.available == found.observed]
    last = [each.available for each in found.shown if each.at <= found.found_at][-1:]
    return times if last == [found.observed] else [*times, found.found_at]


def regular(times: Sequence[int]) -> int | None:
    """The mean interval (ms) of moments that come regularly, or None."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if len(gaps) < REPEATS - 1 or not sum(gaps):
        return None
    mean = sum(gaps) // len(gaps)
    return mean if all(abs(gap - mean) <= mean * _EVEN_BY for gap in gaps) else None


def units(count: int) -> str:
    """1 unit, 20 units."""
    return f"{count:,} unit" if count == 1 else f"{count:,} units"


def _minutes(milliseconds: int) -> str:
    minutes = round(milliseconds / 60_000)
    if minutes < 120:
        return "minute" if minutes <= 1 else f"{minutes} minutes"
    return f"{round(minutes / 60)} hours"


def _clock(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at / 1000, zone):%H:%M:%S}"
