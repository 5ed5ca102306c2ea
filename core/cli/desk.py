"""Opening the desk for one command: to read it beside a running dashboard, or to work on it alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from core import desks
from core.cli.out import WRONG_USE, Problem
from core.lock import ProcessLock
from core.runtime import Runtime
from core.settings import Choices, Settings, settings
from core.store import choices as owner
from core.store.engine import Store, open_store
from core.store.vault import Vault, vault_key
from core.sync import outbox
from core.sync.context import ShopContext

BUSY = Problem(
    "Evenstock is already running on this data folder, and only that one may change things.",
    "Use its dashboard for this, or close it and run the command again.",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """The desk as another process can see it: everything stored, nothing sent."""

    settings: Settings
    desk: str
    store: Store
    vault: Vault
    runtime: Runtime | None = None

    @property
    def practice(self) -> bool:
        """Whether this is the practice shop's desk."""
        return self.desk == desks.PRACTICE

    def choices(self) -> Choices:
        """What the owner chose."""
        with self.store.read() as connection:
            return owner.load(connection)


def store_file(given: Settings) -> Path | None:
    """The file of the store in use; None when it is no SQLite file."""
    address = make_url(desks.store_url(given, desks.in_use(given)))
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def is_taken(given: Settings) -> bool:
    """Whether another process owns the jobs at this moment."""
    folder = given.evenstock_data_dir
    if not (folder / "instance.lock").exists():
        return False
    lock = ProcessLock(folder / "instance.lock")
    free = lock.acquire()
    lock.release()
    return not free


@contextmanager
def reading() -> Iterator[Reader]:
    """The desk for reading; on a new data folder the practice shop is set up first. Raises StoreProblem."""
    given = settings()
    file = store_file(given)
    if file is not None and not file.exists():
        with working():
            pass
    desk = desks.in_use(given)
    store = open_store(desks.store_url(given, desk))
    try:
        yield Reader(given, desk, store, Vault(store, vault_key(given)))
    finally:
        store.close()


@contextmanager
def working() -> Iterator[Runtime]:
    """The desk for changing things, without its loop. Raises Problem while another process owns it, StoreProblem."""
    runtime = Runtime(settings())
    runtime.start(loop=False)
    try:
        if not runtime.owner:
            raise BUSY
        outbox.release_all(runtime.store)
        yield runtime
    finally:
        runtime.stop()


@contextmanager
def at_hand() -> Iterator[Reader]:
    """The desk with its clients when it is free, otherwise as the running dashboard has left it."""
    if is_taken(settings()):
        with reading() as reader:
            yield reader
        return
    with working() as runtime:
        yield Reader(runtime.settings, runtime.desk, runtime.store, runtime.vault, runtime)


def shops_of(runtime: Runtime, shop_id: str = "") -> list[ShopContext]:
    """The connected shops, or the one that was asked for. Raises Problem."""
    found = runtime.sessions.shops
    chosen = [shop for shop in found if shop_id in ("", shop.shop_id)]
    if shop_id and not chosen:
        known = ", ".join(f"{shop.shop_id} ({shop.name})" for shop in found) or "none"
        raise Problem(f"There is no connected shop {shop_id}.", f"Connected: {known}.", WRONG_USE)
    return chosen
