"""One line for each attempt to reach TikTok: enough to help, nothing that is secret or personal."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from core.redact import redact

requests = logging.getLogger("evenstock.requests")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One attempt. `path` has no query; `status` is None without an answer, `code` without an envelope."""

    method: str
    path: str
    shop: str
    status: int | None
    code: int | None
    request_id: str
    duration_ms: float
    attempt: int
    problem: str = ""

    def __str__(self) -> str:
        parts = [
            self.method,
            self.path,
            f"shop={self.shop or '-'}",
            f"http={'-' if self.status is None else self.status}",
            f"code={'-' if self.code is None else self.code}",
            f"request={self.request_id or '-'}",
            f"{self.duration_ms:.0f} ms",
            f"attempt {self.attempt}",
        ]
        return " ".join([*parts, self.problem] if self.problem else parts)


Log = Callable[[RequestLine], None]


def write_line(line: RequestLine) -> None:
    """To the log "evenstock.requests"; a problem is a warning."""
    level = logging.WARNING if line.problem else logging.INFO
    if requests.isEnabledFor(level):
        requests.log(level, "%s", redact(str(line)), extra={"request": line})
