"""Stop-loss: how much may change without the owner's word; pure."""

from collections.abc import Mapping

from core.settings import Choices

_REVIEW = "Review them on the Stock page."


def stopped(
    changes: Mapping[str, int], shown: Mapping[str, int | None], linked: int, limits: Choices
) -> tuple[list[str], str]:
    """Which of these changes (listing to new quantity) must wait for the owner, and the sentence that says why.

    `shown` is what TikTok shows now, `linked` how many listings are linked in all.
    """
    emptied = [sku for sku, quantity in changes.items() if quantity == 0 and shown.get(sku)]
    most = min(limits.stop_zero_count, max(5, linked * limits.stop_zero_percent // 100))
    if len(emptied) > most:
        return emptied, f"Stopped: {len(emptied)} listings would go to zero at once. {_REVIEW}"
    if len(changes) > limits.stop_touch_count:
        return list(changes), f"Stopped: {len(changes)} listings would change at once. {_REVIEW}"
    return [], ""
