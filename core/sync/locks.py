"""Numbers that TikTok does not let anybody set here: kept elsewhere, worked out from parts, or frozen for a while."""

from core import clock

# TikTok Shop API: error list of Update Inventory.
PROMOTION = 12052393  # while it runs, the stock may not go below what is shown
_FOR_A_WHILE = (PROMOTION, 12052037)
_FOR_GOOD = (12052141, 12052144, 12052382, 12052708, 12052850, 12052921)
CODES = _FOR_A_WHILE + _FOR_GOOD
IN_SQL = ", ".join(map(str, CODES))
AGAIN_MS = 24 * 3600 * 1000


def locked(code: int | None, refused_at: int | None, *, lowering: bool) -> bool:
    """Whether sending a number would be in vain: TikTok refused it for a reason that holds on.

    What may pass by itself is tried again after a day; the rest once the product has changed on TikTok, or when the
    owner sends it from a reviewed plan.
    """
    if code == PROMOTION and not lowering:
        return False
    if code in _FOR_A_WHILE:
        return clock.now_ms() < (refused_at or 0) + AGAIN_MS
    return code in _FOR_GOOD
