"""A lock between processes that the operating system lets go of when its holder dies, however it dies."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ProcessLock:
    """Held by at most one process at a time; an empty database file is what the system keeps the lock on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: sqlite3.Connection | None = None

    def acquire(self, seconds: float = 0.0) -> bool:
        """Take the lock, waiting up to `seconds`; False when another process holds it."""
        if self._held is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" in str(error):
                return False
            raise
        self._held = connection
        return True

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._held is not None:
            self._held.close()
            self._held = None


@contextmanager
def holding(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock for a block; raises TimeoutError when it does not come free in time."""
    lock = ProcessLock(path)
    if not lock.acquire(seconds):
        raise TimeoutError(f"{path.name} is held by another process")
    try:
        yield
    finally:
        lock.release()
