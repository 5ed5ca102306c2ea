"""What was sold that did not exist: kept by the transaction whose movement took an item below nothing, and for good."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core import clock
from core.store.chunks import chunks
from core.store.tables import Oversell
from core.store.upsert import append

_LOOKED_AT = 200  # movements that one shortage is spread over at most

_SHORT = text("""
SELECT item_id, sum(reserved) - sum(on_hand) AS short FROM level WHERE item_id IN :items
GROUP BY item_id HAVING sum(reserved) > sum(on_hand)
""").bindparams(bindparam("items", expanding=True))
# Of an item that was never counted it is not known how many there are, so nothing can be missing.
_KNOWN = text("""
SELECT i.id, CASE WHEN i.split_total > 0 THEN i.split_at ELSE 0 END AS split_at,
  EXISTS (SELECT 1 FROM oversell o WHERE o.item_id = i.id AND o.over_at IS NULL) AS noted
FROM item i WHERE i.id IN :items AND (i.counted_at IS NOT NULL
  OR (SELECT sum(on_hand) FROM level v WHERE v.item_id = i.id) > 0)
""").bindparams(bindparam("items", expanding=True))
_NEWEST = text("""
SELECT id, reserved - on_hand AS taken FROM movement WHERE item_id = :item ORDER BY id DESC LIMIT :limit
""")
_OVER = text("""
UPDATE oversell SET over_at = :now WHERE over_at IS NULL AND item_id IN :items
  AND (SELECT sum(on_hand) - sum(reserved) FROM level v WHERE v.item_id = oversell.item_id) >= 0
""").bindparams(bindparam("items", expanding=True))


def follow(connection: Connection, movements: Iterable[Mapping[Any, Any]]) -> None:
    """Keep which of the units that these movements took were not there, and since when all of them are again.

    Call it once the movements are appended and the levels carried along, in their transaction.
    """
    change: dict[int, int] = defaultdict(int)
    for each in movements:
        change[each["item_id"]] += each["on_hand"] - each["reserved"]
    for items in chunks([item for item, units in change.items() if units > 0]):
        connection.execute(_OVER, {"now": clock.now_ms(), "items": items})
    for items in chunks([item for item, units in change.items() if units < 0]):
        _keep(connection, items, change)


def counted(connection: Connection, items: Collection[int]) -> None:
    """Keep what is missing of items of which it became known only now how many there are."""
    for some in chunks(list(items)):
        _keep(connection, some, {})


def _below(connection: Connection, items: Sequence[int]) -> dict[int, int]:
    """The items of which more is promised than there is, and by how many units."""
    # Every booking passes here, nearly always in vain. Ids in the text of the query cost half of what values do.
    listed = ",".join(map(str, items))
    query = f"SELECT DISTINCT item_id FROM level WHERE item_id IN ({listed}) AND reserved > on_hand"  # noqa: S608
    some = connection.exec_driver_sql(query).scalars().all()
    if not some:
        return {}
    return {row.item_id: row.short for row in connection.execute(_SHORT, {"items": some})}


def _keep(connection: Connection, items: Sequence[int], change: Mapping[int, int]) -> None:
    short = _below(connection, items)
    if not short:
        return
    known = connection.execute(_KNOWN, {"items": sorted(short)}).all()
    rows: list[dict[str, int]] = []
    for item in known:
        # Whatever is missing of an item counts once: all of it at first, then what is missing beyond that.
        units = min(short[item.id], -change.get(item.id, 0)) if item.noted else short[item.id]
        found = {"item_id": item.id, "found_at": clock.now_ms(), "split_at": item.split_at}
        rows += [found | {"movement_id": movement, "units": part} for movement, part in _by(connection, item.id, units)]
    append(connection, Oversell, rows)


def _by(connection: Connection, item: int, units: int) -> list[tuple[int, int]]:
    """The newest movements that took so many units of an item, the oldest first, with the units of each."""
    found: list[tuple[int, int]] = []
    for row in connection.execute(_NEWEST, {"item": item, "limit": _LOOKED_AT}):
        if units <= 0:
            break
        if row.taken > 0:
            found.append((row.id, min(units, row.taken)))
            units -= row.taken
    return found[::-1]
