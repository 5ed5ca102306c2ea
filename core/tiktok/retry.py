"""When to send a request again: four small decisions."""

import random

from core.tiktok.budget import LONGEST_WAIT, Wait
from core.tiktok.errors import BadAnswer, RateLimited, ServiceDown, Stopped, TikTokError, Unreachable

TRIES = 3
TRIES_WHEN_LIMITED = 5
PAUSES, JITTER = (1.0, 2.0, 4.0, 8.0), 0.5  # seconds, as TikTok advises, with up to half a second of chance


def may_repeat(error: TikTokError, tries: int) -> bool:
    """Whether the same request may be sent again after `tries` attempts.

    A write whose answer was lost never gets here as one of these: it is an OutcomeUnknown by then.
    """
    if isinstance(error, RateLimited):
        return tries < TRIES_WHEN_LIMITED
    return isinstance(error, ServiceDown | Unreachable | BadAnswer) and tries < TRIES


def worth_waiting(error: TikTokError) -> bool:
    """Whether TikTok's own advice, if any, is short enough to wait for here."""
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT


def pause_before(error: TikTokError, tries: int) -> float:
    """Seconds to rest: TikTok's advice, otherwise 1, 2, 4, 8 with some chance so that callers do not march in step."""
    if error.retry_after is not None:
        return error.retry_after
    return PAUSES[min(tries, len(PAUSES)) - 1] + random.uniform(0, JITTER)  # noqa: S311 - chance, not secrecy


def rest(seconds: float, wait: Wait) -> None:
    """Wait, unless asked to stop: then nothing has been sent and Stopped says so."""
    if seconds > 0 and wait(seconds):
        raise Stopped("Stopped while waiting to ask TikTok again.", "Start it again when you like.")
