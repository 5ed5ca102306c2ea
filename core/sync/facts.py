"""All that is known of listings at one moment, read in one go for deciding what TikTok should show."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text

from core.store.queries import places
from core.sync import locks, rooms, split
from core.sync.aims import HELD, UNSEEN
from core.sync.drift import Reading, unexplained
from core.sync.targets import Part, Rule, Split, target


@dataclass(slots=True)
class Facts:
    """One listing: TikTok's last reading, our orders of it, the items behind it, and what is unsettled.

    `unexplained`: units beyond what the known orders explain, None while its settled reading is missing or provisional;
    `stirred`: something other than sales may have happened since that was made. `drift`: units that the owner has not
    decided on, found at `drift_at` and certain once they are no longer only `suspected`; `moved`: TikTok's number has
    changed once more since. `doubt`: a write has an unknown outcome. `settled`: its number was even with ours at least
    once, so that it may be kept so without asking. `unknown`: an item behind it was never counted, so there is no
    number to send. `refusal`: TikTok's code, moment (ms) and sentence when it last refused a number. `halted`: why
    nothing of an item may be sent. `elsewhere`: for each part, the units that its item's other listings may show.
    Where goods lie in several locations, `served` says from which each warehouse is, and `most` what each leaves.
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
    elsewhere: list[int] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)
    first: str = ""
    refusal: tuple[int | None, int | None, str] = (None, None, "")
    halted: str = ""
    served: dict[str, int] = field(default_factory=dict)
    most: dict[int, int] = field(default_factory=dict)

    @property
    def wants_orders(self) -> bool:
        """Whether reading all orders now would tell what has to be known before this listing is written."""
        if self.suspected or self.moved:
            return True
        raised = self.target is not None and self.safe is not None and self.target > self.safe
        return self.unexplained is None and (raised or self.stirred)

    @property
    def target(self) -> int | None:
        """What TikTok should show, or None for a listing without an item, or with one that was never counted."""
        if not self.parts or self.unknown:
            return None
        return min(target(self.parts), sum(self.most.values())) if self.most else target(self.parts)

    @property
    def safe(self) -> int | None:
        """What TikTok shows, without the units that it offers from a location where fewer are free."""
        if self.available is None or not self.most:
            return self.available
        return min(self.available, rooms.safe(self.shown, self.served, self.most))

    @property
    def locked(self) -> str:
        """Why TikTok lets nobody set the number, or nothing."""
        code, at, sentence = self.refusal
        lowering = self.target is not None and self.available is not None and self.target < self.available
        return sentence if locks.locked(code, at, lowering=lowering) else ""

    @property
    def room(self) -> int | None:
        """How many of the item's last units its other listings leave for this one; None while they are not the last."""
        rooms = [
            split.room(part.free + part.held, others) // part.quantity
            for part, others in zip(self.parts, self.elsewhere, strict=True)
            if part.split.applies(part.free) and not part.split.left_out
        ]
        return min(rooms, default=None)


_SKUS: BindParameter[Any] = bindparam("skus", expanding=True)
_LISTINGS = text("""
SELECT l.sku_id, l.product_id, l.available, l.committed, l.open_units, l.shipped_units, l.settled_at,
  l.base_available, l.base_open, l.base_shipped, l.refused_code, l.refused_at, l.refused_sentence,
  d.amount, d.found_at, d.state,
  EXISTS (SELECT 1 FROM push p WHERE p.shop_id = l.shop_id AND p.sku_id = l.sku_id
    AND p.outcome IN ('sent', 'unknown')) AS doubt
FROM listing l LEFT JOIN drift d ON d.shop_id = l.shop_id AND d.sku_id = l.sku_id
  AND d.state IN ('suspected', 'open', 'lowered')
WHERE l.shop_id = :shop AND l.sku_id IN :skus
""").bindparams(_SKUS)

# An item that was never counted and of which nothing is there has no known stock; that is not the same as none.
# A write whose effect is not known yet may have put its number there.
_OTHERS = """
FROM link k2 JOIN listing o ON o.shop_id = k2.shop_id AND o.sku_id = k2.sku_id
WHERE k2.item_id = k.item_id AND NOT o.gone AND NOT (k2.shop_id = k.shop_id AND k2.sku_id = k.sku_id)
"""
_WRITTEN = """
coalesce((SELECT max(p.target) FROM push p WHERE p.shop_id = o.shop_id AND p.sku_id = o.sku_id
  AND p.outcome IN ('sent', 'unknown', 'accepted')), 0)
"""
# A listing that the owner left out of the split takes no notice of the others, and they none of it. What no listing
# has of the last units is the own store's.
_DIVIDED = "NOT (k2.split_from = 0 AND k2.split_to = item.split_total)"
_FREE = f"(coalesce(lv.on_hand, 0) - coalesce(lv.reserved, 0) - {UNSEEN} - {HELD})"
_PARTS = f"""
SELECT k.sku_id, k.quantity, coalesce(lv.on_hand, 0) AS on_hand, coalesce(lv.reserved, 0) AS reserved,
  k.buffer, k.share, k.cap, k.zero_below, k.split_from, k.split_to, item.split_at, item.split_total,
  CASE WHEN item.halted_at IS NULL THEN '' ELSE item.halted_why END AS halted,
  {UNSEEN} AS unseen, {HELD} AS held,
  CASE WHEN item.split_total = 0 THEN 0 ELSE (
    SELECT coalesce(sum(k2.quantity * CASE WHEN {_WRITTEN} > coalesce(o.available, 0) THEN {_WRITTEN}
      ELSE o.available END), 0) {_OTHERS} AND {_DIVIDED}) + {_FREE} - (
    SELECT coalesce(sum({_FREE} * k2.split_to / item.split_total - {_FREE} * k2.split_from / item.split_total), 0)
    FROM link k2 WHERE k2.item_id = k.item_id AND {_DIVIDED}) END AS elsewhere,
  item.counted_at IS NULL AND coalesce(lv.on_hand, 0) <= 0 AS unknown
FROM link k JOIN item ON item.id = k.item_id LEFT JOIN (
  {{levels}}
WHERE k.shop_id = :shop AND k.sku_id IN :skus ORDER BY k.sku_id, k.item_id
"""  # noqa: S608 (constants)
_PARTS_OF = (
    text(
        _PARTS.format(
            levels="SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level WHERE item_id IN "
            "(SELECT item_id FROM link WHERE shop_id = :shop AND sku_id IN :skus) GROUP BY item_id"
            ") lv ON lv.item_id = k.item_id"
        )
    ).bindparams(_SKUS),
    text(
        _PARTS.format(
            levels="SELECT k.sku_id, v.item_id, sum(v.on_hand) AS on_hand, sum(v.reserved) AS reserved "  # noqa: S608
            "FROM link k JOIN level v ON v.item_id = k.item_id WHERE k.shop_id = :shop AND k.sku_id IN :skus "
            f"{rooms.HERE} GROUP BY k.sku_id, v.item_id) lv ON lv.sku_id = k.sku_id AND lv.item_id = k.item_id"
        )
    ).bindparams(_SKUS),
)  # with a single location, and with several

_STOCK = text("""
SELECT s.sku_id, s.warehouse_id, s.available, coalesce(w.is_default, false) AS is_default
FROM stock s LEFT JOIN warehouse w ON w.shop_id = s.shop_id AND w.id = s.warehouse_id
WHERE s.shop_id = :shop AND s.sku_id IN :skus ORDER BY s.sku_id, s.warehouse_id
""").bindparams(_SKUS)


def load(connection: Connection, shop_id: str, sku_ids: Collection[str]) -> dict[str, Facts]:
    """The facts of these listings."""
    given: dict[str, Any] = {"shop": shop_id, "skus": sorted(sku_ids)}
    found = {row.sku_id: _facts(row) for row in connection.execute(_LISTINGS, given)}
    several = places.several(connection)
    for row in connection.execute(_PARTS_OF[several], given):
        if row.sku_id in found:
            fact = found[row.sku_id]
            fact.parts.append(_part(row))
            fact.elsewhere.append(row.elsewhere)
            fact.unknown |= bool(row.unknown)
            fact.halted = fact.halted or row.halted
    defaults: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_STOCK, given):
        if row.sku_id in found:
            found[row.sku_id].shown[row.warehouse_id] = row.available
            if row.is_default:
                defaults[row.sku_id].append(row.warehouse_id)
    for sku_id, facts in found.items():
        facts.first = defaults[sku_id][0] if defaults[sku_id] else min(facts.shown, default="")
    for sku_id, (served, most) in rooms.load(connection, shop_id, found).items() if several else ():
        found[sku_id].served, found[sku_id].most = served, most
    return found


def _part(row: Any) -> Part:
    return Part(
        row.on_hand, row.reserved, row.unseen, row.quantity, row.held,
        Rule(row.buffer, row.share, row.cap, row.zero_below),
        Split(row.split_at, row.split_total, row.split_from, row.split_to),
    )  # fmt: skip


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
        row.state == "suspected", moved, refusal=(row.refused_code, row.refused_at, row.refused_sentence or ""),
    )  # fmt: skip
