"""One change of the owner's rules: what it begins with and ends with, carrying it out, and what it would send."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, bindparam, text

from core.sync import facts as known
from core.sync import outbox, rules, speeds
from core.sync.choosing import choose
from core.sync.facts import Facts
from core.sync.rules import Rule, Scope

_CHUNK = 5_000
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
        few = items is not None and len(items) <= _CHUNK
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


def foresee(connection: Connection, change: Change) -> Foreseen:
    """What the change would have sent, found by making it and taking it back; needs a transaction that may write."""
    trial = connection.begin_nested()
    try:
        places = _places(connection, _write(connection, change))
        after = _facts(connection, places)
    finally:
        trial.rollback()
    before = _facts(connection, places)
    moved = {place: fact for place, fact in after.items() if fact.target != before[place].target}
    # An approved number would also decide a drift, and that decision is another one.
    sent = choose((_after_orders(fact) for fact in moved.values() if not fact.drift), None).send
    rows = tuple(
        Row(shop_id, sku_id, fact.available or 0, fact.target or 0, reason(fact))
        for (shop_id, sku_id), fact in moved.items()
        if sku_id in sent
    )
    even = sum(fact.target == fact.available for fact in moved.values())
    return Foreseen(rows, len(moved) - len(rows) - even)


def _after_orders(fact: Facts) -> Facts:
    """As it will be once the orders have been read, which is done before anything is raised."""
    return replace(fact, unexplained=0) if fact.unexplained is None else fact


_PLACES = text("""
SELECT DISTINCT k.shop_id, k.sku_id FROM link k JOIN shop s ON s.id = k.shop_id
WHERE s.mode = 'live' AND k.item_id IN :items
""").bindparams(bindparam("items", expanding=True))


def _places(connection: Connection, items: Collection[int]) -> dict[str, list[str]]:
    """The listings of these items, in shops that are written to."""
    found: dict[str, set[str]] = {}
    ids = sorted(items)
    for start in range(0, len(ids), _CHUNK):
        for row in connection.execute(_PLACES, {"items": ids[start : start + _CHUNK]}):
            found.setdefault(row.shop_id, set()).add(row.sku_id)
    return {shop_id: sorted(skus) for shop_id, skus in sorted(found.items())}


def _facts(connection: Connection, places: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Facts]:
    found: dict[tuple[str, str], Facts] = {}
    for shop_id, skus in places.items():
        for start in range(0, len(skus), _CHUNK):
            loaded = known.load(connection, shop_id, skus[start : start + _CHUNK])
            found |= {(shop_id, sku_id): fact for sku_id, fact in loaded.items()}
    return found


def reason(fact: Facts) -> str:
    """Why a listing's number is what it is, in a line."""
    if len(fact.parts) > 1:
        return f"as many as the scarcest of its {len(fact.parts)} items allows"
    part = fact.parts[0]
    told = f"{part.on_hand} on hand minus {part.reserved} promised"
    if part.unseen:
        told += f" minus {part.unseen} held on TikTok"
    if part.held:
        told += f" minus {part.held} in a locked listing"
    says = rules.sentence(part.rule)
    if part.split.applies(part.free):
        says = f"{says}, last units split" if says else "last units split"
    return f"{told}; {says}" if says else told
