"""The owner's rules: what a shop, a group or an item offers on TikTok, and which of them is in force where."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core import clock
from core.store import tables
from core.store.chunks import chunks
from core.store.upsert import upsert
from core.sync import outbox
from core.sync.targets import MOST

FIELDS = ("buffer", "share", "cap", "zero_below", "split")
_WHY = "one of your rules changed"


class Scope(StrEnum):
    """Where a rule holds; what is narrower wins. DEFAULT is what holds where no rule says anything."""

    ITEM = "item"
    GROUP = "group"
    SHOP = "shop"
    ALL = "all"
    DEFAULT = "default"


class BadRule(Exception):
    """A rule that cannot be: `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Rule:
    """What the owner decided at one place; None says nothing. A cap of 99,999, the most TikTok takes, is no cap."""

    buffer: int | None = None
    share: int | None = None
    cap: int | None = None
    zero_below: int | None = None
    split: bool | None = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return all(getattr(self, name) is None for name in FIELDS)


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for one listing of an item, and which scope decided each part."""

    buffer: int
    share: int
    cap: int | None
    zero_below: int
    split: bool
    origin: Mapping[str, Scope]


DEFAULT = Rule(buffer=0, share=100, cap=None, zero_below=0, split=True)


def effective(
    all_: Rule | None = None, shop: Rule | None = None, group: Rule | None = None, item: Rule | None = None
) -> InForce:
    """The rule in force: for each part what the narrowest rule says that says anything. Pure."""
    ladder = ((Scope.ITEM, item), (Scope.GROUP, group), (Scope.SHOP, shop), (Scope.ALL, all_), (Scope.DEFAULT, DEFAULT))
    values: dict[str, Any] = {}
    origin: dict[str, Scope] = {}
    for name in FIELDS:
        said = ((scope, getattr(rule, name)) for scope, rule in ladder if rule is not None)
        nothing = (Scope.DEFAULT, None)
        origin[name], values[name] = next(((scope, value) for scope, value in said if value is not None), nothing)
    return InForce(**values, origin=MappingProxyType(origin))


def check(rule: Rule) -> None:
    """Raises BadRule where a number is not one of units, or the share not a percentage."""
    for name in ("buffer", "cap", "zero_below"):
        value = getattr(rule, name)
        if value is not None and not 0 <= value <= MOST:
            raise BadRule(f"{value} is not a number of units. Enter a whole number from 0 to 99,999.")
    if rule.share is not None and not 0 <= rule.share <= 100:
        raise BadRule(f"{rule.share} is not a share. Enter a whole number of percent from 0 to 100.")


def sentence(rule: "Rule | InForce") -> str:
    """What a rule says, short enough for a cell: 2 kept back, 50% of the rest, at most 20. Empty when as usual."""
    parts = []
    if rule.buffer:
        parts.append(f"{rule.buffer:,} kept back")
    if rule.share is not None and rule.share != 100:
        parts.append(f"{rule.share}% of the rest" if rule.buffer else f"{rule.share}%")
    if rule.zero_below:
        parts.append(f"none below {rule.zero_below:,}")
    if rule.cap is not None and rule.cap < MOST:
        parts.append(f"at most {rule.cap:,}")
    if rule.split is False:
        parts.append("last units not split")
    return ", ".join(parts)


def spelled(rule: Rule) -> str:
    """All that a rule says, also where it is as usual; empty where it says nothing."""
    parts = [
        None if rule.buffer is None else f"{rule.buffer:,} kept back",
        None if rule.share is None else f"{rule.share}% of the rest",
        None if rule.zero_below is None else f"none below {rule.zero_below:,}",
        None if rule.cap is None else "no limit" if rule.cap >= MOST else f"at most {rule.cap:,}",
        None if rule.split is None else "last units split" if rule.split else "last units not split",
    ]
    return ", ".join(part for part in parts if part)


_SAID = text("SELECT buffer, share, cap, zero_below, split FROM rule WHERE scope = :scope AND key = :key")


def said(connection: Connection, scope: Scope, key: str) -> Rule:
    """What the owner decided at this one place; a rule that says nothing where there is none."""
    row = connection.execute(_SAID, {"scope": scope.value, "key": key}).one_or_none()
    return Rule() if row is None else _rule(row)


def _rule(row: Any) -> Rule:
    return Rule(row.buffer, row.share, row.cap, row.zero_below, None if row.split is None else bool(row.split))


def above(connection: Connection, scope: Scope, key: str) -> Rule:
    """What would hold at a place without its own rule; a part on which the shops differ is None."""
    all_ = None if scope is Scope.ALL else said(connection, Scope.ALL, "")
    shops: list[Rule | None] = [None]
    if scope in (Scope.GROUP, Scope.ITEM):
        ids = connection.execute(text("SELECT id FROM shop")).scalars().all()
        shops = [said(connection, Scope.SHOP, shop_id) for shop_id in ids] or [None]
    group = None
    if scope is Scope.ITEM:
        name = connection.execute(text("SELECT group_name FROM item WHERE id = :id"), {"id": int(key)}).scalar()
        group = said(connection, Scope.GROUP, name) if name else None
    found = [replace(one, cap=MOST if one.cap is None else one.cap) for one in
             (effective(all_, shop, group) for shop in shops)]  # fmt: skip
    same = {name: getattr(found[0], name) for name in FIELDS if len({getattr(one, name) for one in found}) == 1}
    return Rule(**same)


_PLACES = text("""
SELECT r.scope, r.buffer, r.share, r.cap, r.zero_below, r.split FROM rule r JOIN item i ON i.id = :item
WHERE (r.scope = 'item' AND r.key = :key) OR (r.scope = 'group' AND r.key = i.group_name AND i.group_name <> '')
  OR (r.scope = 'shop' AND r.key = :shop) OR (r.scope = 'all' AND r.key = '')
""")


def in_force(connection: Connection, shop_id: str, item_id: int) -> InForce:
    """The rule in force for the listings of an item in a shop, and where each part of it comes from."""
    rows = connection.execute(_PLACES, {"item": item_id, "key": str(item_id), "shop": shop_id})
    found = {Scope(row.scope): _rule(row) for row in rows}
    return effective(found.get(Scope.ALL), found.get(Scope.SHOP), found.get(Scope.GROUP), found.get(Scope.ITEM))


def keep(connection: Connection, scope: Scope, key: str, rule: Rule) -> None:
    """Store a rule, or forget it where it says nothing; call `refresh` in the same transaction. Raises BadRule."""
    check(rule)
    if scope is Scope.DEFAULT or (scope is Scope.ALL) != (key == ""):
        raise BadRule("Choose what the rule is for: everything, a shop, a group or an item.")
    place = {"scope": scope.value, "key": key}
    if rule.empty:
        connection.execute(text("DELETE FROM rule WHERE scope = :scope AND key = :key"), place)
    else:
        upsert(connection, tables.Rule, [place | asdict(rule) | {"changed_at": clock.now_ms()}])


def put_into(connection: Connection, groups: Mapping[int, str]) -> None:
    """Put items into groups by name, "" for none; call `refresh` in the same transaction."""
    if groups:
        rows = [{"id": item, "name": name} for item, name in groups.items()]
        connection.execute(text("UPDATE item SET group_name = :name WHERE id = :id"), rows)


# What the narrowest rule says, for each link; a rule of the group "" cannot exist.
_RULED = """
SELECT k.shop_id, k.sku_id, k.item_id,
  coalesce(ri.buffer, rg.buffer, rs.buffer, ra.buffer, 0) AS buffer,
  coalesce(ri.share, rg.share, rs.share, ra.share, 100) AS share,
  coalesce(ri.cap, rg.cap, rs.cap, ra.cap) AS cap,
  coalesce(ri.zero_below, rg.zero_below, rs.zero_below, ra.zero_below, 0) AS zero_below,
  coalesce(ri.split, rg.split, rs.split, ra.split, :yes) AS split
FROM link k JOIN item i ON i.id = k.item_id
LEFT JOIN rule ri ON ri.scope = 'item' AND ri.key = CAST(k.item_id AS VARCHAR)
LEFT JOIN rule rg ON rg.scope = 'group' AND rg.key = i.group_name AND i.group_name <> ''
LEFT JOIN rule rs ON rs.scope = 'shop' AND rs.key = k.shop_id
LEFT JOIN rule ra ON ra.scope = 'all' AND ra.key = ''
WHERE {which}
"""
_KEEP = """
UPDATE link SET buffer = ruled.buffer, share = ruled.share, cap = ruled.cap, zero_below = ruled.zero_below
FROM ({ruled}) AS ruled
WHERE link.shop_id = ruled.shop_id AND link.sku_id = ruled.sku_id AND link.item_id = ruled.item_id
  AND (link.buffer <> ruled.buffer OR link.share <> ruled.share OR link.zero_below <> ruled.zero_below
    OR coalesce(link.cap, -1) <> coalesce(ruled.cap, -1))
RETURNING link.shop_id, link.sku_id, link.item_id
"""
_OFF = "SELECT shop_id, sku_id, item_id FROM ({ruled}) AS ruled WHERE NOT split"
_Place = tuple[str, str, int]


def carry(
    connection: Connection,
    *,
    item_ids: Collection[int] | None = None,
    shop_id: str | None = None,
    sku_ids: Collection[str] | None = None,
) -> list[_Place]:
    """Write the rules in force onto the links: of all, of these items, of a shop, or of these listings of a shop.

    Only links that differ are written; they are returned as (shop, sku, item). Nothing is marked to be sent.
    """
    return _over(connection, _KEEP, item_ids, shop_id, sku_ids)


def refresh(
    connection: Connection,
    *,
    item_ids: Collection[int] | None = None,
    shop_id: str | None = None,
    sku_ids: Collection[str] | None = None,
) -> int:
    """`carry` the rules, and have each listing whose rule changed looked at again. Returns how many links changed."""
    changed = carry(connection, item_ids=item_ids, shop_id=shop_id, sku_ids=sku_ids)
    for shop, places in groupby(sorted(changed), key=lambda place: place[0]):
        outbox.mark_listings(connection, shop, {sku for _, sku, _ in places}, _WHY)
    return len(changed)


def split_off(connection: Connection, item_ids: Collection[int] | None = None) -> set[_Place]:
    """The links, as (shop, sku, item), whose rule in force keeps them out of the split of the last units."""
    return set(_over(connection, _OFF, item_ids, None, None))


def _over(
    connection: Connection,
    statement: str,
    item_ids: Collection[int] | None,
    shop_id: str | None,
    sku_ids: Collection[str] | None,
) -> list[_Place]:
    found: list[_Place] = []
    for which, given in _parts(item_ids, shop_id, sku_ids):
        query = text(statement.format(ruled=_RULED.format(which=which)))
        if "many" in given:
            query = query.bindparams(bindparam("many", expanding=True))
        found += [(row.shop_id, row.sku_id, row.item_id) for row in connection.execute(query, given | {"yes": True})]
    return found


def _parts(
    item_ids: Collection[int] | None, shop_id: str | None, sku_ids: Collection[str] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    if item_ids is None and sku_ids is None:
        yield ("1 = 1", {}) if shop_id is None else ("k.shop_id = :shop", {"shop": shop_id})
        return
    where, many = ("k.item_id IN :many", sorted(item_ids or ())) if sku_ids is None else _listings(sku_ids)
    for part in chunks(many):
        yield where, {"many": part} | ({} if sku_ids is None else {"shop": shop_id})


def _listings(sku_ids: Collection[str]) -> tuple[str, Sequence[Any]]:
    return "k.shop_id = :shop AND k.sku_id IN :many", sorted(sku_ids)
