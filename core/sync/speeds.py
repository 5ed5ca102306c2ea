"""How fast each item sells on each channel and how late the others know: read, made into shares, and kept."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text

from core import clock
from core.settings import settings
from core.store import choices as owner
from core.store.engine import Store
from core.store.queries import health
from core.store.queries import speeds as sold
from core.store.queries.speeds import SoldRow
from core.sync import aims, locks, outbox, rules, split
from core.sync.context import ShopContext
from core.sync.split import OWN, Channel, Division, Key, Sales

EVERY_MS = 600_000
FEW = 20  # with fewer measured cases a delay is assumed
_WEEK_MS = 7 * 24 * 3600 * 1000
_LONGEST = 24 * 3600.0
_BY_HAND = 3600.0  # how often somebody who syncs by hand is taken to do so
_PUSH_SECONDS = 5.0
_AT_ONCE = 300  # items a transaction
_OFF_SALE = frozenset({"DRAFT", "PENDING", "FAILED", "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE", "DELETED"})
_WHY = "the last units are divided anew"


@dataclass(frozen=True, slots=True)
class Delays:
    """Of one shop: seconds until a sale there is known here, and until a change of ours shows there.

    95 of 100 take no longer; what was measured too seldom is assumed.
    """

    notice: float
    push: float
    notice_measured: bool
    push_measured: bool


@dataclass(frozen=True, slots=True)
class Change:
    """An item whose last units are to be divided differently than they are."""

    item_id: int
    division: Division
    before: int
    links: tuple[tuple[Key, int, int], ...]


def refresh(store: Store, *, item_ids: Collection[int] | None = None) -> int:
    """Divide the last units of all items anew, or of these, by what sells now; returns how many items changed.

    The long reading happens outside of any transaction that writes. Only what differs is written, and the listings
    that may have to show another number are marked. Raises StoreProblem.
    """
    with store.read() as connection:
        changes = _changes(connection, item_ids)
    for start in range(0, len(changes), _AT_ONCE):
        with store.write() as connection:
            _keep(connection, changes[start : start + _AT_ONCE])
    return len(changes)


def divide(connection: Connection, item_ids: Collection[int] | None = None) -> set[int]:
    """The same in a transaction of the caller's, for a rule that changes who takes part.

    Returns the items that changed; marking them is left to the caller.
    """
    changes = _changes(connection, item_ids)
    if changes:
        _write(connection, changes)
    return {change.item_id for change in changes}


def keep_up(shop: ShopContext) -> None:
    """`refresh` every ten minutes, and at once what was sold within the hour, so that a peak counts while it lasts."""
    now = clock.now_ms()
    if now - shop.divided_at >= EVERY_MS:
        refresh(shop.store)
        shop.divided_at = now
        return
    with shop.store.read() as connection:
        items = sold.of_last_hour(connection, clock.now())
    if items:
        refresh(shop.store, item_ids=items)


def delays(connection: Connection) -> dict[str, Delays]:
    """How late each shop tells and is told; see `Delays`."""
    shops = connection.execute(text("SELECT id, connected_at FROM shop")).all()
    interval = _interval(connection)
    return {shop.id: _delays(connection, shop.id, shop.connected_at, interval) for shop in shops}


def channels(
    rows: Sequence[SoldRow], known: Mapping[str, Delays], off: Collection[tuple[str, str, int]]
) -> list[Channel]:
    """The channels among which the last units of one item are divided; `rows` are its listings. Pure.

    A listing that cannot be sold from, whose number TikTok lets nobody set, or that the owner left out has no part.
    """
    first = rows[0]
    sales = {OWN: (Sales(first.own_month, first.own_day, first.own_hour, _step(first.own_day, first.own_sales)), 1)}
    for row in rows:
        if (row.shop_id, row.sku_id, row.item_id) not in off and for_sale(row):
            sales[row.shop_id, row.sku_id] = (_sales(row), row.quantity)
    notice = {
        key: known[key[0]].notice if key != OWN else 0.0 for key, (each, _) in sales.items() if each.most > 0
    }  # fmt: skip
    return [
        Channel(key, each, delay(key, notice, known), quantity) for key, (each, quantity) in sales.items()
    ]  # fmt: skip


def delay(key: Key, notice: Mapping[Key, float], known: Mapping[str, Delays]) -> float:
    """For how many seconds a sale elsewhere stays unknown to a channel, a day at most."""
    push = 0.0 if key == OWN else known[key[0]].push
    return min(_LONGEST, split.delay(key, notice, push))


def for_sale(row: SoldRow) -> bool:
    """Whether buyers can take units from a listing, and we can say how many."""
    return not row.gone and row.status not in _OFF_SALE and row.refused_code not in locks.CODES


def left_out(connection: Connection, item_ids: Collection[int] | None) -> set[tuple[str, str, int]]:
    """The links that the owner's rules keep out of the split."""
    any_rule = text("SELECT 1 FROM rule WHERE split = :no LIMIT 1")
    if connection.execute(any_rule, {"no": False}).first() is None:
        return set()
    return rules.split_off(connection, item_ids)


def _sales(row: SoldRow) -> Sales:
    per = row.quantity
    return Sales(row.month * per, row.day * per, row.hour * per, per * _step(row.day, row.orders))


def _step(units: int, sales: int) -> int:
    return max(1, -(-units // sales)) if sales else 1


def _interval(connection: Connection) -> float:
    fixed = settings().tiktok_shop_sync_interval
    seconds = owner.load(connection).sync_minutes * 60 if fixed is None else fixed
    return float(seconds) or _BY_HAND


def _delays(connection: Connection, shop_id: str, connected_at: int, interval: float) -> Delays:
    since = clock.now_ms() - _WEEK_MS
    told = health.delay_in(connection, shop_id, connected_at, since)
    shown = health.delay_out(connection, shop_id, since)
    heard, sent = bool(told and told.samples >= FEW), bool(shown and shown.samples >= FEW)
    notice = told.p95_ms / 1000 if told and heard else interval
    push = shown.p95_ms / 1000 if shown and sent else _PUSH_SECONDS
    return Delays(notice, push, heard, sent)


def _changes(connection: Connection, item_ids: Collection[int] | None) -> list[Change]:
    rows = sold.rows(connection, clock.now(), item_ids)
    known, off = delays(connection), left_out(connection, item_ids)
    return [change for item in _by_item(rows) for change in _change(item, known, off)]


def _by_item(rows: Iterable[SoldRow]) -> Iterator[list[SoldRow]]:
    return (list(found) for _, found in groupby(rows, key=lambda row: row.item_id))


def _change(
    rows: Sequence[SoldRow], known: Mapping[str, Delays], off: Collection[tuple[str, str, int]]
) -> Iterator[Change]:
    division = split.divide(channels(rows, known, off))
    wanted = [((row.shop_id, row.sku_id), *_shares(row, division, off)) for row in rows]
    links = tuple(
        new for row, new in zip(rows, wanted, strict=True) if new[1:] != (row.split_from, row.split_to)
    )  # fmt: skip
    first = rows[0]
    if links or (division.at, division.total) != (first.split_at, first.split_total):
        yield Change(first.item_id, division, first.split_at, links)


def _shares(row: SoldRow, division: Division, off: Collection[tuple[str, str, int]]) -> tuple[int, int]:
    if (row.shop_id, row.sku_id, row.item_id) in off:
        return 0, division.total
    return division.of((row.shop_id, row.sku_id))


_ITEM = text("UPDATE item SET split_at = :at, split_total = :total WHERE id = :item")
_LINK = text("""
UPDATE link SET split_from = :start, split_to = :stop WHERE shop_id = :shop AND sku_id = :sku AND item_id = :item
""")
_FREE = text("SELECT coalesce(sum(on_hand - reserved), 0) AS free FROM level WHERE item_id = :item")


def _keep(connection: Connection, changes: Sequence[Change]) -> None:
    _write(connection, changes)
    scarce = [
        each.item_id for each in changes
        if 0 < connection.execute(_FREE, {"item": each.item_id}).scalar_one() <= max(each.before, each.division.at)
    ]  # fmt: skip
    aims.of_items(connection, {each.item_id for each in changes} - set(scarce))
    outbox.mark_items(connection, scarce, _WHY)


def _write(connection: Connection, changes: Sequence[Change]) -> None:
    items = [{"item": each.item_id, "at": each.division.at, "total": each.division.total} for each in changes]
    connection.execute(_ITEM, items)
    links = [
        {"shop": shop, "sku": sku, "item": each.item_id, "start": start, "stop": stop}
        for each in changes for (shop, sku), start, stop in each.links
    ]  # fmt: skip
    if links:
        connection.execute(_LINK, links)
