"""All that is known of listings at one moment, read in one go for deciding what TikTok should show."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text

from core.sync.drift import Reading, unexplained
from core.sync.targets import Part, target


@dataclass(slots=True)
class Facts:
    """One listing: TikTok's last reading, our orders of it, the items behind it, and what is unsettled.

    `unexplained`: units beyond what the known orders explain, None while its settled reading is missing or provisional;
    `stirred`: something other than sales may have happened since that was made. `drift`: units that the owner has not
    decided on, found at `drift_at` and certain once they are no longer only `suspected`; `moved`: TikTok's number has
    changed once more since. `doubt`: a write has an unknown outcome. `settled`: its number was even with ours at least
    once, so that it may be kept so without asking. `unknown`: an item behind it was never counted, so there is no
    number to send.
    """

    sku_id: str
    product_id: str
    available: int | None
    committed: int
    open_units: int
    shipped_units: int
    unexplained: int | None
    stirred: bool
    doubt: bool
    settled: bool
    drift: int = 0
    drift_at: int = 0
    suspected: bool = False
    moved: bool = False
    unknown: bool = False
    parts: list[Part] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)
    first: str = ""

    @property
    def wants_orders(self) -> bool:
        """Whether reading all orders now would tell what has to be known before this listing is written."""
        if self.suspected or self.moved:
            return True
        raised = self.target is not None and self.available is not None and self.target > self.available
        return self.unexplained is None and (raised or self.stirred)

    @property
    def target(self) -> int | None:
        """What TikTok should show, or None for a listing without an item, or with one that was never counted."""
        return target(self.parts) if self.parts and not self.unknown else None


_SKUS: BindParameter[Any] = bindparam("skus", expanding=True)
_LISTINGS = text("""
SELECT l.sku_id, l.product_id, l.available, l.committed, l.open_units, l.shipped_units, l.settled_at,
  l.base_available, l.base_open, l.base_shipped, d.amount, d.found_at, d.state,
  EXISTS (SELECT 1 FROM push p WHERE p.shop_id = l.shop_id AND p.sku_id = l.sku_id
    AND p.outcome IN ('sent', 'unknown')) AS doubt
FROM listing l LEFT JOIN drift d ON d.shop_id = l.shop_id AND d.sku_id = l.sku_id
  AND d.state IN ('suspected', 'open', 'lowered')
WHERE l.shop_id = :shop AND l.sku_id IN :skus
""").bindparams(_SKUS)

# An item that was never counted and of which nothing is there has no known stock; that is not the same as none.
_PARTS = text("""
SELECT k.sku_id, k.quantity, coalesce(lv.on_hand, 0) AS on_hand, coalesce(lv.reserved, 0) AS reserved, item.buffer,
  item.counted_at IS NULL AND coalesce(lv.on_hand, 0) <= 0 AS unknown,
  (SELECT coalesce(sum((o.committed - o.open_units) * k2.quantity), 0)
   FROM link k2 JOIN listing o ON o.shop_id = k2.shop_id AND o.sku_id = k2.sku_id
   WHERE k2.item_id = k.item_id AND o.committed > o.open_units AND NOT o.gone) AS unseen
FROM link k JOIN item ON item.id = k.item_id LEFT JOIN (
  SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level
  WHERE item_id IN (SELECT item_id FROM link WHERE shop_id = :shop AND sku_id IN :skus) GROUP BY item_id
) lv ON lv.item_id = k.item_id
WHERE k.shop_id = :shop AND k.sku_id IN :skus
""").bindparams(_SKUS)

_STOCK = text("""
SELECT s.sku_id, s.warehouse_id, s.available, coalesce(w.is_default, false) AS is_default
FROM stock s LEFT JOIN warehouse w ON w.shop_id = s.shop_id AND w.id = s.warehouse_id
WHERE s.shop_id = :shop AND s.sku_id IN :skus ORDER BY s.sku_id, s.warehouse_id
""").bindparams(_SKUS)


def load(connection: Connection, shop_id: str, sku_ids: Collection[str], buffer: int) -> dict[str, Facts]:
    """The facts of these listings; `buffer` is the owner's general one, which an item's own replaces."""
    given: dict[str, Any] = {"shop": shop_id, "skus": sorted(sku_ids)}
    found = {row.sku_id: _facts(row) for row in connection.execute(_LISTINGS, given)}
    for row in connection.execute(_PARTS, given):
        if row.sku_id in found:
            own = buffer if row.buffer is None else row.buffer
            found[row.sku_id].parts.append(Part(row.on_hand, row.reserved, row.unseen, row.quantity, own))
            found[row.sku_id].unknown |= bool(row.unknown)
    defaults: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_STOCK, given):
        if row.sku_id in found:
            found[row.sku_id].shown[row.warehouse_id] = row.available
            if row.is_default:
                defaults[row.sku_id].append(row.warehouse_id)
    for sku_id, facts in found.items():
        facts.first = defaults[sku_id][0] if defaults[sku_id] else min(facts.shown, default="")
    return found


def _facts(row: Any) -> Facts:
    beyond, stirred = None, False
    if row.base_available is not None and row.available is not None:
        stirred = row.available + row.committed != row.base_available + row.base_open
        if row.base_shipped is not None:
            base = Reading(row.base_available, row.base_open, row.base_shipped)
            beyond = unexplained(base, Reading(row.available, row.open_units, row.shipped_units))
    counted = row.amount if row.state in ("suspected", "open") else 0
    moved = beyond is not None and row.committed == row.open_units and beyond != counted
    return Facts(
        row.sku_id, row.product_id, row.available, row.committed or 0, row.open_units, row.shipped_units, beyond,
        stirred, bool(row.doubt), row.settled_at is not None, row.amount or 0, row.found_at or 0,
        row.state == "suspected", moved,
    )  # fmt: skip
