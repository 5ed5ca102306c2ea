"""Webhooks: stored before they are answered, worked on afterwards, and only ever a hint to read the thing itself."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, text

from core import clock
from core.store.engine import Store
from core.store.tables import Hook
from core.store.upsert import table
from core.sync import outbox
from core.sync.context import ShopContext
from core.sync.ingest import Ingested, ingest
from core.tiktok.errors import NeedsPerson
from core.tiktok.models import Order
from core.tiktok.webhooks import CANCELLATION, ORDER_STATUS, PACKAGE, STOCK_CHANGED, Event

_HOOK = table(Hook)
_BATCH = 50


def keep(store: Store, event: Event) -> bool:
    """Store an event whose signature was verified; False when it was here before. Durable when it returns."""
    with store.write(urgent=True) as connection:
        if connection.execute(select(_HOOK.c.id).where(_HOOK.c.id == event.notification_id)).first():
            return False
        connection.execute(
            insert(_HOOK).values(
                id=event.notification_id, type=event.type, shop_id=event.shop_id or "",
                body=f"{event.order_id or ''}|{event.sku_id or ''}|{','.join(event.sources)}",
                received_at=clock.now_ms(), state="new", note="echo" if event.is_echo else "",
            )
        )  # fmt: skip
    return True


def work(shop: ShopContext, *, only_shop: bool) -> Ingested:
    """Work off what is stored: read the orders and listings that the events name. Raises TikTokError.

    Events without a shop belong to this one when it is the only shop. The cursor of the poll is never touched here.
    """
    query = select(_HOOK).where(_HOOK.c.state == "new").order_by(_HOOK.c.received_at).limit(_BATCH)
    mine = [shop.shop_id, ""] if only_shop else [shop.shop_id]
    total = Ingested()
    while not shop.stop.is_set():
        with shop.store.read() as connection:
            events = connection.execute(query.where(_HOOK.c.shop_id.in_(mine))).mappings().all()
        if not events:
            break
        subjects = [f"{event['body']}||".split("|") for event in events]
        wanted = [
            order
            for event, (order, *_) in zip(events, subjects, strict=True)
            if order and event["type"] in (ORDER_STATUS, PACKAGE, CANCELLATION)
        ]
        skus = [
            sku
            for event, (_, sku, *_) in zip(events, subjects, strict=True)
            if sku and event["type"] == STOCK_CHANGED and event["note"] != "echo"
        ]
        orders, note = _read(shop, wanted)
        with shop.store.write() as connection:
            found = ingest(connection, shop, orders, "webhook")
            _look_at(connection, shop, skus)
            _done(connection, [event["id"] for event in events], note)
        total.new += found.new
        total.changed += found.changed
    return total


def _look_at(connection: Connection, shop: ShopContext, skus: Sequence[str]) -> None:
    for sku_id in dict.fromkeys(skus):
        outbox.look_again(connection, shop.shop_id, sku_id, clock.now_ms(), "TikTok told of a change of stock")


def _read(shop: ShopContext, order_ids: Sequence[str]) -> tuple[Sequence[Order], str]:
    """The orders that TikTok will show. A refused hint must not hold up the others: the poll finds what there is."""
    try:
        return (shop.api.orders(dict.fromkeys(order_ids)) if order_ids else ()), ""
    except NeedsPerson as error:
        return (), error.sentence


def _done(connection: Connection, ids: Sequence[str], note: str) -> None:
    rows = [{"id": id_, "note": note} for id_ in ids]
    connection.execute(text("UPDATE hook SET state = 'done', note = :note WHERE id = :id"), rows)


def forget_old(connection: Connection, before_ms: int) -> None:
    """Drop events that arrived before this moment, worked off or of a shop that is not connected."""
    connection.execute(text("DELETE FROM hook WHERE received_at < :at"), {"at": before_ms})
