"""Take over TikTok's numbers: a plan that counts what is on hand as TikTok shows it, where the truth starts there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, text, update

from core import clock
from core.store.engine import Store
from core.store.tables import Plan, PlanRow
from core.store.upsert import table
from core.sync import approval, decisions, inverses, ledger, outbox, reconcile, stakes
from core.sync.plans import Proposed, replace_proposed
from core.sync.runs import Running

KIND = "adopt"
_ROW = table(PlanRow)
_ALONE = text("""
SELECT k.sku_id, k.item_id FROM link k
WHERE k.shop_id = :shop AND k.sku_id IN :skus AND k.quantity = 1
  AND (SELECT count(*) FROM link a WHERE a.shop_id = k.shop_id AND a.sku_id = k.sku_id) = 1
  AND (SELECT count(*) FROM link b WHERE b.item_id = k.item_id) = 1
""").bindparams(bindparam("skus", expanding=True))
_MOVED = "Stock moved after you reviewed this. Please review it again."
_RESULT = text("UPDATE plan_row SET state = :state, result = :result WHERE plan_id = :plan AND entity = :sku")


@dataclass(frozen=True, slots=True)
class _Count:
    sku_id: str
    item_id: int
    old: int
    new: int


def propose(store: Store, shop_id: str, sku_ids: Collection[str], *, actor: str) -> Proposed:
    """Plan to count these listings' items as TikTok's available plus what open orders hold; nothing is booked by this.

    Listings that share their item with others, or sell several together, are left out: TikTok's number does not say
    how many there are of each.
    """
    with store.write(urgent=True) as connection:
        counts = _counts(connection, shop_id, sku_ids)
        plan_id = replace_proposed(connection, KIND, shop_id, actor, "")
        stakes.keep(connection, shop_id, [_row(plan_id, count) for count in counts])
        warning = approval.weigh(connection, plan_id)
    return Proposed(plan_id, len(counts), warning)


def _counts(connection: Connection, shop_id: str, sku_ids: Collection[str]) -> list[_Count]:
    alone = {row.sku_id: row.item_id for row in connection.execute(_ALONE, {"shop": shop_id, "skus": list(sku_ids)})}
    found = reconcile.rows(connection, shop_id=shop_id, only="different", limit=None)
    return [
        _Count(row.sku_id, alone[row.sku_id], row.on_hand or 0, row.available + (row.reserved or 0) + (row.unseen or 0))
        for row in found
        if row.sku_id in alone and row.available is not None and row.state != "waiting" and not _leaving(row)
    ]


def _leaving(row: reconcile.StockRow) -> bool:
    """Whether units have left TikTok's hold, shipped or cancelled, of which no word has come yet."""
    return (row.committed or 0) < (row.reserved or 0)


def _row(plan_id: int, count: _Count) -> dict[str, object]:
    return {
        "plan_id": plan_id, "entity": count.sku_id, "field": "on hand", "old": str(count.old),
        "read_at": clock.now_ms(), "new": str(count.new), "rule": "what TikTok shows plus what open orders hold",
        "state": "proposed", "result": "",
    }  # fmt: skip


def run(store: Store, plan_id: int, running: Running) -> None:
    """Book an approved plan in one transaction; a row whose numbers moved since goes back to review."""
    run_id = running.record()
    with store.write(urgent=True) as connection:
        shop_id = connection.execute(text("SELECT shop_id FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
        chosen = select(_ROW).where(_ROW.c.plan_id == plan_id, _ROW.c.state == "proposed")
        wanted = {row.entity: row for row in connection.execute(chosen)}
        now = {count.sku_id: count for count in _counts(connection, shop_id, wanted.keys())}
        good = [
            count
            for sku, row in wanted.items()
            if (count := now.get(sku)) and (str(count.old), str(count.new)) == (row.old, row.new)
        ]
        if good:
            _book(connection, shop_id, plan_id, good)
        done = {count.sku_id for count in good}
        results = [
            {"plan": plan_id, "sku": sku, "state": "done" if sku in done else "review",
             "result": "Counted as TikTok shows it." if sku in done else _MOVED}
            for sku in wanted
        ]  # fmt: skip
        if results:
            connection.execute(_RESULT, results)
        plan = table(Plan)
        connection.execute(update(plan).where(plan.c.id == plan_id).values(state="done", run_id=run_id))
    left = len(wanted) - len(good)
    running.counts["counted"] = len(good)
    running.sentence = f"{len(good)} {'number' if len(good) == 1 else 'numbers'} taken over from TikTok."
    if left:
        running.sentence += f" {left} moved meanwhile and came back to review."


def _book(connection: Connection, shop_id: str, plan_id: int, counts: Sequence[_Count]) -> None:
    changes = [(count.item_id, count.new - count.old) for count in counts]
    with inverses.counting(connection, plan_id, [item_id for item_id, _ in changes]):
        ledger.count(connection, changes, actor="owner", origin="tiktok", reference=f"plan:{plan_id}")
    for count in counts:
        decisions.take_over(connection, shop_id, count.sku_id)
    outbox.mark_items(connection, [count.item_id for count in counts], "you took over TikTok's number")
