"""What TikTok should show for a listing: pure arithmetic, nothing read and nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST = 99_999  # TikTok Shop API: Update Inventory takes 0 to 99,999 units a warehouse


@dataclass(frozen=True, slots=True)
class Rule:
    """The owner's rule in force for one item of a listing.

    `buffer` units are kept back, `share` percent of the rest are offered, at most `cap` of the listing, and none while
    fewer than `zero_below` units are free.
    """

    buffer: int = 0
    share: int = 100
    cap: int | None = None
    zero_below: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """A channel's part in an item's last units: with no more than `at` free, those of its shares `start` to `stop`.

    The shares of all channels of the item lie side by side and fill `total`, so that together they are offered what is
    free and no unit twice. A channel that is not split has all shares; `total` 0 says that the item is not split.
    """

    at: int = 0
    total: int = 0
    start: int = 0
    stop: int = 0

    def of(self, free: int) -> int:
        """The units of this channel when so many are free."""
        if not self.applies(free):
            return max(0, free)
        return free * self.stop // self.total - free * self.start // self.total

    @property
    def left_out(self) -> bool:
        """Whether the owner left this channel out of the split: it has all shares, beside what the others divide."""
        return self.total > 0 and (self.start, self.stop) == (0, self.total)

    def applies(self, free: int) -> bool:
        """Whether these are the last units."""
        return 0 < free <= self.at and self.total > 0


@dataclass(frozen=True, slots=True)
class Part:
    """One item behind a listing, in units: in the building, promised to known orders, held on TikTok by unseen ones.

    `held` is what other listings of the item show that TikTok does not let us lower: it is as good as sold there.
    """

    on_hand: int
    reserved: int
    unseen: int
    quantity: int = 1
    held: int = 0
    rule: Rule = Rule()
    split: Split = Split()

    @property
    def free(self) -> int:
        """Units that nobody has a claim on; negative when more was sold than there is."""
        return self.on_hand - self.reserved - self.unseen - self.held

    @property
    def offered(self) -> int:
        """Units of the item that this listing may offer, by the owner's rule and its share of the last ones."""
        if self.free < self.rule.zero_below:
            return 0
        allowed = max(0, self.free - self.rule.buffer) * self.rule.share // 100
        return min(allowed, self.split.of(self.free))


def target(parts: Sequence[Part]) -> int:
    """Units that may be offered: for a bundle as many as its scarcest part allows."""
    if not parts:
        raise ValueError("a listing without an item has no target")
    caps = [part.rule.cap for part in parts if part.rule.cap is not None]
    return min(MOST, *caps, min(part.offered // part.quantity for part in parts))


class Move(StrEnum):
    """What to do with a listing: HOLD waits for the owner, WAIT for later readings."""

    NOTHING = "even"
    LOWER = "lower"
    RAISE = "raise"
    HOLD = "hold"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and the sentence that says why."""

    move: Move
    target: int
    sentence: str = ""


def decide(
    *,
    wanted: int,
    available: int,
    committed: int,
    open_units: int,
    unexplained: int | None,
    drift: int,
    sure: bool,
    doubt: bool,
    settled: bool,
    decided: bool,
    locked: str = "",
    room: int | None = None,
) -> Decision:
    """Whether to write `wanted` over `available`. Lowering is always safe; raising waits for whatever is unsettled.

    Before a listing was even once (`settled`), only the owner's own decision (`decided`) is sent. `unexplained` are
    the units beyond what orders explain (None: not known yet), `drift` those of them that the owner has not decided
    on, `sure` whether they were seen again after all orders had been read. `locked` is why TikTok lets nobody set the
    number, and `room` how much the item's other listings leave of its last units (None: they are not the last).
    """
    if wanted == available:
        return Decision(Move.NOTHING, wanted)
    if not (settled or decided):
        return Decision(Move.HOLD, wanted, "New here: say once where it starts, then Evenstock keeps it even.")
    if locked and not decided:
        return Decision(Move.WAIT, wanted, locked)
    if wanted < available:
        return Decision(Move.LOWER, wanted)
    if doubt:
        return Decision(Move.WAIT, wanted, "The answer to the last change was lost; the next readings settle it first.")
    if committed > open_units:
        return Decision(Move.WAIT, wanted, "TikTok holds units for orders that have not arrived here yet.")
    if unexplained is None:
        return Decision(Move.WAIT, wanted, "The orders are read once more before more is offered.")
    if committed < open_units and unexplained != 0:
        # A new order may hide behind a shipment: both unseen, they leave the committed units as they were.
        return Decision(Move.WAIT, wanted, "TikTok has shipped or cancelled orders, and word of it is still to come.")
    if drift and not sure:
        return Decision(Move.WAIT, wanted, "TikTok's number changed, and no order explains it yet. It is read again.")
    if drift:
        sentence = f"Somebody changed the number on TikTok by {drift:+d}. Decide under Questions which is right."
        return Decision(Move.HOLD, wanted, sentence)
    if room is not None and wanted > room:
        return Decision(Move.WAIT, wanted, "These are the last units: another listing has to show fewer first.")
    return Decision(Move.RAISE, wanted)


def excess_first(decision: Decision, safe: int) -> Decision:
    """What to do where a listing offers more from a location than is free there: that excess goes, whatever waits.

    `safe` is what it goes on offering then, and what the decision was made for in the place of what it shows.
    """
    if decision.move is Move.NOTHING:
        return Decision(Move.LOWER, decision.target)
    return Decision(Move.LOWER, safe) if decision.move in (Move.WAIT, Move.HOLD) else decision


def spread(
    wanted: int,
    shown: Mapping[str, int],
    first: str,
    served: Mapping[str, int] | None = None,
    most: Mapping[int, int] | None = None,
) -> dict[str, int]:
    """Distribute `wanted` over a listing's warehouses, all of them named, changing as little as possible.

    More goes to the warehouse `first`; less is taken from it, then from the fullest of the others. Numbers below
    zero, which TikTok should never show, count as none. Where warehouses are `served` from several locations, those of
    one location together get no more than the `most` that is free in it.
    """
    numbers = {name: max(0, units) for name, units in shown.items()}
    order = sorted(numbers, key=lambda name: (name != first, -numbers[name], name))
    at = served or {}
    spare = {place: units - sum(numbers[name] for name in numbers if at.get(name) == place)
             for place, units in (most or {}).items()}  # fmt: skip
    for place, units in spare.items():
        _take(numbers, [name for name in order if at.get(name) == place], -units)
    change = wanted - sum(numbers.values())
    for name in order if change > 0 else ():
        given = min(change, max(0, spare.get(at.get(name, 0), change)))
        numbers[name] += given
        change -= given
        if name in at:
            spare[at[name]] = spare.get(at[name], given) - given
    _take(numbers, order, -change)
    return numbers


def _take(numbers: dict[str, int], order: Sequence[str], units: int) -> None:
    """Take so many units away, from one warehouse after the other."""
    for name in order:
        taken = min(numbers[name], max(0, units))
        numbers[name] -= taken
        units -= taken
