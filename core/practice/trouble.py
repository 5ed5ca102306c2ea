"""Trouble on demand: which request goes wrong, how, and how often."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

from core.practice.answers import NotPossible
from core.practice.identity import JSON

KINDS = {
    "rate_limit": "HTTP 429 and code 36009002, with Retry-After when `retry_after` is given",
    "server_error": "HTTP 500 (or `status`) and code 36009003, without effect",
    "unavailable_html": "HTTP 503 with a page instead of JSON, without effect",
    "timeout_before": "no answer and no effect; the connection ends after `stall` seconds",
    "timeout_after": "no answer although the request took effect; the connection ends after `stall` seconds",
    "expired_token": "the access tokens handed out so far expire; code 105002 with HTTP `status` 200 or 401",
    "revoked": "the seller takes the authorisation back",
    "missing_scope": "HTTP 403 and code 105005",
    "partial_errors": "inventory updates refuse the SKUs in `sku_ids` (none: all) with `code`, and take the others",
    "slow": "the answer comes `delay` seconds later",
    "wrong_clock": "the shop's clock is `offset` seconds off",
    "garbage": "HTTP 200 with JSON that breaks off",
    "empty_page": "a search finds nothing",
}
# These concern the whole shop or the whole gateway; all others only the API, unless a path says otherwise.
_LASTING = frozenset({"wrong_clock"})


@dataclass
class Trouble:
    """One order for trouble. `times` None means every time; `seconds` is how long it lasts by the shop's clock."""

    kind: str
    id: int = 0
    path: str = ""
    method: str = ""
    times: int | None = None
    after: int = 0
    seconds: float | None = None
    retry_after: int | None = None
    status: int | None = None
    stall: float = 0.0
    delay: float = 1.0
    offset: float = 0.0
    sku_ids: tuple[str, ...] = ()
    code: int = 12052990
    message: str = "Check failed"
    until: float | None = None
    fired: int = 0


# Trouble that ends a session by itself happens once, unless asked otherwise.
_ONCE = frozenset({"expired_token", "revoked"})


def parse_trouble(wish: JSON) -> Trouble:
    """A trouble from the words of a control route; raises NotPossible with a sentence when it makes no sense."""
    known = {field.name for field in fields(Trouble)} - {"id", "until", "fired"}
    unknown = set(wish) - known
    if unknown:
        raise NotPossible(f"A trouble has no setting {min(unknown)}. It has: {', '.join(sorted(known))}.")
    if wish.get("kind") not in KINDS:
        raise NotPossible(f"There is no trouble of kind {wish.get('kind')}. There are: {', '.join(KINDS)}.")
    settings = dict(wish)
    settings["sku_ids"] = tuple(wish.get("sku_ids", ()))
    if settings["kind"] in _ONCE:
        settings.setdefault("times", 1)
    return Trouble(**settings)


class Troubles:
    """The troubles that are on. They belong to one run and are gone after a restart."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._active: list[Trouble] = []

    def add(self, trouble: Trouble) -> Trouble:
        """Turns a trouble on."""
        with self._lock:
            trouble.id = next(self._ids)
            if trouble.seconds is not None:
                trouble.until = self._now() + trouble.seconds
            self._active.append(trouble)
        return trouble

    def clear(self) -> None:
        """All is well again. What a trouble has done (an expired token, a revoked authorisation) stays done."""
        with self._lock:
            self._active.clear()

    def listed(self) -> list[JSON]:
        """The troubles that are on."""
        with self._lock:
            self._forget_finished()
            return [asdict(trouble) for trouble in self._active]

    def clock_offset(self) -> float:
        """How wrong the shop's clock is, in seconds."""
        if not self._active:
            return 0.0
        with self._lock:
            self._forget_finished()
            return sum(trouble.offset for trouble in self._active if trouble.kind == "wrong_clock")

    def strike(self, method: str, path: str, *, api: bool) -> list[Trouble]:
        """The troubles that hit this request: any number of slow ones, and the first of the others."""
        if not self._active:
            return []
        hit: list[Trouble] = []
        with self._lock:
            self._forget_finished()
            for trouble in self._active:
                if not self._concerns(trouble, method, path, api):
                    continue
                if trouble.kind != "slow" and any(other.kind != "slow" for other in hit):
                    continue
                if trouble.after > 0:
                    trouble.after -= 1
                    continue
                trouble.fired += 1
                hit.append(trouble)
        return hit

    @staticmethod
    def _concerns(trouble: Trouble, method: str, path: str, api: bool) -> bool:
        if trouble.kind in _LASTING or (trouble.times is not None and trouble.fired >= trouble.times):
            return False
        return (api or bool(trouble.path)) and trouble.path in path and trouble.method in ("", method)

    def _forget_finished(self) -> None:
        now = self._now()
        self._active = [
            trouble
            for trouble in self._active
            if (trouble.until is None or now < trouble.until)
            and (trouble.times is None or trouble.fired < trouble.times)
        ]
