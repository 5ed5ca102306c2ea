"""The likely cause of an oversold unit, from the movement that broke the stock and what was kept around it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypeVar

from core.store.queries.oversell import Edit, Evidence, Offer, Step, Write

SAME_TIME_MS = 60_000  # an owner who sells within a minute of our knowing could not have seen it
_EDIT_SEEN_WITHIN_MS = 600_000  # an edit is noticed some time after it was made
Side = Literal["TikTok", "your store"]


class Cause(StrEnum):
    """What most likely happened."""

    BOTH_SIDES = "Sold on both sides at once"
    HEARD_LATE = "TikTok's order was known too late"
    LATE = "TikTok's number was lowered too late"
    OWN_STORE = "Your store sold what was promised"
    COUNT = "A count lowered the stock"
    TAKEN_OVER = "TikTok's lower number was taken over"
    EDIT = "Somebody raised TikTok's number"
    REFUSED = "TikTok refused the lower number"
    NOT_KEPT = "Evenstock did not keep this number yet"
    UNKNOWN = "It cannot be told"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sale that needs units of the item: when it was placed and when it was known here, both in milliseconds.

    `missing` units of it are not there; these are the newest claims.
    """

    side: Side
    order_id: str
    shop_id: str
    sku_id: str
    units: int
    placed_at: int
    known_at: int
    missing: int = 0

    @property
    def entered(self) -> bool:
        """Whether it was entered here, so that nobody knows the second at which it was made."""
        return self.side == "your store" and not self.shop_id

    @property
    def late(self) -> bool:
        """Whether there is not a unit for each that was sold."""
        return self.missing > 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likely cause, told in a sentence."""

    cause: Cause
    sentence: str


@dataclass(frozen=True, slots=True)
class Break:
    """The movement since which there is less than promised, with the units on hand and promised after it."""

    step: Step
    on_hand: int
    promised: int


class _OfListing(Protocol):
    @property
    def shop_id(self) -> str: ...
    @property
    def sku_id(self) -> str: ...


Record = TypeVar("Record", bound=_OfListing)


def of_listing(records: Iterable[Record], claim: Claim) -> list[Record]:
    """Those that concern the listing of this sale."""
    return [each for each in records if (each.shop_id, each.sku_id) == (claim.shop_id, claim.sku_id)]


def verdict(found: Evidence, since: Break | None, claims: Sequence[Claim]) -> Verdict:
    """Why there is less than promised; `claims` are all sales there are, in the order in which they were placed."""
    if since is None:
        return Verdict(Cause.UNKNOWN, "It began before the movements that are looked at here.")
    broke = since.step
    lower = f"from {since.on_hand - broke.on_hand} to {since.on_hand} while {since.promised} were promised."
    if broke.reason == "count":
        return Verdict(Cause.COUNT, f"A count lowered the stock {lower}")
    if broke.reason.startswith("taken over"):
        return Verdict(Cause.TAKEN_OVER, f"TikTok's number was taken over, which lowered the stock {lower}")
    if broke.reason == "own sale":
        return _sold_here(broke.at, broke.at, claims)
    sale = next((each for each in found.sales if each.line_id == broke.reference), None)
    claim = next((each for each in claims if sale and each.order_id == sale.order_id), None)
    if claim is None:
        other = f'A movement "{broke.reason}" took {many(-broke.on_hand or broke.reserved)} that were promised.'
        return Verdict(Cause.UNKNOWN, other)
    if claim.side == "your store":
        return _sold_here(claim.placed_at, broke.at, claims)
    return _sold_there(found, claim, claims)


def _sold_here(sold_at: int, booked_at: int, claims: Sequence[Claim]) -> Verdict:
    theirs = [each for each in claims if each.side == "TikTok" and each.known_at <= booked_at]
    if not theirs:
        return Verdict(Cause.OWN_STORE, "Your own store sold more than was on hand.")
    last = max(theirs, key=lambda each: each.placed_at)
    if sold_at - last.known_at <= SAME_TIME_MS:
        return _both(last, sold_at)
    known = span(sold_at - last.known_at)
    return Verdict(
        Cause.OWN_STORE,
        f"Your own store sold units that were promised to orders; the last of them was known here for {known}.",
    )


def _both(theirs: Claim, ours_at: int) -> Verdict:
    gap, known = abs(ours_at - theirs.placed_at), span(theirs.known_at - theirs.placed_at)
    if gap <= SAME_TIME_MS:
        told = f"TikTok and your store sold within {span(gap)} of each other."
        return Verdict(Cause.BOTH_SIDES, f"{told} TikTok's order was known here {known} after it was placed.")
    told = f"TikTok sold {span(gap)} before your store did" if ours_at > theirs.placed_at else "TikTok sold"
    return Verdict(Cause.HEARD_LATE, f"{told}, and its order was known here only {known} after it was placed.")


def _sold_there(found: Evidence, sale: Claim, claims: Sequence[Claim]) -> Verdict:
    foreign = _foreign(found, sale)
    if foreign is not None:
        return foreign
    here = (sale.side, sale.shop_id, sale.sku_id)
    rivals = [each for each in claims if (each.side, each.shop_id, each.sku_id) != here]
    for rival in sorted(rivals, key=lambda each: abs(each.placed_at - sale.placed_at)):
        told = _against(of_listing(found.writes, sale), sale, rival)
        if told is not None:
            return told
    return Verdict(
        Cause.UNKNOWN, "TikTok sold more than was free, and nothing that was kept tells why its number was higher."
    )


def _foreign(found: Evidence, sale: Claim) -> Verdict | None:
    """Reasons why the number that TikTok sold from was not ours."""
    if edit := next((each for each in of_listing(found.edits, sale) if _open_at(each, sale.placed_at)), None):
        told = f"Somebody raised the number on TikTok by {edit.amount}, and TikTok sold from that."
        return Verdict(Cause.EDIT, told)
    offers: list[Offer] = of_listing(found.offers, sale)
    if any(each.mode != "live" for each in offers):
        return Verdict(Cause.NOT_KEPT, "This shop is only watched, so Evenstock sends no number to it.")
    if any(each.settled_at is None or each.settled_at > sale.placed_at for each in offers):
        told = "When TikTok sold it, this listing had not been reviewed yet, so TikTok offered what stood there."
        return Verdict(Cause.NOT_KEPT, told)
    before: list[Write] = [each for each in of_listing(found.writes, sale) if each.intent_at <= sale.placed_at]
    last = max(before, key=lambda each: each.intent_at, default=None)
    if last is not None and last.outcome == "refused":
        told = f"TikTok had refused the number {last.target} and went on with the old one. {last.sentence}".strip()
        return Verdict(Cause.REFUSED, told)
    return None


def _open_at(edit: Edit, at: int) -> bool:
    return edit.amount > 0 and edit.found_at - _EDIT_SEEN_WITHIN_MS <= at and (edit.decided_at or at) >= at


def _twice(sale: Claim, rival: Claim) -> Verdict:
    gap = span(abs(sale.placed_at - rival.placed_at))
    return Verdict(Cause.BOTH_SIDES, f"Two listings on TikTok sold the same units within {gap} of each other.")


def _against(writes: Sequence[Write], sale: Claim, rival: Claim) -> Verdict | None:
    if rival.known_at <= sale.placed_at:
        return _late(writes, sale, rival)
    return _both(sale, rival.placed_at) if rival.side == "your store" else _twice(sale, rival)


def _late(writes: Sequence[Write], sale: Claim, rival: Claim) -> Verdict | None:
    """The other sale was known before TikTok sold, but TikTok showed the lower number only afterwards."""
    after = [each for each in writes if each.intent_at >= rival.known_at and each.target < each.read_available]
    confirmed = min((each.confirmed_at for each in after if each.confirmed_at is not None), default=None)
    if confirmed is not None and confirmed <= sale.placed_at:
        return None
    shown = (
        f"TikTok showed the lower number {span(confirmed - rival.known_at)} after that"
        if confirmed is not None
        else "no lower number was confirmed after that"
    )
    where = "Your store" if rival.side == "your store" else "Another listing"
    gap = span(sale.placed_at - rival.placed_at)
    return Verdict(Cause.LATE, f"{where} sold {gap} before TikTok did. Evenstock knew of it, and {shown}.")


def span(milliseconds: int) -> str:
    """A duration in words: 2 seconds, 3 minutes, 5 hours, 2 days."""
    seconds = max(0, milliseconds) // 1000
    for size, unit in ((172_800, "day"), (7_200, "hour"), (120, "minute")):
        if seconds >= size:
            count = seconds // {"day": 86_400, "hour": 3_600, "minute": 60}[unit]
            return f"{count} {unit}s"
    return "one second" if seconds == 1 else "less than a second" if seconds == 0 else f"{seconds} seconds"


def many(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"
