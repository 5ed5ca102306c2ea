"""What became of a write: pure judgement of a reading taken after it."""

from collections.abc import Mapping
from typing import Any

from core.sync.drift import Reading, unexplained

AT_ONCE_MS = 60_000  # so soon after a write, sales that it erased are told from those that came after it by nothing
WAITS_MS = 20_000  # how long the client waits for an answer, so how long a write without one was certainly under way
LOST_AFTER_MS = 15_000  # a write without an answer may still arrive; before that it is not taken for lost
SETTLED_AFTER_MS = 300_000  # TikTok Shop API: a request is valid for five minutes; after that it cannot arrive any more


def taken(push: Mapping[Any, Any], row: Mapping[Any, Any]) -> int:
    """Units that orders took since the reading before a write: those TikTok holds more now, and those shipped since."""
    return int(row["committed"] - push["read_committed"] + row["shipped_since"])


def verdict(
    push: Mapping[Any, Any], row: Mapping[Any, Any], at: int, *, overtaken: bool = False, complete: bool = False
) -> str | None:
    """Confirmed, lost, contradicted, or None while it cannot be told.

    `row` is the listing as read at `at` (milliseconds), with the units `shipped_since` the write; `overtaken` says that
    a later write was accepted, so that this one shows only if it arrived after that, and `complete` that every order
    behind the reading is known.
    """
    if push["outcome"] == "lost":
        return "confirmed" if _arrived_late(push, row) else None
    if push["outcome"] == "accepted":
        if _shows(push, row, at):
            return "confirmed"
        return "contradicted" if complete or _at_once(push, at) else None
    silent = at - (push["answered_at"] or push["intent_at"] + WAITS_MS)
    applied = _shows(push, row, at)
    untouched = row["available"] == push["read_available"] - taken(push, row)
    if applied and not untouched and not overtaken:
        return "confirmed"
    if silent < LOST_AFTER_MS:
        return None
    if overtaken or (untouched and not applied):
        return "lost"
    if at - push["intent_at"] < SETTLED_AFTER_MS:
        return None
    return "confirmed" if applied else "contradicted"


def _arrived_late(push: Mapping[Any, Any], row: Mapping[Any, Any]) -> bool:
    """Whether a write that was taken for lost is what changed the number after all.

    TikTok Shop API: a request is valid for five minutes. It explains only what nothing else does.
    """
    if not beyond(row, row["committed"]):
        return False
    return row["available"] in (push["target"], push["target"] - taken(push, row))


def beyond(row: Mapping[Any, Any], open_units: int) -> int:
    """Units by which a listing differs from its settled reading beyond its open orders; 0 when there is none yet."""
    if row["base_available"] is None:
        return 0
    shipped = row["shipped_units"] if row["base_shipped"] is None else row["base_shipped"]
    base = Reading(row["base_available"], row["base_open"], shipped)
    return unexplained(base, Reading(row["available"], open_units, row["shipped_units"])) or 0


def _shows(push: Mapping[Any, Any], row: Mapping[Any, Any], at: int) -> bool:
    """Whether the number is the one written, less what was sold since.

    A sale between the reading before the write and the write itself was erased by it, so soon after a write any
    number from "all sold before it" to "all sold after it" is explained.
    """
    after = push["target"] - taken(push, row)
    if row["available"] == after:
        return True
    low, high = sorted((after, push["target"]))
    return bool(_at_once(push, at) and low <= row["available"] <= high)


def _at_once(push: Mapping[Any, Any], at: int) -> bool:
    return bool(at - (push["answered_at"] or push["intent_at"]) < AT_ONCE_MS)
