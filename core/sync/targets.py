"""What TikTok should show for a listing: pure arithmetic, nothing read and nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST = 99_999  # TikTok Shop API: Update Inventory takes 0 to 99,999 units a warehouse


@dataclass(frozen=True, slots=True)
class Part:
    """One item behind a listing: units in the building, promised to known orders, held on TikTok by orders not seen yet."""

    on_hand: int
    reserved: int
    unseen: int
    quantity: int = 1
    buffer: int = 0

    @property
    def free(self) -> int:
        """Units that nobody has a claim on; negative when more was sold than there is."""
        return self.on_hand - self.reserved - self.unseen


def target(parts: Sequence[Part]) -> int:
    """Units that may be offered: for a bundle as many as its scarcest part allows."""
    if not parts:
        raise ValueError("a listing without an item has no target")
    return min(MOST, max(0, min((part.free - part.buffer) // part.quantity for part in parts)))


class Move(StrEnum):
    """What to do with a listing."""

    NOTHING = "even"
    LOWER = "lower"
    RAISE = "raise"
    HOLD = "hold"


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
    drift: int,
    doubt: bool,
    settled: bool,
    decided: bool,
) -> Decision:
    """Whether to write `wanted` over `available`.

    Before a listing was even once (`settled`), only the owner's own decision (`decided`) is sent. Raising waits while orders are open that we have not seen, while a write has an unknown outcome, and while TikTok
    shows something we cannot explain, unless the owner has just decided for our number.
    """
    if wanted == available:
        return Decision(Move.NOTHING, wanted)
    if not (settled or decided):
        return Decision(Move.HOLD, wanted, "New here: review it once on the Stock page, then Evenstock keeps it even.")
    if wanted < available:
        return Decision(Move.LOWER, wanted)
    if doubt:
        return Decision(Move.HOLD, wanted, "The answer to the last change was lost; the next readings settle it first.")
    if committed > open_units:
        return Decision(Move.HOLD, wanted, "TikTok holds units for orders that have not arrived here yet.")
    if drift and not decided:
        return Decision(
            Move.HOLD,
            wanted,
            f"Somebody changed the number on TikTok by {drift:+d}. Decide on the Stock page which is right.",
        )
    return Decision(Move.RAISE, wanted)


def spread(wanted: int, shown: Mapping[str, int], first: str) -> dict[str, int]:
    """Distribute `wanted` over a listing's warehouses, all of them named, changing as little as possible.

    More goes to the warehouse `first`; less is taken from it, then from the fullest of the others.
    """
    numbers = dict(shown)
    change = wanted - sum(numbers.values())
    order = sorted(numbers, key=lambda name: (name != first, -numbers[name], name))
    if change > 0 and order:
        numbers[order[0]] += change
    for name in order:
        if change >= 0:
            break
        taken = min(numbers[name], -change)
        numbers[name] -= taken
        change += taken
    return numbers
