"""One change of the owner's rules: what it begins with and ends with, carrying it out, and what it would send."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core.store.chunks import AT_ONCE, chunks
from core.sync import aims, locks, outbox, rules, speeds
from core.sync.rules import Rule, Scope
from core.sync.targets import Move, Split, decide

_WHY = "one of your rules changed"
NOTHING = Rule()


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what a rule says before and after, or, where `groups` is set, items with their old and new group."""

    scope: Scope = Scope.ALL
    key: str = ""
    before: Rule = NOTHING
    after: Rule = NOTHING
    groups: tuple[tuple[int, str, str], ...] = ()

    @property
    def back(self) -> "Change":
        """The change that takes this one back."""
        groups = tuple((item, new, old) for item, old, new in self.groups)
        return Change(self.scope, self.key, self.after, self.before, groups)

    def dump(self, later: int = 0) -> str:
        """As the payload of a plan; `later` listings follow the rule once something else is settled."""
        if self.groups:
            return json.dumps({"groups": self.groups, "later": later})
        said = {"scope": self.scope, "key": self.key, "before": asdict(self.before), "after": asdict(self.after)}
        return json.dumps(said | {"later": later})


def told(connection: Connection, change: Change) -> str:
    """The change in a sentence."""
    if change.groups:
        names = Counter(new for _, _, new in change.groups)
        parts = [
            f"{count:,} into {name}" if name else f"{count:,} out of their groups" for name, count in names.items()
        ]
        return f"Items move: {', '.join(parts)}."
    name = connection.execute(_NAME, {"scope": change.scope.value, "key": change.key}).scalar()
    place = {Scope.ALL: "everything", Scope.SHOP: f"the shop {name}", Scope.GROUP: f"the group {change.key}"}
    after, before = (rules.spelled(rule) or "nothing of its own" for rule in (change.after, change.before))
    return f"The rule for {place.get(change.scope, name)}: {after}. Before: {before}."


_NAME = text("""
SELECT CASE :scope WHEN 'shop' THEN (SELECT name FROM shop WHERE id = :key)
  WHEN 'item' THEN (SELECT sku FROM item WHERE CAST(id AS VARCHAR) = :key) ELSE :key END
""")


def load(payload: str) -> Change:
    """The change that a plan of this kind holds."""
    held = json.loads(payload)
    if "groups" in held:
        return Change(groups=tuple((item, old, new) for item, old, new in held["groups"]))
    return Change(Scope(held["scope"]), held["key"], Rule(**held["before"]), Rule(**held["after"]))


@dataclass(frozen=True, slots=True)
class Row:
    """A listing whose number on TikTok would change at once, and why it would be what it would be."""

    shop_id: str
    sku_id: str
    old: int
    new: int
    rule: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change would do: numbers that are sent, and how many listings follow once something else is settled."""

    rows: tuple[Row, ...]
    later: int


_GROUPS = text("SELECT id, group_name FROM item WHERE id IN :items").bindparams(bindparam("items", expanding=True))


def groups_of(connection: Connection, item_ids: Collection[int]) -> dict[int, str]:
    """The group of each of these items, "" for none."""
    return {row.id: row.group_name for row in connection.execute(_GROUPS, {"items": sorted(item_ids)})}


def stands(connection: Connection, change: Change) -> bool:
    """Whether the rules are still what the change begins with."""
    if change.groups:
        now = groups_of(connection, [item for item, _, _ in change.groups])
        return all(now.get(item) == old for item, old, _ in change.groups)
    return rules.said(connection, change.scope, change.key) == change.before


def carry_out(connection: Connection, change: Change) -> None:
    """Make the change and have every listing that it touches looked at again, in one transaction. Raises BadRule."""
    outbox.mark_items(connection, _write(connection, change), _WHY)


def _write(connection: Connection, change: Change) -> set[int]:
    """Make the change; returns the items that it touches."""
    if change.groups:
        rules.put_into(connection, {item: new for item, _, new in change.groups})
    else:
        rules.keep(connection, change.scope, change.key, change.after)
    items = _items(connection, change)
    touched = {item for _, _, item in rules.carry(connection, item_ids=items)}
    if change.groups or change.before.split != change.after.split:
        few = items is not None and len(items) <= AT_ONCE
        touched |= speeds.divide(connection, items if few else None)
    return touched


def _items(connection: Connection, change: Change) -> Collection[int] | None:
    """The items that the change may touch, None for all."""
    if change.groups:
        return [item for item, _, _ in change.groups]
    if change.scope is Scope.ITEM:
        return [int(change.key)]
    if change.scope is Scope.GROUP:
        query = text("SELECT id FROM item WHERE group_name = :name")
        return list(connection.execute(query, {"name": change.key}).scalars())
    if change.scope is Scope.SHOP:
        query = text("SELECT DISTINCT item_id FROM link WHERE shop_id = :shop")
        return list(connection.execute(query, {"shop": change.key}).scalars())
    return None


def foresee(connection: Connection, change: Change, *, reasons: bool = True) -> Foreseen:
    """What the change would have sent, found by making it and taking it back; needs a transaction that may write.

    Without `reasons` the rows do not say why.
    """
    trial = connection.begin_nested()
    try:
        moved = _moved(connection, _write(connection, change))
        sent = [each for each in moved if each.goes]
        told = _reasons(connection, sent) if reasons else {}
    finally:
        trial.rollback()
    rows = tuple(
        Row(each.shop_id, each.sku_id, each.shown, each.target, told.get((each.shop_id, each.sku_id), ""))
        for each in sent
    )
    return Foreseen(rows, len(moved) - len(rows))


@dataclass(frozen=True, slots=True)
class _Moved:
    """A listing whose number would be another one, and whether that would be sent without asking anything else."""

    shop_id: str
    sku_id: str
    shown: int
    target: int
    goes: bool


def _moved(connection: Connection, items: Collection[int]) -> list[_Moved]:
    """The listings of these items that would have to show another number than they do, in shops that are written to."""
    wanted: dict[str, dict[str, int]] = {}
    for shop_id, sku_id, target in aims.differing(connection, items):
        if target is not None:
            wanted.setdefault(shop_id, {})[sku_id] = target
    return [
        _Moved(shop_id, row.sku_id, row.available, targets[row.sku_id], _goes(row, targets[row.sku_id]))
        for shop_id, targets in sorted(wanted.items())
        for row in _rows(connection, _STATES, shop_id, sorted(targets))
        if row.available != targets[row.sku_id]
    ]


def _goes(row: Any, wanted: int) -> bool:
    """Whether the sender would send it. An approved number would also decide a question, which is another decision."""
    if row.asked or row.halted:
        return False
    locked = locks.locked(row.refused_code, row.refused_at, lowering=wanted < row.available)
    decision = decide(
        wanted=wanted, available=row.available, committed=row.committed, open_units=row.open_units, unexplained=0,
        drift=0, sure=True, doubt=bool(row.doubt), settled=row.settled_at is not None, decided=False,
        locked=row.refused_sentence or "locked" if locked else "",
    )  # fmt: skip
    return decision.move in (Move.LOWER, Move.RAISE)


# Orders are read before anything is raised, so what is not known of them yet stands in nobody's way here.
_STATES = """
SELECT l.sku_id, l.available, l.committed, l.open_units, l.settled_at, l.refused_code, l.refused_at, l.refused_sentence,
  EXISTS (SELECT 1 FROM drift d WHERE d.shop_id = l.shop_id AND d.sku_id = l.sku_id
    AND d.state IN ('suspected', 'open', 'lowered')) AS asked,
  EXISTS (SELECT 1 FROM push p WHERE p.shop_id = l.shop_id AND p.sku_id = l.sku_id
    AND p.outcome IN ('sent', 'unknown')) AS doubt, l.stand = 'halted' AS halted
FROM listing l JOIN shop s ON s.id = l.shop_id
WHERE l.shop_id = :shop AND l.sku_id IN :skus AND l.available IS NOT NULL AND NOT l.gone AND s.mode = 'live'
"""
_PARTS = f"""
SELECT k.sku_id, count(*) AS parts, max(v.on_hand) AS on_hand, max(v.reserved) AS reserved,
  max({aims.UNSEEN}) AS unseen, max({aims.HELD}) AS held, max(k.buffer) AS buffer, max(k.share) AS share,
  max(k.cap) AS cap, max(k.zero_below) AS zero_below, max(k.split_from) AS start, max(k.split_to) AS stop,
  max(i.split_at) AS at, max(i.split_total) AS total
FROM link k JOIN item i ON i.id = k.item_id LEFT JOIN (
  SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level GROUP BY item_id
) v ON v.item_id = k.item_id
WHERE k.shop_id = :shop AND k.sku_id IN :skus GROUP BY k.sku_id
"""  # noqa: S608 (constants)


def _rows(connection: Connection, query: str, shop_id: str, skus: Sequence[str]) -> Iterator[Any]:
    found = text(query).bindparams(bindparam("skus", expanding=True))
    for part in chunks(skus):
        yield from connection.execute(found, {"shop": shop_id, "skus": part})


def _reasons(connection: Connection, sent: Sequence[_Moved]) -> dict[tuple[str, str], str]:
    """Why each of these numbers would be what it would be, while the change is made."""
    return {
        (shop_id, row.sku_id): _reason(row)
        for shop_id, each in groupby(sent, key=lambda one: one.shop_id)
        for row in _rows(connection, _PARTS, shop_id, [one.sku_id for one in each])
    }


def _reason(row: Any) -> str:
    if row.parts > 1:
        return f"as many as the scarcest of its {row.parts} items allows"
    told = f"{row.on_hand or 0} on hand minus {row.reserved or 0} promised"
    told += f" minus {row.unseen} held on TikTok" if row.unseen else ""
    told += f" minus {row.held} in a locked listing" if row.held else ""
    free = (row.on_hand or 0) - (row.reserved or 0) - row.unseen - row.held
    split = Split(row.at, row.total, row.start, row.stop)
    shared = split.applies(free) and split.of(free) < free
    rule = rules.sentence(Rule(row.buffer, row.share, row.cap, row.zero_below))
    says = [each for each in (rule, "last units split" if shared else "") if each]
    return f"{told}; {', '.join(says)}" if says else told
