"""Numbers on TikTok that no order explains: suspected at once, certain only after all orders were read again.

TikTok's available units and those of all orders ever placed add up to the same sum, whatever is ordered, cancelled or
shipped. A settled reading is where that sum is measured from. It is provisional until all orders were read after it,
for only then is it known how many of them had been shipped by that moment.

While something is suspected nothing is raised. It is certain when TikTok still shows the same available and committed
units after a complete reading of the orders that began later than the first such reading: whatever was ordered or
shipped until then is known, so a hand, a campaign or another tool is what is left. At that moment its likely cause is
kept, and the shop's rule decides it or leaves it to the owner.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, text

from core import clock
from core.store.queries import drift as kept
from core.store.queries import drift_evidence
from core.sync import decisions, drift_causes, ledger, outbox, takings
from core.sync.context import ShopContext
from core.sync.drift import Reading, drift
from core.sync.verdicts import SETTLED_AFTER_MS

_SAME_MOMENT = 2  # seconds within which a shipment and a reading cannot be put in order

_FIND = text("""
SELECT sku_id, id, amount, observed, state, found_at, cause, observed - expected AS raw FROM drift
WHERE shop_id = :shop AND sku_id IN :skus AND state IN ('suspected', 'open', 'lowered')
""").bindparams(bindparam("skus", expanding=True))
_OPEN = text("""
INSERT INTO drift (shop_id, sku_id, found_at, expected, observed, amount, state, decision)
VALUES (:shop, :sku, :at, :expected, :observed, :amount, 'suspected', '')
""")
_CHANGE = text("""
UPDATE drift SET amount = :amount, expected = :expected, observed = :observed, state = 'suspected', found_at = :at,
  cause = '', evidence = '' WHERE id = :id
""")
_CERTAIN = text("UPDATE drift SET state = :state, cause = :cause, evidence = :evidence WHERE id = :id")
_OVERTAKEN = text(
    "UPDATE drift SET state = 'decided', decision = 'ours', decided_at = :at, actor = 'later' WHERE id = :id"
)
_EXPLAINED = text("UPDATE drift SET state = 'explained', decided_at = :at WHERE id = :id")
_ASKED_BEFORE = text("""
UPDATE drift SET state = 'lowered', decision = '', decided_at = NULL, actor = ''
WHERE actor = 'later' AND id = (SELECT max(id) FROM drift WHERE shop_id = :shop AND sku_id = :sku AND id < :id)
""")


def undecided(connection: Connection, shop_id: str, sku_ids: Collection[str]) -> dict[str, Any]:
    """What is suspected of these listings, or known and not decided, by SKU id."""
    return {row.sku_id: row for row in connection.execute(_FIND, {"shop": shop_id, "skus": list(sku_ids)})}


def judge(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], at: int, found: Any) -> dict[str, Any]:
    """Compare a listing, as read at `at` milliseconds, with its settled reading. Returns new values of the listing.

    `found` is what is undecided about it, or None.
    """
    if found is not None and found.state == "lowered" and read_since(shop, found.found_at, at):
        found = _revise(connection, shop, row, found, at)
        if found is not None and not found.cause:
            _certain(connection, shop, row, found)
            found = undecided(connection, shop.shop_id, [row["sku_id"]]).get(row["sku_id"])
    by_orders: dict[str, Any] = {}
    if shop.kind == "store":
        if takings.in_doubt(connection, row):
            return {}
        if row["base_shipped"] is not None or read_since(shop, row["base_at"], at, 0):
            by_orders = takings.settled(connection, shop, row)
            row = dict(row) | by_orders
    shipped = row["base_shipped"]
    if shipped is None and read_since(shop, row["base_at"], at, 0):
        shipped = _shipped_until(connection, shop, row)
    if shipped is None:
        return {}
    amount = _beyond(row, shipped)
    if amount and row["shipped_units"] > shipped:
        # A shipment from before the settled reading may have become visible only after the orders were read.
        shipped = max(shipped, _shipped_until(connection, shop, row) or 0)
        amount = _beyond(row, shipped)
    values = by_orders if row["base_shipped"] == shipped else {"base_shipped": shipped}
    if amount is not None and _keep(connection, shop, row, amount, at, found):
        values["base_available"] = row["base_available"] + amount  # decided: part of the settled number from now on
    return values


def _beyond(row: Mapping[Any, Any], shipped: int) -> int | None:
    base = Reading(row["base_available"], row["base_open"], shipped)
    return drift(base, Reading(row["available"], row["open_units"], row["shipped_units"]), row["committed"])


def _shipped_until(connection: Connection, shop: ShopContext, row: Mapping[Any, Any]) -> int | None:
    """Units ever shipped at the moment of the provisional reading; None while that cannot be told to the unit."""
    after = shipped_after(connection, shop, row, row["base_at"], _SAME_MOMENT)
    most, least = (int(row["shipped_units"]) - units for units in after)
    if least == most:
        return most
    if row["committed"] != row["open_units"]:
        return None
    # Shipped in the very moment of the reading: before it or after it, whichever leaves less unexplained.
    explains = row["available"] - row["base_available"] - row["base_open"] + row["open_units"] + row["shipped_units"]
    return int(min(max(explains, least), most))


def shipped_after(
    connection: Connection, shop: ShopContext, row: Mapping[Any, Any], moment: int, unsure: int
) -> tuple[int, int]:
    """The least and the most units of a listing that were shipped after a moment (ms).

    TikTok tells whole seconds, so what was shipped within two seconds of it, or up to `unsure` seconds before it, may
    count or not.
    """
    time = moment // 1000 + shop.skew
    late, early = time + _SAME_MOMENT, time - unsure
    given = {"shop": row["shop_id"], "sku": row["sku_id"], "late": late, "early": early}
    own = connection.execute(_OWN_LINES, given).one()
    if own.shipped == row["shipped_units"]:
        return own.late or 0, own.early or 0
    after = (_units(connection, _SHIPPED_AFTER, row, time=each) for each in (late, early))
    return next(after), next(after)


# Nearly every listing is sold only by itself and shipped by ourselves, and then an index answers.
_OWN_LINES = text("""
SELECT count(*) AS shipped, sum(CASE WHEN shipped_time > :late THEN 1 ELSE 0 END) AS late,
  sum(CASE WHEN shipped_time > :early THEN 1 ELSE 0 END) AS early
FROM order_line WHERE sku_id = :sku AND shop_id = :shop AND shipped AND components = ''
""")
_SHIPPED_AFTER = text("""
SELECT l.sku_id, l.components FROM order_line l JOIN orders o ON o.id = l.order_id
WHERE l.shop_id = :shop AND (l.sku_id = :sku OR l.components LIKE :part) AND l.shipped AND l.shipped_time > :time
  AND o.fulfillment_type <> 'FULFILLMENT_BY_TIKTOK'
""")


def _keep(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], amount: int, at: int, found: Any) -> bool:
    """Keep what nothing explains, or that it is explained now. True when the shop's rule decided it at once."""
    where = {"shop": row["shop_id"], "sku": row["sku_id"]}
    if amount == 0:
        if found is not None and found.state != "lowered":
            _explained(connection, row, at, found.id, "what TikTok shows is explained")
        return False
    sure = read_since(shop, row["observed_at"], at)
    shown = {"amount": amount, "observed": row["available"], "expected": row["available"] - amount, "at": at}
    if found is None:
        connection.execute(_OPEN, where | shown)
        _look(connection, row, shop.sure_after_ms + 500, "an unexplained number is read once more")
        return False
    if found.state == "lowered":
        # Whoever typed the first number may have typed it again, so the two are never added up.
        connection.execute(_OVERTAKEN, {"at": at, "id": found.id})
        connection.execute(_OPEN, where | shown)
    elif found.amount != amount:
        connection.execute(_CHANGE, shown | {"id": found.id})
    found = undecided(connection, shop.shop_id, [row["sku_id"]])[row["sku_id"]]
    if not sure or found.state != "suspected":
        return False
    if 0 < amount <= _erased(connection, shop, row, row["base_at"]):
        _explained(connection, row, at, found.id, "a write of ours came over an order")
        return True
    return _certain(connection, shop, row, found)


def _erased(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], since: int) -> int:
    """Units of orders placed while a write of ours was under way, which may have given them back; `since` is in ms."""
    given = {"shop": row["shop_id"], "sku": row["sku_id"], "base": since - _UNDER_WAY_MS}
    writes = connection.execute(_WRITES, given).all()
    spans = [(intent // 1000 + shop.skew, answered // 1000 + shop.skew) for intent, answered in writes]
    return sum(
        _units(connection, _PLACED, row, early=early - _SAME_MOMENT, late=late + _SAME_MOMENT) for early, late in spans
    )


_UNDER_WAY_MS = 60_000
_WRITES = text("""
SELECT intent_at, coalesce(answered_at, intent_at) FROM push
WHERE shop_id = :shop AND sku_id = :sku AND intent_at >= :base AND outcome IN ('confirmed', 'contradicted', 'accepted')
""")
_PLACED = text("""
SELECT l.sku_id, l.components FROM orders o JOIN order_line l ON l.order_id = o.id
WHERE o.shop_id = :shop AND o.create_time BETWEEN :early AND :late AND (l.sku_id = :sku OR l.components LIKE :part)
  AND o.fulfillment_type <> 'FULFILLMENT_BY_TIKTOK'
""")


def _explained(connection: Connection, row: Mapping[Any, Any], at: int, drift_id: int, reason: str) -> None:
    """Orders explain it after all; a question whose place it took is open again."""
    connection.execute(_EXPLAINED, {"at": at, "id": drift_id})
    connection.execute(_ASKED_BEFORE, {"shop": row["shop_id"], "sku": row["sku_id"], "id": drift_id})
    _look(connection, row, 0, reason)


def _certain(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], found: Any) -> bool:
    """Every order is known, and still nothing explains it: keep the likely cause. True when the shop's rule decided."""
    evidence = drift_evidence.evidence(connection, row, found, valid_ms=SETTLED_AFTER_MS)
    cause = drift_causes.likely(evidence, shop.zone)
    state = "lowered" if found.state == "lowered" else "open"
    told = {"state": state, "cause": cause.cause.value, "evidence": cause.sentence, "id": found.id}
    connection.execute(_CERTAIN, told)
    rule = decisions.rule_of(connection, shop.shop_id)
    if rule == "ask":
        return False
    asked = kept.these(connection, [found.id])[0]
    choice = decisions.by_rule(asked, rule, doubtful=evidence.doubtful, settled=row["settled_at"] is not None)
    if choice is not None:
        decisions.settle(connection, asked, choice, actor=decisions.RULE)
    return choice is not None


def read_since(shop: ShopContext, moment: int, at: int, lag: int | None = None) -> bool:
    """Whether all orders were read, `lag` or more after this moment and before `at`; all in milliseconds."""
    scan, lag = shop.scanned, shop.sure_after_ms if lag is None else lag
    return scan is not None and scan.began_at >= moment + lag and scan.ended_at <= at


def _revise(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], found: Any, at: int) -> Any:
    """A suspicion that a write of ours overtook: orders placed before it that were heard of since may explain it.

    Returns what is left of it.
    """
    least, most = _heard_later(connection, shop, row, found.found_at)
    amount = found.raw + max(least, min(most, -found.raw))
    if shop.kind == "store" and amount * found.raw < 0:
        amount = 0  # an order of the moment of the settled reading had been counted once too often
    if 0 < amount <= _erased(connection, shop, row, found.found_at):
        amount = 0
    if amount == 0:
        _explained(connection, row, at, found.id, "what TikTok showed is explained")
        return None
    if amount != found.amount:
        connection.execute(_AMOUNT, {"amount": amount, "id": found.id})
    return found


def _heard_later(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], found_at: int) -> tuple[int, int]:
    """The least and the most units that orders had taken when a number was found, and of which we heard later."""
    if shop.kind == "store":
        return takings.heard_later(connection, shop, row, found_at)
    time = found_at // 1000 + shop.skew
    least, most = (
        _units(connection, _HEARD_LATER, row, found=found_at, time=time + apart)
        for apart in (-_SAME_MOMENT, _SAME_MOMENT)
    )
    return least, most


_AMOUNT = text("UPDATE drift SET amount = :amount WHERE id = :id")
_HEARD_LATER = text("""
SELECT l.sku_id, l.components FROM orders o JOIN order_line l ON l.order_id = o.id
WHERE o.shop_id = :shop AND o.first_seen_at > :found AND o.create_time <= :time
  AND (l.sku_id = :sku OR l.components LIKE :part) AND (l.shipped OR l.status <> 'CANCELLED')
  AND o.fulfillment_type <> 'FULFILLMENT_BY_TIKTOK'
""")


def _units(connection: Connection, query: TextClause, row: Mapping[Any, Any], **given: object) -> int:
    """Units of this listing on the order lines that a query finds, bundles taken apart."""
    values = {"shop": row["shop_id"], "sku": row["sku_id"], "part": f"%{row['sku_id']}*%"} | given
    lines = connection.execute(query, values).mappings()
    return sum(count for line in lines for sku, count in ledger.stock_units(line) if sku == row["sku_id"])


def _look(connection: Connection, row: Mapping[Any, Any], in_ms: int, reason: str) -> None:
    outbox.look_again(connection, row["shop_id"], row["sku_id"], clock.now_ms() + in_ms, reason)
