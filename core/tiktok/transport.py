"""Every call to TikTok Shop: signed, paced, retried by rule, with tokens renewed in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What TikTok answered: the `data` of its envelope, and what support and measurements need."""

    data: Any
    request_id: str
    server_ms: int | None
    duration_ms: float


class Transport(Protocol):
    """What `ShopApi` needs."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        cipher: str | None = None,
        write: bool = False,
        urgent: bool = False,
        shop: str = "",
    ) -> Answer:
        """One call."""
