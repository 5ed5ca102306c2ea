"""Everything behind one listing's number in one reading: its steps, the rule of each, and what happened around it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from core.store.queries import items
from core.store.queries.items import Behind
from core.sync import facts as known
from core.sync import rules
from core.sync.facts import Facts
from core.sync.ladder import Ladder, ladder
from core.sync.rules import InForce
from core.sync.shares import Shares, arithmetic


@dataclass(frozen=True, slots=True)
class Explained:
    """One listing's number explained; `ladder` is None where there is no number to explain.

    `rules` are in force for the items of the listing, in the order of `behind.parts` and of the ladder's climbs;
    `shares` tell how the last units are divided of those items that are.
    """

    facts: Facts
    ladder: Ladder | None
    rules: tuple[InForce, ...]
    behind: Behind
    shares: tuple[Shares, ...]


def explain(connection: Connection, shop_id: str, sku_id: str, limit: int = 8) -> Explained | None:
    """What explains the number of one listing, or None where there is no such listing; lists are cut at `limit`."""
    facts = known.load(connection, shop_id, [sku_id]).get(sku_id)
    if facts is None:
        return None
    behind = items.behind(connection, shop_id, sku_id, limit)
    steps = None if facts.target is None else ladder(facts.parts, sum(facts.most.values()) if facts.most else None)
    in_force = tuple(rules.in_force(connection, shop_id, part.item_id) for part in behind.parts)
    split = [part.item_id for part, fact in zip(behind.parts, facts.parts, strict=True) if fact.split.total]
    shares = tuple(found for item in split if (found := arithmetic(connection, item)))
    return Explained(facts, steps, in_force, behind, shares)
