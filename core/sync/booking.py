"""What an order line asks of the stock ledger: pure decisions from the newest state seen and what is already booked."""

from dataclasses import dataclass

RANK = {
    "UNPAID": 0,
    "ON_HOLD": 1,
    "AWAITING_SHIPMENT": 2,
    "PARTIALLY_SHIPPING": 3,
    "AWAITING_COLLECTION": 4,
    "IN_TRANSIT": 5,
    "DELIVERED": 6,
    "COMPLETED": 7,
    "CANCELLED": 8,
}
_LEFT_THE_BUILDING = frozenset({"AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"})
_SECOND = 1000
FULFILLED_BY_TIKTOK = "FULFILLMENT_BY_TIKTOK"


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a kind of order counts, in a sentence for the owner."""

    kind: str
    sentence: str


_BY_TIKTOK = Treatment(
    "Shipped by TikTok", "TikTok ships it from its own warehouse, so it takes nothing from your stock."
)
_SAMPLE = Treatment("Sample", "A free sample leaves your stock like any other order.")
_REPLACEMENT = Treatment(
    "Replacement",
    "What is sent again leaves your stock once more. What comes back counts when you put it back on the shelf.",
)
_GIFT = Treatment("Gift", "A gift that goes with an order leaves your stock like what was bought.")
TREATMENTS = (
    Treatment("Unpaid, or held for an hour", "Its units are promised from the moment it is placed."),
    Treatment("Cancelled before it left", "Its units are free again at once."),
    Treatment("Shipped", "Its units leave the building, and stay gone when it is cancelled or lost on its way."),
    Treatment("Returned", "Nothing changes by itself: count what you put back on the shelf."),
    _SAMPLE,
    _GIFT,
    _REPLACEMENT,
    _BY_TIKTOK,
)


def treatments(*, by_tiktok: bool, sample: bool, replacement: bool, gift: bool) -> list[Treatment]:
    """What is special about how an order counts; nothing for most."""
    if by_tiktok:
        return [_BY_TIKTOK]
    special = ((sample, _SAMPLE), (replacement, _REPLACEMENT), (gift, _GIFT))
    return [treatment for applies, treatment in special if applies]


def state_of(order_status: str, line_status: str) -> str:
    """The state that counts for one unit: a cancelled order cancels its lines, otherwise the line speaks first."""
    return order_status if order_status == "CANCELLED" or not line_status else line_status


def has_shipped(state: str, rts_time: int | None) -> bool:
    """Whether the unit has left the building; a unit cancelled on its way (lost, refused) has.

    TikTok Shop API: Order overview, transitions; `rts_time` is set when a package is arranged.
    """
    return state in _LEFT_THE_BUILDING or (state == "CANCELLED" and rts_time is not None)


def is_open(state: str, shipped: bool) -> bool:
    """Whether the unit is promised and still here; unpaid and held orders are, and so is an unknown state."""
    return not shipped and state != "CANCELLED"


@dataclass(frozen=True, slots=True)
class Change:
    """A movement still to be booked, in units; both may be negative."""

    on_hand: int
    reserved: int
    reason: str


def due(
    *,
    quantity: int,
    state: str,
    shipped: bool,
    shipped_ms: int,
    counted_ms: int | None,
    on_hand: int,
    reserved: int,
    gone: bool = False,
) -> Change | None:
    """The difference between what the line demands of an item and what is booked for it, if any.

    `quantity` is 0 for an item that the line does not sell (any more). A unit that left before the item was last
    counted is already missing from the count, so it is not taken off again; nor is one that is `gone`: taken off
    before, from this item or from the one that the listing was linked to then. TikTok tells whole seconds; a unit
    that left in the very second of the count is taken off, for offering one too few is the smaller evil.
    """
    wants_reserved = quantity if is_open(state, shipped) else 0
    wants_on_hand = on_hand
    if shipped and not gone and counted_ms is not None and shipped_ms + _SECOND > counted_ms:
        wants_on_hand = -quantity
    if (wants_on_hand, wants_reserved) == (on_hand, reserved):
        return None
    reason = "order" if wants_reserved else "shipped" if shipped else "cancelled"
    return Change(wants_on_hand - on_hand, wants_reserved - reserved, reason)
