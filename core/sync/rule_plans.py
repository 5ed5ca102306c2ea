"""A change of the owner's rules as a plan: proposed with what it would send, carried out once approved, undone."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from core import clock
from core.store.engine import Store
from core.sync import approval, outbox, plans, rule_changes, rules, stakes, trouble
from core.sync import undo as undo_plans
from core.sync.choosing import Approval
from core.sync.context import ShopContext
from core.sync.plans import Proposed, replace_proposed
from core.sync.rule_changes import Change, Foreseen, Row, carry_out, foresee, groups_of, load, stands
from core.sync.rules import Rule, Scope
from core.sync.runs import Running
from core.sync.undo import Back, Inverse
from core.tiktok.errors import TikTokError

KIND = "rules"
MOST_ITEMS = 5_000


class RulesMoved(Exception):
    """The rules are not what they were when this was planned."""

    sentence = "The rules changed after this was planned. Review it again on the Rules page."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class _Foreseen(Exception):
    """Ends a transaction that was only a rehearsal, with what was seen in it."""

    def __init__(self, found: Foreseen) -> None:
        super().__init__()
        self.found = found


def look(store: Store, scope: Scope, key: str, rule: Rule) -> Foreseen:
    """What a rule would do if it were saved now; nothing is changed. Raises BadRule."""
    try:
        with store.write(urgent=True) as connection:
            change = Change(scope, key, rules.said(connection, scope, key), rule)
            raise _Foreseen(foresee(connection, change, reasons=False))
    except _Foreseen as rehearsal:
        return rehearsal.found


def propose(store: Store, scope: Scope, key: str, rule: Rule, *, actor: str) -> Proposed:
    """Plan to save a rule and to send what it changes. Where nothing changes on TikTok it is saved at once.

    The plan then has no rows. Raises BadRule.
    """
    with store.write(urgent=True) as connection:
        change = Change(scope, key, rules.said(connection, scope, key), rule)
        return _propose(connection, change, actor)


def propose_groups(store: Store, groups: Mapping[int, str], *, actor: str) -> Proposed:
    """Plan to put these items into groups by name, "" for none, in the same way. Raises BadRule."""
    if len(groups) > MOST_ITEMS:
        raise rules.BadRule(f"These are more than {MOST_ITEMS:,} items at once. Put them into groups in parts.")
    if any(len(name) > 60 or name != name.strip() for name in groups.values()):
        raise rules.BadRule("A group's name has 60 characters at most, and no blanks around it.")
    with store.write(urgent=True) as connection:
        old = groups_of(connection, groups)
        moved = tuple((item, old[item], groups[item]) for item in sorted(old) if old[item] != groups[item])
        return _propose(connection, Change(groups=moved), actor)


def _propose(connection: Connection, change: Change, actor: str) -> Proposed:
    found = foresee(connection, change)
    shop_id = _shop_of(connection, change, found.rows)
    plan_id = replace_proposed(connection, KIND, shop_id, actor, "", payload=change.dump(found.later))
    if not found.rows:
        carry_out(connection, change)
        connection.execute(text("UPDATE plan SET state = 'done' WHERE id = :id"), {"id": plan_id})
        return Proposed(plan_id, 0, "")
    for shop, rows in groupby(found.rows, key=lambda row: row.shop_id):
        stakes.keep(connection, shop, [_plan_row(plan_id, row) for row in rows])
    return Proposed(plan_id, len(found.rows), approval.weigh(connection, plan_id))


def _plan_row(plan_id: int, row: Row) -> dict[str, object]:
    return {
        "plan_id": plan_id, "entity": row.sku_id, "field": "available", "old": str(row.old),
        "read_at": clock.now_ms(), "new": str(row.new), "rule": row.rule, "state": "proposed", "result": "",
    }  # fmt: skip


def _shop_of(connection: Connection, change: Change, rows: Sequence[Row]) -> str:
    """The one shop that the plan is about, or "" for several."""
    if change.scope is Scope.SHOP and not change.groups:
        return change.key
    shops = {row.shop_id for row in rows} or set(connection.execute(text("SELECT id FROM shop")).scalars())
    return shops.pop() if len(shops) == 1 else ""


def run(store: Store, shops: Sequence[ShopContext], plan_id: int, running: Running) -> None:
    """Save the rule of an approved plan and send its rows, shop by shop.

    Where the rules have changed since, nothing is saved or sent, and the rows go back to review. Raises TikTokError
    once every shop had its turn, and StoreProblem.
    """
    given = {"id": plan_id, "run": running.record(), "why": RulesMoved.sentence}
    with store.write(urgent=True) as connection:
        change = load(connection.execute(_PAYLOAD, given).scalar_one())
        fits = stands(connection, change)
        due = _due(connection, plan_id)
        if fits:
            carry_out(connection, change)
            _leave(connection, due, clock.now_ms() + outbox.LEASE_MS)
        for statement in (_BEGUN,) if fits else (_ENDED, _MOVED):
            connection.execute(statement, given)
    if fits:
        _send(store, shops, plan_id, running, due)
    else:
        running.status, running.sentence = "held", RulesMoved.sentence


def _send(
    store: Store, shops: Sequence[ShopContext], plan_id: int, running: Running, due: Mapping[str, dict[str, Approval]]
) -> None:
    total = sum(map(len, due.values()))
    problems: list[TikTokError] = []

    def left() -> int:
        return sum(map(len, due.values()))

    try:
        for shop in shops:
            try:
                plans.send(shop, plan_id, running, due.get(shop.shop_id, {}), total=total, before=total - left())
            except TikTokError as error:
                trouble.told(store, shop.shop_id, error)
                problems.append(error)
    finally:
        plans.finish(store, plan_id, running, left())
        with store.write() as connection:
            _leave(connection, due, 0)
    with store.write() as connection:
        undo_plans.mark(connection, plan_id)
    running.sentence = f"The rule is in force. {running.sentence}"
    if problems:
        raise problems[0]


def _leave(connection: Connection, due: Mapping[str, Mapping[str, Approval]], until: int) -> None:
    """Keep the loop from these: it knows of no agreement, so it would stop at the limits and ask once more."""
    for shop_id, rows in due.items():
        outbox.leave_until(connection, shop_id, rows, until)


_PAYLOAD = text("SELECT payload FROM plan WHERE id = :id")
_BEGUN = text("UPDATE plan SET state = 'running', run_id = :run WHERE id = :id")
_ENDED = text("UPDATE plan SET state = 'stopped', run_id = :run WHERE id = :id")
_MOVED = text("UPDATE plan_row SET state = 'review', result = :why WHERE plan_id = :id AND state = 'proposed'")
_DUE = text("""
SELECT l.shop_id, r.entity, r.old, r.new, r.read_at FROM plan_row r JOIN listing l ON l.sku_id = r.entity
WHERE r.plan_id = :id AND r.state = 'proposed'
""")


def _due(connection: Connection, plan_id: int) -> dict[str, dict[str, Approval]]:
    found: dict[str, dict[str, Approval]] = {}
    for row in connection.execute(_DUE, {"id": plan_id}):
        found.setdefault(row.shop_id, {})[row.entity] = Approval(int(row.old), int(row.new), row.read_at)
    return found


def told(connection: Connection, plan_id: int) -> str:
    """What a plan of this kind changes, and how many listings follow later, in words."""
    payload = connection.execute(_PAYLOAD, {"id": plan_id}).scalar_one()
    later = json.loads(payload)["later"]
    more = f" {later:,} more {'listing' if later == 1 else 'listings'} will follow once what holds them up is settled."
    return rule_changes.told(connection, load(payload)) + (more if later else "")


def undo(connection: Connection, plan_id: int) -> Inverse:
    """The plan that brings the rules from before this one back; needs a transaction that may write."""
    change = load(connection.execute(_PAYLOAD, {"id": plan_id}).scalar_one()).back
    done = connection.execute(_DONE, {"id": plan_id}).all()
    if not stands(connection, change):
        return Inverse(KIND, [_stays(row, RulesMoved.sentence) for row in done], change.dump())
    found = foresee(connection, change)
    rows = [Back(row.sku_id, "available", str(row.old), str(row.new), row.rule) for row in found.rows]
    going = {row.sku_id for row in found.rows}
    rows += [
        _stays(row, "Its number does not depend on this rule any more.") for row in done if row.entity not in going
    ]
    return Inverse(KIND, rows, change.dump(found.later))


_DONE = text("SELECT entity, new FROM plan_row WHERE plan_id = :id AND state = 'done'")


def _stays(row: Any, why: str) -> Back:
    return Back(row.entity, "available", row.new, row.new, "", cannot=why)
