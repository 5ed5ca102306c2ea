"""Poll orders: a fixed window, page by page, resumable at every page; the cursor moves only after the last one."""

import math
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, select

from core import clock
from core.store.tables import Cursor, Order, ScanWindow
from core.store.upsert import table, upsert
from core.sync import runs
from core.sync.context import Scan, ShopContext
from core.sync.ingest import Ingested, ingest
from core.sync.runs import Running
from core.tiktok.errors import BadAnswer, Refused, Stopped
from core.tiktok.models import OrderPage

OVERLAP = 600  # seconds read again at each poll, for orders that become visible late
DEEP = 30 * 24 * 3600
FIRST_WINDOWS = 24
WORKERS = 8
FEW = 200  # up to so many orders are read in one window
_TRIES = 3
_ORDER = table(Order)
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


def poll(shop: ShopContext, running: Running, *, deep: bool = False) -> Ingested:
    """Read every order changed since the last complete scan; the first time all there are, in parallel windows.

    An interrupted scan goes on where its last stored page ended, and what came since is read after it. A `deep` one
    reads a month again, for whatever TikTok showed too late for the overlap. Raises TikTokError and StoreProblem;
    what was stored until then stays stored.
    """
    total = Ingested()
    with shop.scanning:
        _resume(shop, running, total)
        began_at = clock.now_ms()
        with shop.store.read() as connection:
            cursor = _cursor(connection, shop.shop_id)
        if cursor is None:
            _import(shop, running, total)
        else:
            since = cursor - (DEEP if deep else OVERLAP)
            _scan(shop, _Window(0, since, shop.server_now() + 1), running, total)
        shop.scanned = Scan(began_at, clock.now_ms())
    return total


def catch_up(shop: ShopContext) -> bool:
    """Read the orders now, unless somebody does already. Raises TikTokError and StoreProblem."""
    if shop.scanning.locked():
        return False
    with runs.run(shop.store, "sync orders", shop.shop_id, "change", quiet=True) as running:
        poll(shop, running)
        running.sentence = runs.sentence(running)
    return True


def _resume(shop: ShopContext, running: Running, total: Ingested) -> None:
    with shop.store.read() as connection:
        windows = _open_windows(connection, shop.shop_id)
    if len(windows) == 1:
        _scan(shop, windows[0], running, total)
    elif windows:
        _scan_all(shop, windows, running, total)


def _scan_all(shop: ShopContext, windows: Sequence[_Window], running: Running, total: Ingested) -> None:
    """Read several windows at once; one thread stores their pages, while the next ones are on their way."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="orders") as pool:
        idle = [window for window in windows if not window.done]
        asked: dict[Future[OrderPage], _Window] = {}
        _ask(pool, shop, idle, asked)
        try:
            while asked:
                for job in wait(asked, return_when=FIRST_COMPLETED).done:
                    window, page = asked.pop(job), job.result()
                    _heed(shop, running)
                    _take(window, page, alone=False)
                    read = replace(window)  # as of this page: the window itself goes on meanwhile
                    idle += [] if window.done else [window]
                    _ask(pool, shop, idle, asked)
                    _store(shop, read, page, running, total, alone=False)
        finally:
            pool.shutdown(cancel_futures=True)
    _close(shop, windows)


def _ask(
    pool: ThreadPoolExecutor, shop: ShopContext, idle: list[_Window], asked: dict[Future[OrderPage], _Window]
) -> None:
    """Keep every worker busy, with the longest windows first so that none is left over at the end."""
    idle.sort(key=lambda window: window.total - window.seen if window.total >= 0 else math.inf)
    while idle and len(asked) < WORKERS:
        window = idle.pop()
        asked[pool.submit(_page, shop, window)] = window


def _import(shop: ShopContext, running: Running, total: Ingested) -> None:
    """Read all of the shop's history, cut into windows of equal time from its oldest change on.

    A shop that shows no order keeps no cursor: an empty page is no proof that there is nothing.
    """
    end = shop.server_now() + 1
    page = shop.api.order_page(None, end, page_size=1)
    if not (page.orders or page.unreadable):
        return
    orders_in_all = page.total_count or 0
    running.progress(0, orders_in_all)
    start = page.orders[0].update_time if page.orders else 0
    count = 1 if orders_in_all <= FEW or not page.orders else FIRST_WINDOWS
    step = max(1, -(-(end - start) // count))
    windows = [_Window(n, start + n * step, min(end, start + (n + 1) * step)) for n in range(count)]
    windows = [window for window in windows if window.ge < window.lt]
    if len(windows) == 1:
        _scan(shop, windows[0], running, total)
        return
    with shop.store.write() as connection:
        upsert(connection, ScanWindow, [_row(shop, window) for window in windows])
    _scan_all(shop, windows, running, total)


def _scan(shop: ShopContext, window: _Window, running: Running, total: Ingested) -> None:
    while not window.done:
        _heed(shop, running)
        page = _page(shop, window)
        _take(window, page, alone=True)
        if window.done and not _changes(shop, page):
            if _stored_window(shop, window):
                _close(shop, [window])
            total.unchanged += len(page.orders)
            return
        _store(shop, window, page, running, total, alone=True)


def _heed(shop: ShopContext, running: Running) -> None:
    if shop.stop.is_set() or running.stop.is_set():
        raise Stopped("Stopped. What was read so far is kept, and the next sync goes on from there.")


def _page(shop: ShopContext, window: _Window) -> OrderPage:
    try:
        page = shop.api.order_page(window.ge, window.lt, window.page_token)
    except Refused:
        if not window.page_token or window.tries >= _TRIES:
            raise
        # A page token that is no longer accepted: the window starts again, which changes nothing twice.
        window.page_token, window.seen, window.total = "", 0, -1
        window.tries += 1
        page = shop.api.order_page(window.ge, window.lt, "")
    if page.next_page_token and (page.next_page_token == window.page_token or not (page.orders or page.unreadable)):
        raise BadAnswer(
            "TikTok's list of orders leads nowhere: a page names itself, or holds nothing, as if more were to come.",
            "Sync again. If it happens again, report the time to TikTok.",
        )
    return page


def _take(window: _Window, page: OrderPage, *, alone: bool) -> None:
    """Move the window on behind this page, or back to its start when what it showed is in doubt."""
    window.seen += len(page.orders) + len(page.unreadable)
    window.newest = max([window.newest, *(order.update_time for order in page.orders)])
    if window.total < 0:
        window.total = page.total_count if page.total_count is not None else -1
    window.page_token = page.next_page_token
    window.done = not page.next_page_token
    if _doubtful(window, page, alone=alone):
        window.tries += 1
        window.page_token, window.seen, window.total, window.done = "", 0, -1, False


def _doubtful(window: _Window, page: OrderPage, *, alone: bool) -> bool:
    """Whether the window must be read again.

    Orders that left it while it was read may have let a row slip between two pages; and a part of the history that
    shows nothing at all is asked for once more before it is believed.
    """
    if not window.done or window.tries >= _TRIES:
        return False
    if not window.seen:
        return not alone and window.tries == 0
    return page.total_count is not None and (page.total_count != window.total or window.seen < page.total_count)


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
    rows = connection.execute(select(_ORDER.c.id, _ORDER.c.digest).where(_ORDER.c.id.in_(ids)))
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
    if running.id is not None and not alone and running.may_tell():
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
