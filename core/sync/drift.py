"""What TikTok shows beyond what our records explain: pure arithmetic on two readings and the orders between them."""

from dataclasses import dataclass

SURE_AFTER_MS = 5_000  # orders become visible a little late; a reading of them counts for what is this much older


@dataclass(frozen=True, slots=True)
class Reading:
    """A listing's numbers at one moment: TikTok's available, and our open and shipped order units of that listing."""

    available: int
    open_units: int
    shipped_units: int


def expected(base: Reading, now: Reading) -> int:
    """What TikTok should show now if only orders happened since the settled reading `base`.

    An order moves units from available to committed and a shipment takes them away, so available plus open plus
    shipped units stays the same; only a hand, a campaign or another tool changes that sum.
    """
    return base.available + (base.open_units - now.open_units) + (base.shipped_units - now.shipped_units)


def unexplained(base: Reading | None, now: Reading) -> int | None:
    """Units that TikTok shows beyond what the orders known to us explain; None before the first settled reading."""
    return None if base is None else now.available - expected(base, now)


def drift(base: Reading | None, now: Reading, committed: int) -> int | None:
    """Units that nothing explains; 0 when all is explained, None while it cannot be told.

    It cannot be told before the first settled reading, and while TikTok's committed units and our open orders
    disagree, for then an order or a shipment is still on its way to us.
    """
    return unexplained(base, now) if committed == now.open_units else None
