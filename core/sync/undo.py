"""Undo: the plan that takes another one back, row by row, and says which rows have to stay and why."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from core import clock
from core.store.chunks import chunks
from core.store.engine import Store
from core.sync import approval, ledger, outbox, stakes
from core.sync.plans import Proposed, replace_proposed
from core.sync.runs import Running

KIND = "undo"
_MOVED = "Stock moved after you reviewed this. Please review it again."


@dataclass(frozen=True, slots=True)
class Back:
    """One row to take back: from the value of now to the one before the plan, and the rule that says why.

    `cannot` is the sentence why the row has to stay as it is, or "". `change` is given where the values are no units by
    themselves. Where units of an item go back, `item_id` names it, and `counted_at` (ms) is the count that holds then.
    """

    entity: str
    field: str
    old: str
    new: str
    rule: str
    cannot: str = ""
    change: int | None = None
    item_id: int | None = None
    counted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Inverse:
    """How a plan is taken back: the kind of the plan that does it, its rows, and what that kind needs beside them."""

    kind: str
    rows: Sequence[Back]
    payload: str = "{}"


Invert = Callable[[Connection, int], Inverse]


class CannotUndo(Exception):
    """There is nothing of this plan that could be taken back."""

    def __init__(self, sentence: str, next_step: str = "") -> None:
        super().__init__(f"{sentence} {next_step}".strip())
        self.sentence = sentence
        self.next_step = next_step


def propose(
    store: Store, plan_id: int, invert: Invert, *, actor: str, only: Collection[str] = ()
) -> Proposed:  # fmt: skip
    """Plan to take back what a plan has done, or only these entities; nothing is changed by this. Raises CannotUndo.

    Only rows that were done are in it; those that can no longer be undone are in it with the reason.
    """
    with store.write(urgent=True) as connection:
        plan = connection.execute(text("SELECT state, shop_id FROM plan WHERE id = :id"), {"id": plan_id}).one()
        if plan.state not in ("done", "stopped"):
            raise CannotUndo("This plan has not been run to its end, so there is nothing to undo yet.")
        settle(connection, plan_id)
        _check_done(connection, plan_id)
        inverse = invert(connection, plan_id)
        new_id = replace_proposed(
            connection, inverse.kind, plan.shop_id, actor, "", undo_of=plan_id, payload=inverse.payload
        )
        rows = [back for back in inverse.rows if not only or back.entity in only]
        stakes.keep(connection, plan.shop_id, [_row(new_id, back) for back in rows])
        warning = approval.weigh(connection, new_id)
    return Proposed(new_id, sum(not back.cannot for back in rows), warning)


def _row(plan_id: int, back: Back) -> dict[str, object]:
    return {
        "plan_id": plan_id, "entity": back.entity, "field": back.field, "old": back.old, "new": back.new,
        "rule": back.rule, "read_at": clock.now_ms(), "state": "cannot" if back.cannot else "proposed",
        "result": back.cannot,
    } | ({} if back.change is None else {"change": back.change})  # fmt: skip


def _check_done(connection: Connection, plan_id: int) -> None:
    query = text("SELECT state, count(*) AS n FROM plan_row WHERE plan_id = :id GROUP BY state")
    states = {row.state: row.n for row in connection.execute(query, {"id": plan_id})}
    if states.get("done"):
        return
    if states.get("undone"):
        raise CannotUndo("This plan was undone already.", "To take that back, undo the plan that undid it.")
    raise CannotUndo("This plan has changed nothing, so there is nothing to undo.")


_SETTLE = text("""
UPDATE plan_row SET state = CASE WHEN told.outcome = 'confirmed' THEN 'done' ELSE 'review' END, result = told.result
FROM (SELECT p.id AS plan_id, x.sku_id, x.outcome, CASE WHEN x.outcome = 'confirmed'
    THEN 'Sent; a later reading showed it on TikTok.' ELSE 'It did not arrive on TikTok.' END AS result
  FROM plan p JOIN push x ON x.shop_id = p.shop_id AND x.run_id = p.run_id
  WHERE p.id = :id AND x.outcome IN ('confirmed', 'lost', 'refused', 'contradicted', 'not sent')
    AND x.id = (SELECT max(y.id) FROM push y
      WHERE y.shop_id = x.shop_id AND y.sku_id = x.sku_id AND y.run_id = x.run_id)
) AS told
WHERE plan_row.plan_id = told.plan_id AND plan_row.entity = told.sku_id AND plan_row.state = 'unsure'
""")


def settle(connection: Connection, plan_id: int) -> None:
    """Later readings may have told what became of rows whose answer was lost; then they are done, or to be reviewed."""
    if connection.execute(_UNSURE, {"id": plan_id}).first() is not None:
        connection.execute(_SETTLE, {"id": plan_id})


_UNSURE = text("SELECT 1 FROM plan_row WHERE plan_id = :id AND state = 'unsure' LIMIT 1")
_CHOSEN = text("SELECT entity, field, old, new FROM plan_row WHERE plan_id = :id AND state = 'proposed'")
_RESULT = text("""
UPDATE plan_row SET state = :state, result = :result WHERE plan_id = :plan AND entity = :entity AND field = :field
""")
_COUNTED_AT = text("SELECT id, counted_at FROM item WHERE id IN :items").bindparams(bindparam("items", expanding=True))
_COUNTED = text("UPDATE item SET counted_at = :counted WHERE id = :item")


def run(store: Store, plan_id: int, running: Running, invert: Invert) -> None:
    """Book an approved undo in one transaction; a row whose numbers moved since goes back to review."""
    run_id = running.record()
    with store.write(urgent=True) as connection:
        plan = connection.execute(text("SELECT undo_of, actor FROM plan WHERE id = :id"), {"id": plan_id}).one()
        now = {(back.entity, back.field): back for back in invert(connection, plan.undo_of).rows}
        good, results = [], []
        for row in connection.execute(_CHOSEN, {"id": plan_id}).all():
            back = now.get((row.entity, row.field))
            same = back is not None and not back.cannot and (back.old, back.new) == (row.old, row.new)
            if back is not None and same:
                good.append(back)
            state, result = ("done", "Taken back.") if same else ("review", (back and back.cannot) or _MOVED)
            results.append(
                {"plan": plan_id, "entity": row.entity, "field": row.field, "state": state, "result": result}
            )
        if results:
            connection.execute(_RESULT, results)
        _book(connection, plan_id, good, plan.actor)
        mark(connection, plan_id)
        connection.execute(
            text("UPDATE plan SET state = 'done', run_id = :run WHERE id = :id"), {"run": run_id, "id": plan_id}
        )
    left = len(results) - len(good)
    running.counts["taken back"] = len(good)
    running.sentence = f"{len(good)} {'change' if len(good) == 1 else 'changes'} taken back."
    if left:
        running.sentence += f" {left} moved meanwhile and came back to review."


def _book(connection: Connection, plan_id: int, rows: Sequence[Back], actor: str) -> None:
    moved = [(back, int(back.new) - int(back.old)) for back in rows if back.item_id is not None]
    if not moved:
        return
    items = [back.item_id for back, _ in moved if back.item_id is not None]
    before = counted(connection, items)
    ledger.write(
        connection,
        [{"item_id": back.item_id, "on_hand": change, "reason": "undo", "origin": "owner", "actor": actor,
          "reference": f"plan:{plan_id}", "at": clock.now_ms()} for back, change in moved if change],
    )  # fmt: skip
    connection.execute(_COUNTED, [{"item": back.item_id, "counted": back.counted_at} for back, _ in moved])
    kept = {str(back.item_id): (before[back.item_id], back.counted_at) for back, _ in moved if back.item_id}
    connection.execute(
        text("UPDATE plan SET payload = :kept WHERE id = :id"), {"kept": json.dumps({"counted": kept}), "id": plan_id}
    )
    outbox.mark_items(connection, items, "you took a plan back")


def counted(connection: Connection, item_ids: Collection[int]) -> dict[int, int | None]:
    """When these items were last counted, in milliseconds."""
    ids = sorted(item_ids)
    found: dict[int, int | None] = {}
    for part in chunks(ids):
        rows = connection.execute(_COUNTED_AT, {"items": part})
        found |= {row.id: row.counted_at for row in rows}
    return found


_UNDONE = text("""
UPDATE plan_row SET state = :new WHERE plan_id = :of AND state = :old AND EXISTS (SELECT 1 FROM plan_row u
  WHERE u.plan_id = :id AND u.entity = plan_row.entity AND u.state = 'done')
""")


def mark(connection: Connection, plan_id: int) -> None:
    """What this plan took back is undone in the plan it belongs to; an undo that is undone puts that in force again."""
    chain = text(
        "SELECT a.undo_of AS of, b.undo_of AS before FROM plan a JOIN plan b ON b.id = a.undo_of WHERE a.id = :id"
    )
    plan = connection.execute(chain, {"id": plan_id}).one_or_none()
    if plan is None:
        return
    connection.execute(_UNDONE, {"id": plan_id, "of": plan.of, "old": "done", "new": "undone"})
    if plan.before is not None:
        connection.execute(_UNDONE, {"id": plan_id, "of": plan.before, "old": "undone", "new": "done"})
