"""How plans that moved stock are taken back: each row as an inverse movement, or the reason why it has to stay."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from core.store.chunks import chunks
from core.sync import facts as known
from core.sync.facts import Facts
from core.sync.targets import Part, target
from core.sync.undo import KIND, Back, Inverse, counted


@contextmanager
def counting(connection: Connection, plan_id: int, item_ids: Collection[int]) -> Iterator[None]:
    """Keep with a plan when its items were counted before and after what is done inside, so that it can be undone."""
    before = counted(connection, item_ids)
    yield
    after = counted(connection, item_ids)
    kept = {str(item): (before[item], after[item]) for item in before}
    query = text("UPDATE plan SET payload = :payload WHERE id = :id")
    connection.execute(query, {"id": plan_id, "payload": json.dumps({"counted": kept})})


# Movements that say how much there is; after one of them, the numbers before it mean nothing any more. All others,
# such as sales and goods received, add to whatever was there.
_SAYS = "('count', 'taken over from TikTok', 'undo')"
_BOOKED = text(f"""
WITH mine AS (
  SELECT item_id, sum(on_hand) AS booked, max(id) AS last FROM movement
  WHERE reference IN ('plan:' || :plan, 'run:' || :run) AND reference <> '' GROUP BY item_id
)
SELECT r.entity, r.field, i.id AS item_id, i.counted_at, mine.booked,
  coalesce((SELECT sum(v.on_hand) FROM level v WHERE v.item_id = i.id), 0) AS on_hand,
  (SELECT max(m.at) FROM movement m WHERE m.item_id = i.id AND m.id > mine.last AND m.reason IN {_SAYS}) AS said_at,
  (SELECT -coalesce(sum(m.on_hand), 0) FROM movement m
   WHERE m.item_id = i.id AND m.id > mine.last AND m.reason NOT IN {_SAYS}) AS gone
FROM plan_row r JOIN plan p ON p.id = r.plan_id
LEFT JOIN link k ON k.shop_id = p.shop_id AND k.sku_id = r.entity
LEFT JOIN item i ON i.id = k.item_id OR (p.shop_id = '' AND i.sku = r.entity)
LEFT JOIN mine ON mine.item_id = i.id
WHERE r.plan_id = :plan AND r.state = 'done' ORDER BY r.entity, mine.booked IS NULL, i.id
""")  # noqa: S608 (constants)
# A unit that had left between the two counts but became known after the later one was never taken off.
_LATE = text("""
SELECT 1 FROM link k JOIN order_line l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id
WHERE k.item_id = :item AND l.shipped
  AND (l.shipped_time + 1) * 1000 > :before AND (l.shipped_time + 1) * 1000 <= :after
  AND NOT EXISTS (SELECT 1 FROM movement m WHERE m.reference = l.id AND m.item_id = k.item_id AND m.on_hand <> 0)
LIMIT 1
""")


def of_counts(connection: Connection, plan_id: int) -> Inverse:
    """Take back a plan that counted items: what it booked goes back, and what was sold or received since stays."""
    plan = connection.execute(text("SELECT run_id, payload FROM plan WHERE id = :id"), {"id": plan_id}).one()
    counts = json.loads(plan.payload).get("counted", {})
    zone, seen, rows = _zone(connection, plan_id), set[int](), {}
    for row in connection.execute(_BOOKED, {"plan": str(plan_id), "run": str(plan.run_id or "none")}):
        if (row.entity, row.field) not in rows:
            before, after = counts.get(str(row.item_id), (row.counted_at, row.counted_at))
            why = _stays(connection, row, before, after, zone)
            if not why and row.item_id in seen:
                why = "It shares its item with another row, which takes it back."
            seen.add(row.item_id)
            rows[row.entity, row.field] = _back(row, before, why)
    return Inverse(KIND, tuple(rows.values()))


def _back(row: Any, before: int | None, why: str) -> Back:
    new = row.on_hand - (row.booked or 0)
    since = f", {_since(row.gone)}" if row.gone else ""
    rule = f"what was booked ({row.booked:+d}) goes back{since}" if not why else ""
    return Back(
        row.entity,
        "on hand",
        str(row.on_hand),
        str(row.on_hand if why else new),
        rule,
        why,
        item_id=row.item_id,
        counted_at=before,
    )


def _stays(connection: Connection, row: Any, before: int | None, after: int | None, zone: ZoneInfo) -> str:
    """Why a row cannot be taken back, or nothing."""
    if not row.booked:
        return "Nothing was booked for it, or it was linked to another item since."
    if row.said_at is not None:
        return f"Counted again on {_moment(row.said_at, zone)}."
    if row.counted_at != after:
        return f"Counted again on {_moment(row.counted_at, zone)}." if row.counted_at else "It was counted again since."
    if row.on_hand < row.booked:
        return "More has left since than there was before."
    given = {"item": row.item_id, "before": before, "after": after}
    if before is not None and after is not None and connection.execute(_LATE, given).first() is not None:
        return "An order that had left before became known only later, so the number before is wrong. Count the item."
    return ""


def _since(gone: int) -> str:
    return f"{gone} left since" if gone > 0 else f"{-gone} came in since"


_SENT = text(f"""
SELECT r.entity, r.field, k.item_id, k.quantity, i.counted_at, first.read_available AS was, last.target AS sent,
  last.intent_at, coalesce((SELECT sum(v.on_hand) FROM level v WHERE v.item_id = k.item_id), 0) AS on_hand,
  (SELECT count(*) FROM link a WHERE a.shop_id = p.shop_id AND a.sku_id = r.entity) AS parts,
  (SELECT count(*) FROM link b WHERE b.item_id = k.item_id) AS listings,
  (SELECT max(m.at) FROM movement m
   WHERE m.item_id = k.item_id AND m.at > last.intent_at AND m.reason IN {_SAYS}) AS said_at
FROM plan_row r JOIN plan p ON p.id = r.plan_id
LEFT JOIN push first ON first.id = (SELECT min(a.id) FROM push a WHERE a.shop_id = p.shop_id AND a.sku_id = r.entity
  AND a.run_id = p.run_id AND a.outcome NOT IN ('refused', 'not sent', 'lost'))
LEFT JOIN push last ON last.id = (SELECT max(b.id) FROM push b WHERE b.shop_id = p.shop_id AND b.sku_id = r.entity
  AND b.run_id = p.run_id AND b.outcome NOT IN ('refused', 'not sent', 'lost'))
LEFT JOIN link k ON k.shop_id = p.shop_id AND k.sku_id = r.entity
LEFT JOIN item i ON i.id = k.item_id
WHERE r.plan_id = :plan AND r.state = 'done' ORDER BY r.entity, k.item_id
""")  # noqa: S608 (constants)


def of_resync(connection: Connection, plan_id: int) -> Inverse:
    """Take back a plan that brought TikTok to our numbers: count each item so that TikTok shows what it showed before.

    What was sold since stays sold: of 12 shown before, 9 are shown again when 3 were sold.
    """
    shop_id = connection.execute(text("SELECT shop_id FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
    zone = _zone(connection, plan_id)
    sent = {row.entity: row for row in connection.execute(_SENT, {"plan": plan_id})}
    now = _facts(connection, shop_id, list(sent))
    return Inverse(KIND, [_resent(row, now.get(entity), zone) for entity, row in sent.items()])


def _facts(connection: Connection, shop_id: str, skus: Sequence[str]) -> dict[str, Facts]:
    found: dict[str, Facts] = {}
    for part in chunks(skus):
        found |= known.load(connection, shop_id, part)
    return found


def _resent(row: Any, fact: Facts | None, zone: ZoneInfo) -> Back:
    why = _held(row, fact, zone)
    if not why:
        assert fact is not None
        assert fact.target is not None
        change = row.was - row.sent
        on_hand, shows = _count_for(fact.parts[0], fact.target, change)
        if on_hand is not None and on_hand >= 0:
            rule = _again(row.was, shows, row.sent - fact.target)
            then = {"item_id": row.item_id, "counted_at": row.counted_at}
            return Back(row.entity, "on hand", str(row.on_hand), str(on_hand), rule, **then)
        why = f"Your rules for it do not let TikTok show {max(0, fact.target + change)}."
    return Back(row.entity, "on hand", str(row.on_hand or 0), str(row.on_hand or 0), "", why)


def _again(was: int, shows: int, sold: int) -> str:
    if shows == was:
        return f"TikTok shows {was} again"
    if sold and shows == was - sold:
        return f"TikTok showed {was}; {_since(sold)}, so {shows}"
    return f"TikTok showed {was}; by what is free and by your rules now {shows}"


def _held(row: Any, fact: Facts | None, zone: ZoneInfo) -> str:
    """Why TikTok's number from before cannot come back, or nothing."""
    if row.was is None:
        return "It was even already, and nothing was sent."
    if row.parts != 1 or row.quantity != 1:
        return "It sells several together, so TikTok's number does not say how many there are of each."
    if row.listings != 1:
        return "Its item is sold in other listings too, so TikTok's number does not say how many there are."
    if fact is None or fact.target is None:
        return "Its stock is not known any more."
    if fact.halted:
        return fact.halted
    if row.said_at is not None or (row.counted_at or 0) > row.intent_at:
        return f"Counted again on {_moment(max(row.said_at or 0, row.counted_at or 0), zone)}."
    if fact.drift:
        return "Somebody changed the number on TikTok since. Decide on that first, on the Stock page."
    return ""


def _count_for(part: Part, now: int, change: int) -> tuple[int | None, int]:
    """The units on hand with which TikTok shows `change` more than `now`, and what it shows then; None for none.

    Without a rule that bends the number, one unit more is one unit more offered: on TikTok, or of the last units by
    another channel.
    """
    if part.rule.share == 100 and part.rule.cap is None and not part.rule.zero_below:
        return part.on_hand + change, target([replace(part, on_hand=part.on_hand + change)])
    aim, step = now + change, 1 if change > 0 else -1
    for units in range(part.on_hand, part.on_hand + 100 * change + step, step):
        shows = target([replace(part, on_hand=units)])
        if shows == aim:
            return units, shows
    return None, aim


def _zone(connection: Connection, plan_id: int) -> ZoneInfo:
    query = text("SELECT s.timezone FROM plan p JOIN shop s ON s.id = p.shop_id OR p.shop_id = '' WHERE p.id = :id")
    return ZoneInfo(connection.execute(query, {"id": plan_id}).scalars().first() or "UTC")


def _moment(at: int, zone: ZoneInfo) -> str:
    then = datetime.fromtimestamp(at / 1000, zone)
    return f"{then.day} {then:%b at %H:%M}"
