"""One attempt: send, learn the time, read the envelope, write a line in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core import clock
from core.tiktok.envelope import Envelope, error_in, error_of_loss, open_envelope
from core.tiktok.errors import TikTokError
from core.tiktok.requestlog import Log, RequestLine
from core.tiktok.skew import ServerClock
from core.tiktok.wire import Lost, Reply, Wire


@dataclass(frozen=True, slots=True)
class Answer:
    """What TikTok answered: the `data` of its envelope, and what support and measurements need."""

    data: Any
    request_id: str
    server_ms: int | None
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request, ready to be sent; `query` is percent-encoded and may hold secrets, so it is never shown."""

    method: str
    base: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    shop: str = ""
    attempt: int = 1


class Exchange:
    """Sends parcels over a wire and keeps TikTok's clock in view."""

    def __init__(self, wire: Wire, server_clock: ServerClock, log: Log) -> None:
        self.wire = wire
        self.server_clock = server_clock
        self._log = log

    def send(self, parcel: Parcel) -> Answer:
        """The answer, or the error that the answer or its absence is."""
        started = clock.monotonic()
        try:
            reply = self.wire.send(
                parcel.method, f"{parcel.base}{parcel.path}?{parcel.query}", parcel.headers, parcel.body
            )
        except Lost as lost:
            error = error_of_loss(lost, urlsplit(parcel.base).hostname or parcel.base)
            self._note(parcel, started, None, None, error)
            raise error from None
        envelope = open_envelope(reply)
        # Only TikTok's own answers tell its time; a proxy's page may carry any date.
        server_ms = self.server_clock.learn(reply.headers.get("date")) if envelope else None
        problem = error_in(reply, envelope)
        duration = self._note(parcel, started, reply, envelope, problem)
        if problem is not None:
            raise problem
        assert envelope is not None, "an answer without an envelope is always an error"
        return Answer(envelope.data, envelope.request_id, server_ms, duration)

    def _note(
        self,
        parcel: Parcel,
        started: float,
        reply: Reply | None,
        envelope: Envelope | None,
        problem: TikTokError | None,
    ) -> float:
        duration = (clock.monotonic() - started) * 1000
        self._log(
            RequestLine(
                method=parcel.method,
                path=parcel.path,
                shop=parcel.shop,
                status=reply.status if reply else None,
                code=envelope.code if envelope else None,
                request_id=envelope.request_id if envelope else "",
                duration_ms=duration,
                attempt=parcel.attempt,
                problem=type(problem).__name__ if problem else "",
            )
        )
        return duration
