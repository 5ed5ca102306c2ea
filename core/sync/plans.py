"""Plans: changes as a list that can be read before anything is written, then sent and kept with its result."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text, update

from core import clock
from core.store.engine import Store
from core.store.tables import Plan, PlanRow
from core.store.upsert import table
from core.sync import approval, push, reconcile, stakes
from core.sync.approval import NotConfirmed, PlanGone, approve
from core.sync.choosing import Approval
from core.sync.context import ShopContext
from core.sync.runs import Running

__all__ = [
    "NotConfirmed", "PlanGone", "Proposed", "approve", "finish", "keep_done", "propose_resync", "replace_proposed",
    "run", "send",
]  # fmt: skip
_PLAN = table(Plan)
_ROW = table(PlanRow)
_PATIENCE = 100  # tenths of a second


@dataclass(frozen=True, slots=True)
class Proposed:
    """A plan as proposed: its id, how many rows it has, and the warning that makes it wait for a typed number."""

    id: int
    rows: int
    warning: str


def propose_resync(store: Store, shop_id: str, sku_ids: Collection[str] | None, *, actor: str) -> Proposed:
    """Plan to bring TikTok's numbers to our targets: for these listings, or for every one that differs.

    Listings that must wait (orders not seen yet, a lost answer) are left out; nothing is sent by this.
    """
    with store.write(urgent=True) as connection:
        found = [
            row
            for row in reconcile.rows(connection, shop_id=shop_id, only="different", limit=None)
            if row.state not in ("waiting", "halted") and (sku_ids is None or row.sku_id in sku_ids)
        ]
        plan_id = replace_proposed(connection, "resync", shop_id, actor, "")
        now = clock.now_ms()
        stakes.keep(connection, shop_id, [_plan_row(plan_id, row, now) for row in found])
        warning = approval.weigh(connection, plan_id)
    return Proposed(plan_id, len(found), warning)


def replace_proposed(
    connection: Connection, kind: str, shop_id: str, actor: str, warning: str, *, undo_of: int | None = None,
    payload: str = "{}",
) -> int:  # fmt: skip
    """A new empty plan in the place of the shop's plans that still wait for a yes. Returns its id."""
    waiting = (_PLAN.c.shop_id == shop_id, _PLAN.c.state == "proposed")
    connection.execute(update(_PLAN).where(*waiting).values(state="replaced"))
    values = {
        "kind": kind, "shop_id": shop_id, "state": "proposed", "actor": actor, "created_at": clock.now_ms(),
        "warning": warning, "undo_of": undo_of, "payload": payload,
    }  # fmt: skip
    return int(connection.execute(insert(_PLAN).values(values).returning(_PLAN.c.id)).scalar_one())


def keep_done(connection: Connection, kind: str, actor: str, run_id: int) -> int:
    """A plan of no one shop, reviewed and carried out at once, kept so that it can be undone. Returns its id."""
    now = clock.now_ms()
    values = {
        "kind": kind, "shop_id": "", "state": "done", "actor": actor, "created_at": now, "approved_at": now,
        "run_id": run_id, "warning": "", "payload": "{}",
    }  # fmt: skip
    return int(connection.execute(insert(_PLAN).values(values).returning(_PLAN.c.id)).scalar_one())


def _plan_row(plan_id: int, row: reconcile.StockRow, now: int) -> dict[str, object]:
    return {
        "plan_id": plan_id, "entity": row.sku_id, "field": "available", "old": str(row.available), "read_at": now,
        "new": str(row.target), "rule": _rule(row), "state": "proposed", "result": "",
    }  # fmt: skip


def _rule(row: reconcile.StockRow) -> str:
    """How the new number comes about, in words."""
    if row.parts > 1:
        return f"as many as the scarcest of its {row.parts} items allows"
    less = (
        (row.unseen, "held on TikTok"),
        (row.held, "shown where TikTok lets nobody lower"),
        (row.buffer, "kept back"),
    )
    then = [
        f"{row.share}% of that" if row.share not in (None, 100) else "",
        "its share of the last units" if row.split else "",
        f"at most {row.cap}" if row.cap is not None else "",
        f"none below {row.zero_below} free" if row.zero_below else "",
    ]
    first = f"{row.on_hand} on hand minus {row.reserved} promised"
    first += "".join(f" minus {units} {words}" for units, words in less if units)
    return ", ".join([first, *(each for each in then if each)])


def run(shop: ShopContext, plan_id: int, running: Running) -> None:
    """Send an approved plan; each row ends as confirmed, refused, even, or back in review with the reason."""
    run_id = running.record()
    with shop.store.write(urgent=True) as connection:
        query = select(_ROW).where(_ROW.c.plan_id == plan_id, _ROW.c.state == "proposed")
        rows = connection.execute(query).all()
        connection.execute(update(_PLAN).where(_PLAN.c.id == plan_id).values(state="running", run_id=run_id))
    left = {row.entity: Approval(int(row.old), int(row.new), row.read_at) for row in rows}
    try:
        send(shop, plan_id, running, left, total=len(rows))
    finally:
        finish(shop.store, plan_id, running, len(left))


def send(
    shop: ShopContext, plan_id: int, running: Running, left: dict[str, Approval], *, total: int, before: int = 0
) -> None:
    """Send these rows of a plan to one shop, until none is left or its owner stops it.

    Each leaves `left` once its result is kept. `total` rows has the plan, and `before` of them were done already.
    """
    given, idle = len(left), 0
    while left and idle < _PATIENCE and not running.stop.is_set():
        pushed = push.Pushed()
        try:
            push.drain(shop, f"plan-{plan_id}", running, approved=left, into=pushed)
        finally:
            _count(shop.store, plan_id, running, pushed)
            for sku_id in pushed.results:
                left.pop(sku_id, None)
        if pushed.results:
            idle = 0
            running.progress(before + given - len(left), total)
        else:
            idle += 1  # another worker has these in hand for a moment
            running.stop.wait(0.1)


def _count(store: Store, plan_id: int, running: Running, pushed: push.Pushed) -> None:
    if pushed.results:
        _keep_results(store, plan_id, pushed.results)
    for name in ("confirmed", "refused", "held", "unknown", "even"):
        running.counts[name] += getattr(pushed, name)


def _keep_results(store: Store, plan_id: int, results: dict[str, str]) -> None:
    states = {"confirmed": "done", "even": "done", "contradicted": "review"}
    rows = []
    for sku, result in results.items():
        state = states.get(result, "unsure" if result in ("unknown", "sent", "accepted") else "review")
        rows.append({"plan": plan_id, "sku": sku, "state": state, "result": _SAID.get(result, result)})
    with store.write() as connection:
        connection.execute(
            text("UPDATE plan_row SET state = :state, result = :result WHERE plan_id = :plan AND entity = :sku"), rows
        )


_SAID = {
    "confirmed": "Sent, and read back on TikTok.",
    "even": "Was even already, nothing was sent.",
    "contradicted": "Sent, but TikTok shows another number now. Please review it again.",
    "unknown": "Sent, but the answer was lost. The next readings tell.",
    "sent": "Sent, but the answer was lost. The next readings tell.",
    "accepted": "Sent and accepted; the reading after it is still due.",
}


def finish(store: Store, plan_id: int, running: Running, left: int) -> None:
    """End a plan that was sent, with `left` rows not sent; the run tells how it went."""
    with store.write() as connection:
        connection.execute(update(_PLAN).where(_PLAN.c.id == plan_id).values(state="stopped" if left else "done"))
    counted = running.counts
    sent = counted["confirmed"]
    running.sentence = f"{sent} {'change' if sent == 1 else 'changes'} sent and read back."
    for name, words in (
        ("refused", "refused by TikTok"),
        ("held", "held for review"),
        ("unknown", "without an answer"),
    ):
        if counted[name]:
            running.sentence += f" {counted[name]} {words}."
    if left:
        running.status = "stopped"
        running.sentence += f" {left} not sent; they stay in review."
