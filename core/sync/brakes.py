"""Stop-loss: how much may change without the owner's word; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.settings import Choices

_REVIEW = "Review them on the Stock page."


@dataclass
class SoFar:
    """What one run has let pass: how many listings it changed, and how many of them went to zero."""

    touched: int = 0
    emptied: int = 0


def most_to_zero(linked: int, limits: Choices) -> int:
    """How many of so many linked listings may go to zero at once without the owner's word."""
    return min(limits.stop_zero_count, max(5, linked * limits.stop_zero_percent // 100))


def stopped(
    changes: Mapping[str, int], shown: Mapping[str, int | None], linked: int, limits: Choices, before: SoFar
) -> tuple[list[str], str]:
    """Which of these changes (listing to new quantity) must wait for the owner, and the sentence that says why.

    `shown` is what TikTok shows now, `linked` how many listings are linked in all. What passes is added to `before`,
    so that a limit holds for a whole run and not for each part of it.
    """
    emptied = [sku for sku, quantity in changes.items() if quantity == 0 and shown.get(sku)]
    most = most_to_zero(linked, limits)
    if before.emptied + len(emptied) > most:
        before.touched += len(changes) - len(emptied)
        return emptied, f"Stopped: {before.emptied + len(emptied)} listings would go to zero at once. {_REVIEW}"
    if before.touched + len(changes) > limits.stop_touch_count:
        return list(changes), f"Stopped: {before.touched + len(changes)} listings would change at once. {_REVIEW}"
    before.touched += len(changes)
    before.emptied += len(emptied)
    return [], ""
