"""What an answer says: TikTok's envelope first, the HTTP status only where the body is no envelope."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from core import clock
from core.tiktok import codes
from core.tiktok.errors import (
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    ServiceDown,
    TikTokError,
    Unreachable,
)
from core.tiktok.reading import count, plain
from core.tiktok.wire import Lost, Reply

TOO_MANY = 429
BY_ITSELF = "Evenstock tries again by itself; there is nothing to do."


@dataclass(frozen=True, slots=True)
class Envelope:
    """`{code, message, request_id, data}`; code 0 is the only sign of success."""

    code: int
    message: str
    request_id: str
    data: Any


def open_envelope(reply: Reply) -> Envelope | None:
    """The envelope of an answer, or None when the body is something else."""
    try:
        body = orjson.loads(reply.body)
    except ValueError:
        return None
    code = count(body.get("code")) if isinstance(body, dict) else None
    if code is None:
        return None
    return Envelope(code, plain(body.get("message")), plain(body.get("request_id")), body.get("data"))


def error_in(reply: Reply, envelope: Envelope | None) -> TikTokError | None:
    """The error that an answer is, or None when it is none."""
    wait = advised_wait(reply)
    if envelope is None:
        return _by_status(reply.status, wait)
    if envelope.code == codes.OK:
        return None
    error = codes.error_for(envelope.code, envelope.message, envelope.request_id or None, retry_after=wait)
    if envelope.code not in codes.KNOWN and (reply.status == TOO_MANY or reply.status >= 500):
        # A code we do not know says nothing about trying again; the status does.
        kind = RateLimited if reply.status == TOO_MANY else ServiceDown
        return kind(
            error.sentence,
            BY_ITSELF,
            code=error.code,
            request_id=error.request_id,
            retry_after=wait,
            detail=error.detail,
        )
    return error


def _by_status(status: int, wait: float | None) -> TikTokError:
    if status == TOO_MANY:
        return RateLimited("TikTok asked for fewer requests.", BY_ITSELF, retry_after=wait)
    if status >= 500:
        return ServiceDown(f"TikTok cannot answer at the moment (HTTP {status}).", BY_ITSELF, retry_after=wait)
    return BadAnswer(
        f"The answer (HTTP {status}) did not come from TikTok Shop.",
        "Check whether a proxy, a firewall or a login page of your network stands in between.",
    )


def advised_wait(reply: Reply) -> float | None:
    """Seconds that Retry-After asks for, given as a number or as a date; None without usable advice."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - clock.now())
    except (TypeError, ValueError, OverflowError):
        return None


def error_of_loss(lost: Lost, host: str) -> Unreachable:
    """The error that a request without an answer is."""
    if not lost.sent:
        error = Unreachable(
            f"There is no connection to {host}.",
            "Check the internet connection; Evenstock tries again by itself.",
            detail=lost.kind,
        )
        error.sent = False
        return error
    what = "did not answer in time" if lost.timed_out else "broke off the connection"
    return Unreachable(f"{host} {what}.", BY_ITSELF, detail=lost.kind)


def lost_write(error: TikTokError) -> OutcomeUnknown:
    """The same loss for a call that changes something: it may have happened."""
    return OutcomeUnknown(
        "TikTok gave no clear answer to a change; it may have happened or not.",
        "Evenstock reads the numbers again before it changes anything.",
        code=error.code,
        request_id=error.request_id,
        detail=f"{error.sentence} {error.detail}",
    )
