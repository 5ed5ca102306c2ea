"""A real process that works on a store until it is killed; started and killed by test_kills.

Reads lines from its standard input. "work SECONDS" forks a process that works without end, on a clock that many
seconds ahead, and says its number; when that process is gone, however it went, "gone" is said. It says "sold" after
each sale of its own, so that a busy machine does not make its lives idle. The imports are done once, so that a hundred
lives do not cost a hundred starts of Python.
"""

import logging
import os
import sys
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from core import clock
from core.practice import CREDENTIALS
from core.store.engine import Store, open_store
from core.store.vault import Vault
from core.sync import ledger, outbox, push, runs
from core.sync.context import ShopContext
from core.sync.cycle import cycle
from core.sync.signin import KeptTokens, load_shops
from core.tiktok.api import ShopApi
from core.tiktok.auth import App
from core.tiktok.errors import TikTokError
from core.tiktok.transport import Transport

KEY = bytes(range(32))


def work(folder: Path, base: str) -> None:
    """Start as the program does, then read, sell and send for ever."""
    store = open_store(f"sqlite:///{(folder / 'evenstock.db').as_posix()}")
    vault = Vault(store, KEY)
    app = App(CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, base, base)
    transport = Transport(app, KeptTokens(vault, "practice", folder), read_seconds=1.0)
    row, info = load_shops(store, vault)[0]
    shop = ShopContext(
        row.id, row.name, row.currency, ZoneInfo(row.timezone), ShopApi(transport, info), store, b"salt", True,
        threading.Event(),
    )  # fmt: skip
    runs.close_interrupted(store)
    outbox.release_all(store)
    while True:
        try:
            cycle(shop, "all", "timer")
            sell_one(store)
            os.write(1, b"sold\n")
            with runs.run(store, "push", shop.shop_id, "change", quiet=True) as running:
                while push.drain(shop, "loop", running).results:
                    pass
        except TikTokError as error:
            sys.stderr.write(f"{error}\n")


def sell_one(store: Store) -> None:
    """A sale at the counter of whatever there is most of."""
    with store.read() as connection:
        best = connection.execute(
            text("SELECT item.sku FROM item JOIN level ON level.item_id = item.id ORDER BY on_hand - reserved DESC")
        ).scalar()
    ledger.record_sale(store, best, 1, actor="counter")


def main(folder: Path, base: str) -> None:
    for line in sys.stdin:
        ahead = float(line.split()[1])
        number = os.fork()
        if number == 0:
            clock._wall = lambda ahead=ahead: time.time() + ahead  # type: ignore[misc]
            logging.getLogger("evenstock").setLevel(logging.CRITICAL)
            work(folder, base)
        print(number, flush=True)
        os.waitpid(number, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
