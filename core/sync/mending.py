"""Put the books of halted items right: add their movements up again, count their orders again, and look once more."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from core import clock
from core.store.engine import Store
from core.store.tables import Level
from core.store.upsert import upsert
from core.sync import ledger, outbox, recount, runs
from core.sync.booking import is_open
from core.sync.recount import Books

THEN = "Nothing of it is sent to TikTok until this is put right: add it up again, or count it."
By = Literal["owner", "count", "cli"]


@dataclass(frozen=True, slots=True)
class Mended:
    """The SKUs that add up again, and those that still do not."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]


def mend(store: Store, item_ids: Collection[int], by: By) -> Mended:
    """Put these items right as far as their movements and orders tell, and send them again where they add up then.

    Of an item that was counted since it was halted, the count is the truth, and the ledger gets the line that was
    missing; of any other, the sum of its movements is. All that is corrected is told in a run. Raises StoreProblem.
    """
    right: list[str] = []
    wrong: list[str] = []
    with runs.run(store, "mend", "", by) as running:
        for item_id in sorted(item_ids):
            with store.write(urgent=by == "owner") as connection:
                sku, rows, left = _mend(connection, item_id)
                runs.note(connection, running.record(), rows)
            running.counts["corrected"] += len(rows)
            (wrong if left else right).append(sku)
        running.sentence = _sentence(right, wrong, running.counts["corrected"])
        if wrong:
            running.status, running.next_step = "failed", "Count these items and enter the counts on the Count page."
    return Mended(tuple(right), tuple(wrong))


def _sentence(right: Sequence[str], wrong: Sequence[str], corrected: int) -> str:
    told = []
    if right:
        one = f"{', '.join(right[:5])}{' and more' if len(right) > 5 else ''}"
        told.append(f"{one} adds up again." if len(right) == 1 else f"{one} add up again.")
    if wrong:
        told.append(f"{', '.join(wrong[:5])} still does not add up.")
    if corrected:
        told.append(f"{corrected:,} {'number was' if corrected == 1 else 'numbers were'} corrected.")
    return " ".join(told)


def _mend(connection: Connection, item_id: int) -> tuple[str, list[dict[str, str]], list[str]]:
    """Correct one item. Returns its SKU, what was corrected as rows of a run, and what is still wrong."""
    (before,) = recount.books(connection, [item_id])
    counted = connection.execute(_COUNTED, {"id": item_id}).scalar_one()
    _add_up(connection, before, counted=bool(counted))
    _recount(connection, before)
    _book_again(connection, before)
    connection.execute(_FREE, {"id": item_id, "now": clock.now_ms(), "lease": outbox.LEASE_MS})
    if recount.shares(before.split_total, [(each.split_from, each.split_to) for each in before.listings]):
        connection.execute(_UNDIVIDED, {"id": item_id})
    (now,) = recount.books(connection, [item_id])
    left = recount.wrong(now)
    if left:
        connection.execute(_STILL, {"id": item_id, "now": clock.now_ms(), "why": f"{' '.join(left)} {THEN}"})
    else:
        connection.execute(_LIFT, {"id": item_id})
    outbox.mark_items(connection, [item_id], "its books were added up again")
    return before.sku, [*_rows(before, now)], left


_COUNTED = text("SELECT coalesce(counted_at >= halted_at, false) FROM item WHERE id = :id")
_LIFT = text("UPDATE item SET halted_at = NULL, halted_why = '' WHERE id = :id")
# Halted anew, so that the next count counts and this one is not tried for ever.
_STILL = text("""
UPDATE item SET halted_why = :why, halted_at = CASE WHEN counted_at >= :now THEN counted_at + 1 ELSE :now END
WHERE id = :id
""")
_UNDIVIDED = text("UPDATE item SET split_at = 0, split_total = 0 WHERE id = :id")  # until they are divided anew
_FREE = text("""
UPDATE outbox SET state = 'dirty', claimed_by = '', due_at = 0
WHERE state = 'claimed' AND claimed_until NOT BETWEEN :now AND :now + :lease
  AND EXISTS (SELECT 1 FROM link k WHERE k.item_id = :id AND k.shop_id = outbox.shop_id AND k.sku_id = outbox.sku_id)
""")


def _add_up(connection: Connection, books: Books, *, counted: bool) -> None:
    """Make each level the sum of its movements; after a count, book what the count found beyond that."""
    places = books.level.keys() | books.moved.keys()
    sums = {place: books.moved.get(place, (0, 0)) for place in places}
    rows = [
        {"item_id": books.item_id, "location_id": place, "on_hand": on_hand, "reserved": reserved}
        for place, (on_hand, reserved) in sums.items()
    ]
    upsert(connection, Level, rows)
    beyond = {place: books.level.get(place, (0, 0))[0] - on_hand for place, (on_hand, _) in sums.items()}
    if counted:
        note = "What a count found beyond the movements before it"
        ledger.write(
            connection,
            [{"item_id": books.item_id, "location_id": place, "on_hand": units, "reason": "count", "origin": "store",
              "note": note, "at": clock.now_ms()} for place, units in beyond.items() if units],
        )  # fmt: skip


_KEEP_UNITS = text(
    "UPDATE listing SET open_units = :opened, shipped_units = :shipped WHERE shop_id = :shop AND sku_id = :sku"
)


def _recount(connection: Connection, books: Books) -> None:
    for each in books.listings:
        if (each.open_kept, each.shipped_kept) != (each.open_units, each.shipped_units):
            given = {"opened": each.open_units, "shipped": each.shipped_units, "shop": each.shop_id, "sku": each.sku_id}
            connection.execute(_KEEP_UNITS, given)


_HOLDING = text("""
SELECT reference, location_id, sum(reserved) AS reserved FROM movement
WHERE item_id = :item AND origin IN ('tiktok', 'own shop')
GROUP BY reference, location_id HAVING sum(reserved) <> 0
""")
_LINE = text("SELECT * FROM order_line WHERE id = :id")
_ORDER = text("SELECT * FROM orders WHERE id = :id")


def _book_again(connection: Connection, books: Books) -> None:
    """Book what its open orders ask for, and release what is held for lines that do not exist."""
    reserved = sum(units for _, units in books.moved.values())
    if reserved == books.demanded + books.other:
        return
    lines: dict[str, dict[str, Mapping[Any, Any]]] = defaultdict(dict)
    for each in books.listings:
        for line in recount.lines(connection, each.shop_id, each.sku_id):
            if is_open(line["status"], line["shipped"]):
                lines[line["shop_id"]][line["id"]] = line
    for row in connection.execute(_HOLDING, {"item": books.item_id}).all():
        line = connection.execute(_LINE, {"id": row.reference}).mappings().one_or_none()
        if line is not None:
            lines[line["shop_id"]][line["id"]] = line
        else:
            _release(connection, books.item_id, row)
    for shop_id, found in lines.items():
        orders = {line["order_id"]: connection.execute(_ORDER, {"id": line["order_id"]}).mappings().one()
                  for line in found.values()}  # fmt: skip
        ledger.book_lines(connection, shop_id, orders, list(found.values()))


def _release(connection: Connection, item_id: int, held: Any) -> None:
    ledger.write(
        connection,
        [{"item_id": item_id, "location_id": held.location_id, "reserved": -held.reserved, "reason": "cancelled",
          "origin": "tiktok", "reference": held.reference, "note": "No order holds it", "at": clock.now_ms()}],
    )  # fmt: skip


def _rows(before: Books, now: Books) -> list[dict[str, str]]:
    """What was corrected, number by number."""
    numbers = [("on hand", _sum(before, 0), _sum(now, 0)), ("promised", _sum(before, 1), _sum(now, 1))]
    for old, new in zip(before.listings, now.listings, strict=True):
        numbers += [
            (f"open units of {old.sku}", old.open_kept, new.open_kept),
            (f"shipped units of {old.sku}", old.shipped_kept, new.shipped_kept),
        ]
    return [
        {"entity": before.sku, "field": name, "old": str(old), "new": str(new), "result": "corrected"}
        for name, old, new in numbers if old != new
    ]  # fmt: skip


def _sum(books: Books, which: int) -> int:
    return sum(level[which] for level in books.level.values())
