"""What was asked of the practice shop: counters for tests and the last requests, without any secret."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass

from core.practice.identity import JSON

_KEPT = 500
_HIDDEN = frozenset(
    {"sign", "app_secret", "auth_code", "refresh_token", "access_token", "code", "shop_cipher", "app_key"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request; `at` in Unix seconds of the shop's clock, `took_ms` in milliseconds of real time."""

    at: float
    method: str
    path: str
    endpoint: str
    query: dict[str, str]
    status: int
    code: int | None
    wrote: bool
    took_ms: float
    request_id: str


class Journal:
    """Counts every request of the API and the token host, and remembers the last ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._entries: deque[Entry] = deque(maxlen=_KEPT)
            self._requests: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._codes: Counter[str] = Counter()
            self._writes = 0

    def note(self, entry: Entry) -> None:
        """Writes one request down."""
        with self._lock:
            self._entries.append(entry)
            self._requests[f"{entry.method} {entry.endpoint}"] += 1
            self._statuses[str(entry.status)] += 1
            self._codes["none" if entry.code is None else str(entry.code)] += 1
            self._writes += entry.wrote

    def report(self, last: int = 100) -> JSON:
        """Counters since the last reset and the last requests, newest first."""
        with self._lock:
            newest = list(self._entries)[-last:][::-1] if last else []
            return {
                "total": sum(self._requests.values()), "writes": self._writes, "by_endpoint": dict(self._requests),
                "by_status": dict(self._statuses), "by_code": dict(self._codes),
                "last": [asdict(entry) for entry in newest],
            }  # fmt: skip


def harmless(query: dict[str, str]) -> dict[str, str]:
    """A query without what nobody may read later."""
    return {name: value for name, value in query.items() if name not in _HIDDEN}
