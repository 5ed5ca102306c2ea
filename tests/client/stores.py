"""Token stores for tests: one in memory, one in a file that several processes share."""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from core.tiktok.auth import Tokens


def tokens(number: int = 1, *, access_ends: int = 1_791_000_000, ends: int = 1_821_536_000) -> Tokens:
    """The n-th pair of an authorisation, made up and visibly so."""
    return Tokens(f"ROW_made_up_access_{number}", access_ends, f"ROW_made_up_refresh_{number}", ends, "open-id")


class MemoryStore:
    """Keeps what happened, so that tests can ask in which order."""

    def __init__(self, held: Tokens | None = None) -> None:
        self.held = held
        self.mark: str | None = None
        self.events: list[str] = []
        self._lock = threading.RLock()

    def load(self) -> Tokens | None:
        return self.held

    def save(self, tokens: Tokens) -> None:
        self.events.append("save")
        self.held, self.mark = tokens, None

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield

    def mark_refreshing(self, token_fingerprint: str) -> None:
        self.events.append("mark")
        self.mark = token_fingerprint

    def refreshing(self) -> str | None:
        return self.mark

    def clear_refreshing(self) -> None:
        self.events.append("clear")
        self.mark = None


class FileStore:
    """One JSON file and a lock file beside it; mutual exclusion over threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tokens.json"
        self._mark = folder / "refreshing"
        self._lock_file = folder / "lock"

    def load(self) -> Tokens | None:
        if not self._file.exists():
            return None
        held = json.loads(self._file.read_text())
        return Tokens(**held | {"scopes": tuple(held["scopes"])})

    def save(self, tokens: Tokens) -> None:
        new = self._file.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        with new.open("w") as file:
            json.dump(asdict(tokens), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
        self.clear_refreshing()

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def mark_refreshing(self, token_fingerprint: str) -> None:
        self._mark.write_text(token_fingerprint)

    def refreshing(self) -> str | None:
        return self._mark.read_text() if self._mark.exists() else None

    def clear_refreshing(self) -> None:
        self._mark.unlink(missing_ok=True)
