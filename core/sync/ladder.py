"""How a listing's number comes about, step by step, each step adding to the one before it: pure arithmetic."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.sync.targets import MOST, Part


class What(StrEnum):
    """What a step is about."""

    ON_HAND = "on hand"
    PROMISED = "promised"
    UNSEEN = "unseen"
    LOCKED = "locked"
    SHORT = "short"
    ZERO_BELOW = "zero below"
    BUFFER = "buffer"
    SHARE = "share"
    SPLIT = "split"
    QUANTITY = "quantity"
    CAP = "cap"
    PLACES = "places"
    MOST = "most"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: by how many units it changes the number, and what the number is after it.

    `by` is the figure behind it, where there is one: percent of the share, the cap, units for each of the listing.
    """

    what: What
    change: int
    after: int
    by: int = 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The whole way to the number: one climb for each item, and what follows from the scarcest of them.

    `scarcest` is the place of the item whose climb ends lowest; `last` goes on from there, and ends at `target`.
    """

    climbs: tuple[tuple[Step, ...], ...]
    scarcest: int
    last: tuple[Step, ...]
    target: int


def ladder(parts: Sequence[Part], places: int | None = None) -> Ladder:
    """The steps to `targets.target(parts)`; raises ValueError for a listing without an item.

    `places` is what the locations of its warehouses leave to it together, where there are several.
    """
    if not parts:
        raise ValueError("a listing without an item has no target")
    climbs = tuple(tuple(_climb(part)) for part in parts)
    scarcest = min(range(len(parts)), key=lambda place: climbs[place][-1].after)
    units = climbs[scarcest][-1].after
    last = []
    for what, most in (*((What.CAP, part.rule.cap) for part in parts), (What.PLACES, places), (What.MOST, MOST)):
        if most is not None and units > most:
            last.append(Step(what, most - units, most, most))
            units = most
    return Ladder(climbs, scarcest, tuple(last), units)


def _climb(part: Part) -> Iterator[Step]:
    units = part.on_hand
    yield Step(What.ON_HAND, units, units)
    units -= part.reserved
    yield Step(What.PROMISED, -part.reserved, units)
    for what, less in ((What.UNSEEN, part.unseen), (What.LOCKED, part.held)):
        if less:
            units -= less
            yield Step(what, -less, units)
    for what, after, by in _allowed(part):
        if after != units:
            yield Step(what, after - units, after, by)
            units = after


def _allowed(part: Part) -> Iterator[tuple[What, int, int]]:
    """The number after each rule, with the figure of the rule; those that change nothing are left out by the caller."""
    free, rule = part.free, part.rule
    if free < 0:
        yield What.SHORT, 0, 0
    units = max(0, free)
    if free < rule.zero_below:
        yield What.ZERO_BELOW, 0, rule.zero_below
        return
    units = max(0, free - rule.buffer)
    yield What.BUFFER, units, rule.buffer
    units = units * rule.share // 100
    yield What.SHARE, units, rule.share
    units = min(units, part.split.of(free))
    yield What.SPLIT, units, part.split.at
    yield What.QUANTITY, units // part.quantity, part.quantity
