"""First contact as a plan: where each listing's truth starts, read before anything is booked or sent."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from core import clock
from core.store.engine import Store
from core.store.queries import places
from core.store.queries.places import STORE
from core.sync import approval, decisions, ledger, outbox, plans, stakes, start_rows, starting
from core.sync.choosing import Approval
from core.sync.context import ShopContext
from core.sync.plans import Proposed, replace_proposed
from core.sync.runs import Running
from core.sync.starting import Begin, Choice, Spot, Unsettled, Wish

KIND = "start"
_MOVED = "Stock or TikTok's number moved after you reviewed this. Choose its start again."
_REASON = "its stock was given a start"


class NothingToStart(Exception):
    """None of the choices made concerns a listing that can start."""

    sentence = "With these choices no listing can start yet."
    next_step = "Look at the reasons in the table, or choose another number to start from."

    def __init__(self) -> None:
        super().__init__(f"{self.sentence} {self.next_step}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A listing with what its choice books."""

    listing: Unsettled
    begin: Begin


def choose(
    listings: Sequence[Unsettled], wish: Wish, left_out: Mapping[Spot, int], *, several_places: bool, now: int
) -> list[Chosen]:
    """The listings that can start from what was chosen for them; the others wait. Pure."""
    found = []
    for listing in listings:
        choice, entered = wish.of(listing), wish.entered.get(listing.sku_id)
        if choice is Choice.LATER or starting.missing(listing, choice, entered=entered, several_places=several_places):
            continue
        found.append(Chosen(listing, starting.begin(listing, choice, entered=entered, left_out=left_out, now=now)))
    return found


def propose(
    store: Store, shop_id: str, wish: Wish, *, skus: Collection[str] | None = None, actor: str = "owner"
) -> Proposed:
    """Plan where the listings of a shop start: all that have no start yet, or these. Nothing is booked or sent by it.

    Raises NothingToStart.
    """
    now = clock.now_ms()
    with store.write(urgent=True) as connection:
        chosen = _choose(connection, shop_id, wish, start_rows.load(connection, shop_id, skus=skus), now)
        if not chosen:
            raise NothingToStart
        targets = _rehearse(connection, shop_id, chosen)
        rows = [_row(each, targets[each.listing.sku_id], now) for each in chosen if each.listing.sku_id in targets]
        plan_id = replace_proposed(connection, KIND, shop_id, actor, "")
        stakes.keep(connection, shop_id, [row | {"plan_id": plan_id} for row in rows])
        given = {"id": plan_id, "payload": _payload(wish, chosen, now)}
        connection.execute(text("UPDATE plan SET payload = :payload WHERE id = :id"), given)
        warning = approval.weigh(connection, plan_id)
    return Proposed(plan_id, len(rows), warning)


def _choose(connection: Connection, shop_id: str, wish: Wish, listings: Sequence[Unsettled], now: int) -> list[Chosen]:
    left_out = start_rows.left_out(connection, shop_id, listings, now) if wish.leaves_out else {}
    return choose(listings, wish, left_out, several_places=places.several(connection), now=now)


def _rehearse(connection: Connection, shop_id: str, chosen: Sequence[Chosen]) -> dict[str, int]:
    """What TikTok will show of each listing, found by booking everything and taking it back."""
    trial = connection.begin_nested()
    try:
        _book(connection, shop_id, 0, chosen, "rehearsal")
        query = text("SELECT sku_id, target FROM listing WHERE shop_id = :shop AND target IS NOT NULL")
        return {row.sku_id: row.target for row in connection.execute(query, {"shop": shop_id})}
    finally:
        trial.rollback()


def _row(chosen: Chosen, target: int, now: int) -> dict[str, object]:
    listing, begin = chosen.listing, chosen.begin
    return {
        "entity": listing.sku_id, "field": "available", "old": str(listing.available), "read_at": now,
        "new": str(target), "rule": starting.rule(listing, begin), "state": "proposed", "result": "",
    }  # fmt: skip


def _payload(wish: Wish, chosen: Sequence[Chosen], now: int) -> str:
    return json.dumps(
        {
            "leaves_out": wish.leaves_out,
            "at": now,
            "rows": {each.listing.sku_id: [each.begin.choice.value, _added(each.begin), wish.entered.get(
                each.listing.sku_id)] for each in chosen},
        }
    )  # fmt: skip


def _added(begin: Begin) -> int:
    return sum(begin.changes.values())


def last_answer(connection: Connection, shop_id: str) -> bool:
    """What the owner last said of a shop: whether their count leaves out what is ordered; the lower answer at first."""
    query = text("SELECT payload FROM plan WHERE kind = :kind AND shop_id = :shop ORDER BY id DESC LIMIT 1")
    payload = connection.execute(query, {"kind": KIND, "shop": shop_id}).scalar()
    return bool(payload and json.loads(payload).get("leaves_out"))


def run(shop: ShopContext, plan_id: int, running: Running) -> None:
    """Book where the approved listings start, in one transaction, then send their numbers and read them back.

    A row whose stock or number moved since it was reviewed goes back to review. Raises TikTokError and StoreProblem.
    """
    run_id = running.record()
    with shop.store.write(urgent=True) as connection:
        due, total = _begin(connection, shop.shop_id, plan_id)
        connection.execute(_BEGUN, {"id": plan_id, "run": run_id})
    booked, left = len(due), total - len(due)
    running.counts["given a start"] = booked
    try:
        plans.send(shop, plan_id, running, due, total=total, before=left)
    finally:
        plans.finish(shop.store, plan_id, running, len(due))
    many = "listing" if booked == 1 else "listings"
    running.sentence = f"{booked} {many} given a start. {running.sentence}"
    if left:
        running.sentence += f" {left} moved meanwhile and came back to review."


_BEGUN = text("UPDATE plan SET state = 'running', run_id = :run WHERE id = :id")
_DUE = text("SELECT entity, old, new, read_at FROM plan_row WHERE plan_id = :id AND state = 'proposed'")
_BACK = text("UPDATE plan_row SET state = 'review', result = :why WHERE plan_id = :id AND entity = :sku")


def _begin(connection: Connection, shop_id: str, plan_id: int) -> tuple[dict[str, Approval], int]:
    """Book the rows that still stand. Returns what is to be sent of them, and how many rows there were."""
    wished = json.loads(
        connection.execute(text("SELECT payload FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
    )
    rows = {row.entity: row for row in connection.execute(_DUE, {"id": plan_id})}
    wish = _wish_of(wished, rows)
    listings = start_rows.load(connection, shop_id, skus=rows, settled=True)
    now = {each.listing.sku_id: each for each in _choose(connection, shop_id, wish, listings, wished["at"])}
    good = [now[sku] for sku in rows if sku in now and _stands(now[sku], wished["rows"][sku])]
    moved = [{"id": plan_id, "sku": sku, "why": _MOVED} for sku in rows.keys() - {each.listing.sku_id for each in good}]
    if moved:
        connection.execute(_BACK, moved)
    if good:
        _book(connection, shop_id, plan_id, good, "owner")
    due = (rows[each.listing.sku_id] for each in good)
    return {row.entity: Approval(int(row.old), int(row.new), row.read_at) for row in due}, len(rows)


def _wish_of(payload: Mapping[str, Any], skus: Collection[str]) -> Wish:
    """The choices of a plan again, listing by listing."""
    rows = {sku: payload["rows"][sku] for sku in skus}
    return Wish(
        entered={sku: units for sku, (_, _, units) in rows.items() if units is not None},
        leaves_out=payload["leaves_out"],
        listings={sku: Choice(choice) for sku, (choice, _, _) in rows.items()},
    )


def _stands(chosen: Chosen, planned: Sequence[Any]) -> bool:
    """Whether booking the choice now adds what was reviewed.

    Orders that come and go in between move both sides alike; a number typed anywhere does not.
    """
    return bool(_added(chosen.begin) == planned[1])


def again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    """A fresh plan for listings of an old one, with the same choices. Raises NothingToStart."""
    with store.read() as connection:
        query = text("SELECT shop_id, payload FROM plan WHERE id = :id")
        plan = connection.execute(query, {"id": plan_id}).one()
    payload = json.loads(plan.payload)
    skus = [sku for sku in entities if sku in payload["rows"]]
    return propose(store, plan.shop_id, _wish_of(payload, skus), skus=skus, actor=actor)


_COUNTED = text("UPDATE item SET counted_at = :at WHERE id = :item")


def _book(connection: Connection, shop_id: str, plan_id: int, chosen: Sequence[Chosen], actor: str) -> None:
    """Write each item's start into the ledger, also where it changes nothing, and take over what was decided."""
    now = clock.now_ms()
    changes: dict[Spot, int] = {}
    for each in chosen:
        changes |= each.begin.changes
    items = {piece.item_id for each in chosen for piece in each.listing.pieces}
    changes |= dict.fromkeys(((item, STORE) for item in items - {item for item, _ in changes}), 0)
    ledger.write(
        connection,
        [{"item_id": item, "location_id": place, "on_hand": units, "reason": start_rows.REASON, "origin": "owner",
          "actor": actor, "reference": f"plan:{plan_id}", "at": now} for (item, place), units in changes.items()],
    )  # fmt: skip
    counted = [
        {"item": piece.item_id, "at": each.begin.counted_at}
        for each in chosen if each.begin.counted_at is not None for piece in each.listing.pieces
    ]  # fmt: skip
    if counted:
        connection.execute(_COUNTED, counted)
    for each in chosen:
        if each.begin.choice is Choice.THEIRS:
            decisions.take_over(connection, shop_id, each.listing.sku_id)
    outbox.mark_items(connection, items, _REASON)
