"""Why more was sold than there is: which sales compete, what TikTok showed then, the cause, and what would have helped.

All of it is worked out from what was kept, and what cannot be told from that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import Connection

from core.store.queries import oversell as kept
from core.store.queries.oversell import Evidence, Offer, Record, Sale
from core.sync.oversell_causes import Break, Cause, Claim, Verdict, many, of_listing, span, verdict

_STALE_MS = 300_000
_MOST_BEFORE = 5
_NOT_OURS = (Cause.EDIT, Cause.REFUSED, Cause.NOT_KEPT)
_NO_SIDES = (Cause.COUNT, Cause.TAKEN_OVER, Cause.OWN_STORE)


@dataclass(frozen=True, slots=True)
class Shown:
    """What TikTok offered as far as it was kept: the number read or confirmed at `at` (ms), less what it sold since.

    `lasting` says that every change of it is kept, so that it held from then until the next one.
    """

    units: int
    at: int
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Oversold:
    """One item of which more was sold than there was.

    `short` units were missing, `since` when and until when (`over_at`, None while they are; both ms). `key` is the
    TikTok sale that should not have been, before which TikTok offered `shown`. `buffer` is what would have prevented
    it, None where no buffer would have; `split` says whether the split of the last units was in force.
    """

    id: str
    item_id: int
    sku: str
    title: str
    short: int
    on_hand: int
    promised: int
    since: int | None
    over_at: int | None
    claims: tuple[Claim, ...]
    key: Claim | None
    shown: Shown | None
    verdict: Verdict
    buffer: int | None
    buffer_sentence: str
    split: str
    untold: tuple[str, ...]


def report(connection: Connection, limit: int = 10, offset: int = 0) -> list[Oversold]:
    """The items of which more was sold than there is, the most units first."""
    return [explain(kept.evidence(connection, item)) for item in kept.items(connection, limit, offset)]


def history(connection: Connection, since_ms: int, limit: int = 10, offset: int = 0) -> list[Oversold]:
    """What was sold since a moment that did not exist and is settled by now, each movement by itself, newest first."""
    records = kept.past(connection, since_ms, limit, offset)
    return [explain(kept.evidence(connection, each.item_id, each.movement_id), each) for each in records]


def explain(found: Evidence, record: Record | None = None) -> Oversold:
    """Judge one item as it is now, or one movement of it by the record that it left. Pure."""
    gap = found.reserved - found.on_hand
    short = gap if record is None else record.units
    broke = _breaking(found) if record is None else _recorded(found)
    sales = _claims(found)
    claims = _competing(sales, short, max(0, gap - short))
    key = _key(claims)
    shown = _shown(found, sales, key) if key else None
    cause = verdict(found, broke, sales)
    offer = next(iter(of_listing(found.offers, key)), None) if key else None
    buffer, sentence = _buffer(cause.cause, key, shown, short, offer)
    since = record.found_at if record else broke.step.at if broke else None
    last = found.split_at if record is None and found.split_total else record.split_at if record else 0
    return Oversold(
        f"{found.item_id}.{record.id if record else 'now'}", found.item_id, found.sku, found.title, short,
        found.on_hand, found.reserved, since, record.over_at if record else None, claims, key, shown, cause, buffer,
        sentence, _split(last, cause.cause, claims, short), _untold(broke, claims, key, shown),
    )  # fmt: skip


def _breaking(found: Evidence) -> Break | None:
    """The movement since which there is less than promised without a break; None when it lies too far back."""
    on_hand, promised = found.on_hand, found.reserved
    for step in reversed(found.steps):
        if on_hand - step.on_hand >= promised - step.reserved:
            return Break(step, on_hand, promised)
        on_hand, promised = on_hand - step.on_hand, promised - step.reserved
    return None


def _recorded(found: Evidence) -> Break | None:
    """The movement that left a record is the last one that its evidence tells of."""
    return Break(found.steps[-1], found.on_hand, found.reserved) if found.steps else None


def _claims(found: Evidence) -> list[Claim]:
    """Every sale among the movements that still needs or took units, in the order in which they were placed."""
    sales = {sale.line_id: sale for sale in found.sales}
    held: dict[str, int] = {}
    claims: list[Claim] = []
    for step in found.steps:
        if step.origin in ("tiktok", "own shop"):
            held[step.reference] = held.get(step.reference, 0) + step.reserved - step.on_hand
        elif step.reason == "own sale":
            claims.append(
                Claim("your store", step.reference.removeprefix("own:"), "", "", -step.on_hand, step.at, step.at)
            )
    orders: dict[tuple[str, str], Claim] = {}
    for line, units in held.items():
        if units > 0 and line in sales:
            claim = _claim(sales[line], units)
            before = orders.get((claim.order_id, claim.sku_id))
            orders[claim.order_id, claim.sku_id] = replace(claim, units=units + before.units) if before else claim
    return sorted([*claims, *orders.values()], key=lambda claim: (claim.placed_at, claim.known_at))


def _claim(sale: Sale, units: int) -> Claim:
    placed = sale.create_time * 1000
    return Claim(
        "TikTok" if sale.kind == "tiktok" else "your store",
        sale.order_id,
        sale.shop_id,
        sale.sku_id,
        units,
        placed,
        sale.first_seen_at,
    )


def _competing(claims: Sequence[Claim], short: int, before: int = 0) -> tuple[Claim, ...]:
    """The newest claims, for which units are missing, and those that took the last units.

    `before` units were missing already; the claims that those concern, between the two, are told by their own record.
    """
    late: list[Claim] = []
    had: list[Claim] = []
    missing, others = short, before
    for claim in reversed(claims):
        if missing > 0:
            late.append(replace(claim, missing=min(missing, claim.units)))
            others -= max(0, claim.units - missing)
            missing -= claim.units
        elif others > 0:
            others -= claim.units
        elif sum(each.units for each in had) < short and len(had) < _MOST_BEFORE:
            had.append(claim)
    return tuple(reversed([*late, *had]))


def _key(claims: Sequence[Claim]) -> Claim | None:
    """The TikTok sale that a buffer would have had to prevent: the first late one, else the last one."""
    theirs = [claim for claim in claims if claim.side == "TikTok"]
    return next((claim for claim in theirs if claim.late), theirs[-1] if theirs else None)


def _shown(found: Evidence, sales: Sequence[Claim], key: Claim) -> Shown | None:
    """What TikTok offered just before this sale."""
    offers = of_listing(found.offers, key)
    known = [(each.at, each.available, True) for each in of_listing(found.readings, key)]
    for write in of_listing(found.writes, key):
        known.append((write.intent_at, write.read_available, False))
        if write.confirmed_at is not None:
            known.append((write.confirmed_at, write.target, False))
    known += [(edit.found_at, edit.observed, False) for edit in of_listing(found.edits, key)]
    known += [
        (each.observed_at, each.available, False) for each in offers if each.observed_at and each.available is not None
    ]
    before = [each for each in known if each[0] <= key.placed_at]
    if not before:
        return None
    at, units, lasting = max(before)
    quantity = max((offer.quantity for offer in offers), default=1)
    since = [claim for claim in of_listing(sales, key) if at < claim.placed_at and claim.order_id != key.order_id]
    sold = sum(-(-claim.units // quantity) for claim in since if claim.placed_at <= key.placed_at)
    return Shown(max(0, units - sold), at, lasting)


def _buffer(
    cause: Cause, key: Claim | None, shown: Shown | None, short: int, offer: Offer | None
) -> tuple[int | None, str]:
    """The least buffer that would have left nothing for TikTok to sell, by the rule now in force for the listing."""
    if key is None:
        return None, "No buffer would have helped: it only holds units back from TikTok."
    if cause in _NOT_OURS:
        return None, "No buffer would have helped: the number that TikTok sold from was not Evenstock's."
    own, share, quantity = (offer.buffer, offer.share, offer.quantity) if offer else (0, 100, 1)
    if shown is None or shown.units == 0 or share == 0:
        return own + short, f"A buffer of at least {many(own + short)} would have been needed to prevent it."
    # A listing that shows n of its share rests on at most (n + 1) shares of units: without n of them it shows none.
    needed = own + max(-(-shown.units * quantity * 100 // share), key.units)
    return needed, f"A buffer of {many(needed)} would have kept TikTok from selling it."


def _split(last: int, cause: Cause, claims: Sequence[Claim], short: int) -> str:
    """Whether each side had only units of its own; `last` is how many last units were split, 0 when none were."""
    if cause in _NO_SIDES or not claims:
        return ""
    free = max(0, sum(claim.units for claim in claims) - short)
    if last == 0:
        return "The last units were not split between the sides; with the split, each sells only its own."
    if free > last:
        return (
            f"The last {many(last)} were to be split, but {many(free)} were still free, so the split was not in force."
        )
    return f"The split of the last {many(last)} was in force: each side had only its own, and one sold more than those."


def _untold(broke: Break | None, claims: Sequence[Claim], key: Claim | None, shown: Shown | None) -> tuple[str, ...]:
    """What cannot be told from what was kept."""
    told = []
    if broke is None:
        told.append("When this began: it lies before the movements that are looked at here.")
    if key is not None and shown is None:
        told.append("What TikTok showed then: no reading from before that order was kept.")
    elif key is not None and shown is not None and not shown.lasting and key.placed_at - shown.at > _STALE_MS:
        age = span(key.placed_at - shown.at)
        told.append(f"What else changed on TikTok just before: its number had last been read {age} earlier.")
    if any(claim.entered for claim in claims):
        told.append("When exactly your store sold: the second is that in which the sale was entered here.")
    if any(_close(one, two) for one, two in pairwise(claims)):
        told.append("Which of two sales in the same second came first: TikTok gives whole seconds.")
    return tuple(told)


def _close(one: Claim, two: Claim) -> bool:
    return abs(two.placed_at - one.placed_at) < 1_000
