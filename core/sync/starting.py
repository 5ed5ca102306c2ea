"""Where the truth starts: what a choice between our count and TikTok's number means for the units on hand; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Spot = tuple[int, int]  # an item in a location


class Choice(StrEnum):
    """Whose number a listing starts from; LATER decides nothing yet."""

    OURS = "ours"
    THEIRS = "theirs"
    ENTER = "enter"
    LATER = "later"


UNCOUNTED = "It was never counted here, so there is no number of yours to start from."
UNREAD = "TikTok has not told its number yet."
SHARED = "It is sold in several listings, so TikTok's number of one of them does not say how many there are."
BUNDLE = "It sells several items together, so one number does not say how many there are of each."
ON_ITS_WAY = "TikTok and the orders here do not agree yet on what is ordered. Look again after the next sync."
BACKORDER = "TikTok may sell units of it before they exist. End that in Seller Center first, then it can start here."
NOT_ENTERED = "No number was entered."
SEVERAL_PLACES = "Your goods lie in several locations: count it on the Count page, where you choose which."


@dataclass(frozen=True, slots=True)
class Piece:
    """One item behind a listing, in units: for each of the listing, on hand and promised where it is sold from.

    `uses` is how many listings sell it, `counted` whether its stock is known.
    """

    item_id: int
    quantity: int
    uses: int
    counted: bool
    counted_at: int | None
    on_hand: Mapping[int, int]
    reserved: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One listing that nobody has reviewed yet, and what both sides say of it, in units.

    `available` and `committed` are TikTok's, None where it has told nothing; `open_units` are in the orders known
    here. `shelves` holds TikTok's available units by the location that they are served from, `backorder` the units
    that TikTok may sell before they exist.
    """

    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    available: int | None
    committed: int
    open_units: int
    observed_at: int | None
    pieces: tuple[Piece, ...]
    shelves: Mapping[int, int] = field(default_factory=dict)
    backorder: int = 0

    @property
    def single(self) -> bool:
        """Whether the listing sells one item, one at a time."""
        return len(self.pieces) == 1 and self.pieces[0].quantity == 1

    @property
    def alone(self) -> bool:
        """Whether nothing else sells that item either."""
        return self.single and self.pieces[0].uses == 1

    @property
    def counted(self) -> bool:
        """Whether our number is known."""
        return all(piece.counted for piece in self.pieces)

    @property
    def on_hand(self) -> int:
        """Units on hand: for a bundle as many as its scarcest part allows."""
        return min(sum(piece.on_hand.values()) // piece.quantity for piece in self.pieces)

    @property
    def ordered(self) -> int:
        """Units in open orders of this listing: in those known here, or as many as TikTok admits, if that is more."""
        return max(self.open_units, self.committed)

    @property
    def free(self) -> int:
        """Units that our count leaves to sell, before any rule: less what is promised and what TikTok holds beyond."""
        unseen = max(0, self.committed - self.open_units)
        return min(
            (sum(piece.on_hand.values()) - sum(piece.reserved.values())) // piece.quantity for piece in self.pieces
        ) - unseen  # fmt: skip

    @property
    def difference(self) -> int | None:
        """TikTok's number less the one that our count would show."""
        return None if self.available is None or not self.counted else self.available - max(0, self.free)


@dataclass(frozen=True, slots=True)
class Wish:
    """The owner's choices: one for all, others for some products, the numbers entered, and the answer for the shop.

    `leaves_out`: our count already leaves out what TikTok's customers had ordered when it was made. `listings` holds
    choices of single listings, by SKU id; they go before those of their products.
    """

    everything: Choice = Choice.OURS
    products: Mapping[str, Choice] = field(default_factory=dict)
    entered: Mapping[str, int] = field(default_factory=dict)
    leaves_out: bool = False
    listings: Mapping[str, Choice] = field(default_factory=dict)

    def of(self, listing: Unsettled) -> Choice:
        """The choice for one listing."""
        return self.listings.get(listing.sku_id) or self.products.get(listing.product_id, self.everything)


@dataclass(frozen=True, slots=True)
class Begin:
    """What a choice books: units to add by item and location, and the moment (ms) up to which the count speaks.

    `counted_at` None leaves the moment of the last count as it is.
    """

    choice: Choice
    changes: Mapping[Spot, int]
    counted_at: int | None = None


def missing(listing: Unsettled, choice: Choice, *, entered: int | None, several_places: bool) -> str:
    """Why a listing cannot start from this choice, or ""."""
    if listing.available is None:
        return UNREAD
    if listing.backorder:
        return BACKORDER
    if choice is Choice.OURS:
        return "" if listing.counted else UNCOUNTED
    if not listing.single:
        return BUNDLE
    if not listing.alone:
        return SHARED
    if choice is Choice.THEIRS:
        return "" if listing.committed == listing.open_units else ON_ITS_WAY
    if several_places:
        return SEVERAL_PLACES
    return NOT_ENTERED if entered is None else ""


def begin(listing: Unsettled, choice: Choice, *, entered: int | None, left_out: Mapping[Spot, int], now: int) -> Begin:
    """What the choice means for the units on hand; `left_out` are units that our count has left out.

    Ours: the count stands, plus what it left out. TikTok's: what it offers plus what is promised there, as of the
    moment that was read. Entered: all that lies on the shelf now, promised units as well.
    """
    if choice is Choice.OURS:
        changes = {(piece.item_id, place): units for piece in listing.pieces
                   for (item_id, place), units in left_out.items() if item_id == piece.item_id and units}  # fmt: skip
        first = None if all(piece.counted_at for piece in listing.pieces) else now
        return Begin(choice, changes, first)
    (piece,) = listing.pieces
    if choice is Choice.THEIRS:
        changes = {
            (piece.item_id, place): offered + piece.reserved.get(place, 0) - piece.on_hand.get(place, 0)
            for place, offered in listing.shelves.items()
        }
        return Begin(choice, changes, listing.observed_at)
    place = next(iter(piece.on_hand))
    return Begin(choice, {(piece.item_id, place): (entered or 0) - sum(piece.on_hand.values())}, now)


def after(listing: Unsettled, change: Begin) -> int:
    """The units on hand once it is booked; for a bundle as many as its scarcest part allows."""
    added: dict[int, int] = {}
    for (item_id, _), units in change.changes.items():
        added[item_id] = added.get(item_id, 0) + units
    return min(
        (sum(piece.on_hand.values()) + added.get(piece.item_id, 0)) // piece.quantity for piece in listing.pieces
    )


def rule(listing: Unsettled, change: Begin) -> str:
    """The words for what a row rests on: the choice, and the units on hand before and after."""
    now, then = listing.on_hand, after(listing, change)
    on_hand = f"{then} on hand" if now == then else f"{now} on hand becomes {then}"
    match change.choice:
        case Choice.OURS if any(change.changes.values()):
            return f"Your count, plus what was ordered on TikTok and left out of it: {on_hand}"
        case Choice.OURS:
            return f"Your count: {on_hand}"
        case Choice.THEIRS if listing.ordered:
            return f"TikTok's number, plus {listing.ordered} ordered there: {on_hand}"
        case Choice.THEIRS:
            return f"TikTok's number: {on_hand}"
        case _:
            return f"The number you entered: {on_hand}"


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one item in one order line; moments in milliseconds, None where it did not happen."""

    item_id: int
    place: int
    units: int
    placed_at: int
    shipped_at: int | None
    cancelled_at: int | None

    def open_at(self, moment: int) -> bool:
        """Whether these units were ordered and still here then."""
        if self.placed_at >= moment:
            return False
        ends = [at for at in (self.shipped_at, self.cancelled_at) if at is not None]
        return not ends or min(ends) > moment


@dataclass(frozen=True, slots=True)
class Group:
    """A product with its listings that have no start yet; sums in units, None where a number of one is not known."""

    product_id: str
    title: str
    listings: tuple[Unsettled, ...]

    @property
    def on_hand(self) -> int | None:
        """What we count of it."""
        return sum(each.on_hand for each in self.listings) if all(each.counted for each in self.listings) else None

    @property
    def available(self) -> int | None:
        """What TikTok shows of it."""
        told = [each.available for each in self.listings if each.available is not None]
        return sum(told) if len(told) == len(self.listings) else None

    @property
    def ordered(self) -> int:
        """What TikTok's customers have ordered of it."""
        return sum(each.ordered for each in self.listings)

    @property
    def difference(self) -> int | None:
        """TikTok's numbers less those that our count would show."""
        told = [each.difference for each in self.listings if each.difference is not None]
        return sum(told) if len(told) == len(self.listings) else None

    @property
    def note(self) -> str:
        """What stands in the way of one choice or the other, if anything does."""
        for choice in (Choice.OURS, Choice.THEIRS):
            whys = [missing(each, choice, entered=None, several_places=False) for each in self.listings]
            found = [why for why in whys if why]
            if found:
                few = "" if len(found) == len(self.listings) else f"{len(found)} of {len(self.listings)}: "
                return few + found[0]
        return ""


def groups(listings: Sequence[Unsettled]) -> list[Group]:
    """Listings by their product, in the order given."""
    found: dict[str, list[Unsettled]] = {}
    for each in listings:
        found.setdefault(each.product_id, []).append(each)
    return [Group(product_id, each[0].title, tuple(each)) for product_id, each in found.items()]


def example(listings: Sequence[Unsettled]) -> Unsettled | None:
    """The listing that shows best what it means whether a count leaves out what is ordered."""
    fit = [each for each in listings if each.single and each.counted and each.open_units and each.available is not None]
    return max(fit, key=lambda each: (each.open_units, each.sku_id), default=None)
