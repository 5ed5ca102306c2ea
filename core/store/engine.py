"""The two engines: one connection that writes, in turn, and a pool that can only read."""

import heapq
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from core.store.errors import StoreLocked, StoreProblem, explain

# Safe for write-ahead logging on every SQLite: this one connection writes and checkpoints, all others only read.
_WRITER = (
    "journal_mode=wal",
    "synchronous=full",
    "busy_timeout=5000",
    "foreign_keys=on",
    "journal_size_limit=67108864",
)
_READER = ("busy_timeout=5000", "query_only=on", "wal_autocheckpoint=0", "mmap_size=268435456")
_PATIENCE = 30.0


class Turns:
    """A lock that serves callers in the order they came, an owner's edit before background work."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._waiting: list[tuple[bool, int]] = []
        self._numbers = itertools.count()
        self._held = False

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock; raises StoreLocked when it does not come free."""
        ticket = (not urgent, next(self._numbers))
        with self._ready:
            heapq.heappush(self._waiting, ticket)
            try:
                mine = self._ready.wait_for(lambda: not self._held and self._waiting[0] == ticket, _PATIENCE)
            finally:  # also when a person presses Ctrl-C while waiting
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._ready.notify_all()
            if not mine:
                raise StoreLocked("another part of Evenstock did not finish writing")
            self._held = True
        try:
            yield
        finally:
            with self._ready:
                self._held = False
                self._ready.notify_all()


class Store:
    """Transactions on one database: `write()` for one writer at a time, `read()` for any number of readers."""

    def __init__(self, writer: Engine, reader: Engine, path: Path | None) -> None:
        self.writer = writer
        self.reader = reader
        self.path = path
        self.on_change: list[Callable[[], None]] = []
        self._turns = Turns()

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Connection]:
        """One transaction that commits at the end, or leaves nothing; raises StoreProblem.

        Never make a network call inside. `urgent` is for a person who waits: it goes before queued background work.
        """
        with self._turns.turn(urgent=urgent), _translated(), self.writer.begin() as connection:
            before = _changes(connection)
            yield connection
            changed = before is None or _changes(connection) != before
            if changed:
                connection.execute(text("UPDATE revision SET value = value + 1"))
        if changed:
            for listener in self.on_change:
                listener()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the store that cannot change it; raises StoreProblem."""
        with _translated(), self.reader.connect() as connection:
            yield connection

    def revision(self) -> int:
        """The number that rises with every change."""
        with self.read() as connection:
            return int(connection.execute(text("SELECT value FROM revision")).scalar_one())

    def close(self) -> None:
        """Let go of the database."""
        self.reader.dispose()
        self.writer.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        problem = explain(error)
        if problem is None:
            raise
        raise problem from error
    except OSError as error:
        problem = explain(error)
        if problem is None:
            raise
        raise problem from error


def _changes(connection: Connection) -> int | None:
    count = getattr(connection.connection.driver_connection, "total_changes", None)
    return None if count is None else int(count)


def _sqlite_engine(url: str, *, write: bool) -> Engine:
    sizes = {"pool_size": 1, "max_overflow": 0} if write else {"pool_size": 8, "max_overflow": 24}
    engine = create_engine(url, connect_args={"timeout": 5, "check_same_thread": False}, **sizes)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy opens transactions, not the driver
        for pragma in _WRITER if write else _READER:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _private(path: Path) -> None:
    # SQLite gives its side files the rights of the main one, so nobody else reads orders or sealed secrets.
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def open_store(url: str) -> Store:
    """Open the database at `url`, creating and upgrading it as needed; raises StoreProblem."""
    from core.store.migrate import upgrade

    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        writer = create_engine(url, pool_size=1, max_overflow=0)
        reader = create_engine(url, pool_size=8, max_overflow=24, execution_options={"postgresql_readonly": True})
        store = Store(writer, reader, None)
    else:
        path = Path(address.database or "")
        with _translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            _private(path)
        store = Store(_sqlite_engine(url, write=True), _sqlite_engine(url, write=False), path)
    try:
        with _translated():
            upgrade(store)
    except StoreProblem:
        store.close()
        raise
    return store
