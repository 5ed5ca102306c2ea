"""Poll orders: a fixed window, page by page, resumable at every page; the cursor moves only after the last one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from core import clock
from core.store.tables import Cursor, ScanWindow
from core.store.upsert import table, upsert
from core.sync.context import ShopContext
from core.sync.ingest import Ingested, ingest
from core.sync.runs import Running
from core.tiktok.errors import Refused, Stopped
from core.tiktok.models import OrderPage

OVERLAP = 600  # seconds read again at each poll, for orders that become visible late
FIRST_WINDOWS = 12
WORKERS = 6
_TRIES = 3
_CURSOR = table(Cursor)
_WINDOW = table(ScanWindow)


def source(shop_id: str) -> str:
    """The name under which the reading of a shop's orders is remembered."""
    return f"orders:{shop_id}"


@dataclass
class _Window:
    number: int
    ge: int
    lt: int
    page_token: str = ""
    seen: int = 0
    total: int = -1
    tries: int = 0
    newest: int = 0
    done: bool = False


def poll(shop: ShopContext, running: Running) -> Ingested:
    """Read every order changed since the last complete scan; the first time all there are, in parallel windows.

    An interrupted scan goes on where its last stored page ended. Raises TikTokError and StoreProblem; what was stored
    until then stays stored.
    """
    with shop.store.read() as connection:
        cursor = _cursor(connection, shop.shop_id)
        windows = _open_windows(connection, shop.shop_id)
    total = Ingested()
    if not windows:
        if cursor is None:
            windows = _first_windows(shop, running, total)
        else:
            windows = [_Window(0, cursor - OVERLAP, shop.server_now() + 1)]
    if len(windows) == 1:
        _scan(shop, windows[0], running, total, alone=True)
    elif windows:
        _scan_all(shop, [window for window in windows if not window.done], running, total)
    with shop.store.read() as connection:
        remaining = _open_windows(connection, shop.shop_id)
    if remaining and all(window.done for window in remaining):
        _close(shop, remaining)
    return total


def _scan_all(shop: ShopContext, windows: Sequence[_Window], running: Running, total: Ingested) -> None:
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="orders") as pool:
        jobs = [pool.submit(_scan, shop, window, running, total, alone=False) for window in windows]
        for job in jobs:
            job.result()


def _first_windows(shop: ShopContext, running: Running, total: Ingested) -> list[_Window]:
    """Cut all of the shop's history into windows of equal time, from its oldest change on."""
    end = shop.server_now() + 1
    page = shop.api.order_page(None, end, page_size=1)
    if not page.orders:
        with shop.store.write() as connection:
            _move_cursor(connection, shop.shop_id, end - 1)
        return []
    running.progress(0, page.total_count or 0)
    start = page.orders[0].update_time
    few = (page.total_count or 0) <= 200
    count = 1 if few else FIRST_WINDOWS
    step = max(1, -(-(end - start) // count))
    windows = [_Window(n, start + n * step, min(end, start + (n + 1) * step)) for n in range(count)]
    windows = [window for window in windows if window.ge < window.lt]
    if len(windows) > 1:
        with shop.store.write() as connection:
            upsert(connection, ScanWindow, [_row(shop, window) for window in windows])
    return windows


def _scan(shop: ShopContext, window: _Window, running: Running, total: Ingested, *, alone: bool) -> None:
    while not window.done:
        if shop.stop.is_set() or running.stop.is_set():
            raise Stopped("Stopped. What was read so far is kept, and the next sync goes on from there.")
        page = _page(shop, window)
        _advance(window, page)
        if _shifted(window, page):
            window.tries += 1
            window.page_token, window.seen, window.total, window.done = "", 0, -1, False
        if alone and window.done and not _changes(shop, page):
            if _stored_window(shop, window):
                _close(shop, [window])
            total.unchanged += len(page.orders)
            return
        _store(shop, window, page, running, total, alone=alone)


def _page(shop: ShopContext, window: _Window) -> OrderPage:
    try:
        return shop.api.order_page(window.ge, window.lt, window.page_token)
    except Refused:
        if not window.page_token or window.tries >= _TRIES:
            raise
        # A page token that is no longer accepted: the window starts again, which changes nothing twice.
        window.page_token, window.seen, window.total = "", 0, -1
        window.tries += 1
        return shop.api.order_page(window.ge, window.lt, "")


def _advance(window: _Window, page: OrderPage) -> None:
    window.seen += len(page.orders) + len(page.unreadable)
    window.newest = max([window.newest, *(order.update_time for order in page.orders)])
    if window.total < 0:
        window.total = page.total_count if page.total_count is not None else -1
    window.page_token = page.next_page_token
    window.done = not page.next_page_token


def _shifted(window: _Window, page: OrderPage) -> bool:
    """Whether orders left the window while it was read, so that a row may have slipped between two pages."""
    if not window.done or page.total_count is None or window.tries >= _TRIES:
        return False
    return page.total_count != window.total or window.seen < page.total_count


def _changes(shop: ShopContext, page: OrderPage) -> bool:
    """Whether anything on the page is new to us; an unchanged page costs one read and no write."""
    if page.unreadable:
        return True
    with shop.store.read() as connection:
        known = _digests(connection, [order.id for order in page.orders])
        cursor = _cursor(connection, shop.shop_id)
    newest = max((order.update_time for order in page.orders), default=0)
    return newest > (cursor or 0) or any(known.get(order.id) != order.digest for order in page.orders)


def _digests(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    from core.store.tables import Order

    orders = table(Order)
    rows = connection.execute(select(orders.c.id, orders.c.digest).where(orders.c.id.in_(ids)))
    return {row.id: row.digest for row in rows}


def _store(
    shop: ShopContext, window: _Window, page: OrderPage, running: Running, total: Ingested, *, alone: bool
) -> None:
    with shop.store.write() as connection:
        found = ingest(connection, shop, page.orders, "poll", page.unreadable)
        if alone and window.done:
            connection.execute(delete(_WINDOW).where(_WINDOW.c.source == source(shop.shop_id)))
            _move_cursor(connection, shop.shop_id, window.newest)
        else:
            upsert(connection, ScanWindow, [_row(shop, window)])
        for name in ("new", "changed", "unchanged", "unreadable", "movements"):
            setattr(total, name, getattr(total, name) + getattr(found, name))
        for name in ("new", "changed", "unreadable"):
            running.counts[name] += getattr(found, name)
        done = total.new + total.changed + total.unchanged
    if running.id is not None and not alone:
        running.progress(done, max(done, running_total(shop)))


def running_total(shop: ShopContext) -> int:
    """Orders announced by the windows of the scan that is under way."""
    with shop.store.read() as connection:
        return sum(max(0, window.total) for window in _open_windows(connection, shop.shop_id))


def _close(shop: ShopContext, windows: Sequence[_Window]) -> None:
    with shop.store.write() as connection:
        connection.execute(delete(_WINDOW).where(_WINDOW.c.source == source(shop.shop_id)))
        newest = max((window.newest for window in windows), default=0)
        if newest:
            _move_cursor(connection, shop.shop_id, newest)


def _stored_window(shop: ShopContext, window: _Window) -> bool:
    with shop.store.read() as connection:
        return any(other.number == window.number for other in _open_windows(connection, shop.shop_id))


def _cursor(connection: Connection, shop_id: str) -> int | None:
    value = connection.execute(select(_CURSOR.c.value).where(_CURSOR.c.source == source(shop_id))).scalar()
    return None if value is None else int(value)


def _move_cursor(connection: Connection, shop_id: str, value: int) -> None:
    if value > (_cursor(connection, shop_id) or 0):
        upsert(connection, Cursor, [{"source": source(shop_id), "value": value, "moved_at": clock.now_ms()}])


def _open_windows(connection: Connection, shop_id: str) -> list[_Window]:
    rows = connection.execute(select(_WINDOW).where(_WINDOW.c.source == source(shop_id)).order_by(_WINDOW.c.number))
    return [_Window(**{name: row[name] for name in _Window.__dataclass_fields__}) for row in rows.mappings()]


def _row(shop: ShopContext, window: _Window) -> dict[str, object]:
    return {"source": source(shop.shop_id)} | vars(window)
