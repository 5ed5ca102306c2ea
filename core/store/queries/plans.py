"""Plans of change and their rows, for review before and for reading after."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from core.store.queries.ledger import like

_EMPTIED = "r.change < 0 AND r.new = '0'"
_CHOSEN = "r.state NOT IN ('skipped', 'cannot')"
FILTERS = {
    "all": "1 = 1",
    "more": f"r.change > 0 AND {_CHOSEN}",
    "less": f"r.change < 0 AND {_CHOSEN}",
    "zero": f"{_EMPTIED} AND {_CHOSEN}",
    "warned": f"r.warning <> '' AND {_CHOSEN}",
    "skipped": "r.state = 'skipped'",
    "done": "r.state IN ('done', 'undone')",
    "left": "r.state IN ('review', 'proposed')",
    "unsure": "r.state = 'unsure'",
    "cannot": "r.state = 'cannot'",
}
SORTS = {
    "sku": "r.entity, r.field",
    "change": "abs(r.change) DESC NULLS LAST, r.entity, r.field",
    "money": "abs(r.stake_units) DESC NULLS LAST, r.entity, r.field",
}


@dataclass(frozen=True, slots=True)
class PlanHead:
    """One plan; `*_at` in milliseconds, `rows` without those that cannot be undone or were left out by its owner."""

    id: int
    kind: str
    shop_id: str
    state: str
    actor: str
    created_at: int
    approved_at: int | None
    warning: str
    run_id: int | None
    undo_of: int | None
    rows: int


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One change of a plan: value as read and when, new value, the rule behind it, its worth, and its result.

    `stake_units` are ten-thousandths of `currency`: what the change takes off the shelf (negative) or newly offers.
    """

    entity: str
    sku: str
    title: str
    variant: str
    field: str
    old: str
    read_at: int | None
    new: str
    rule: str
    state: str
    result: str
    change: int | None
    stake_units: int | None
    currency: str
    warning: str


@dataclass(frozen=True, slots=True)
class Stake:
    """Money in one currency, in ten-thousandths: what comes off the shelf (as a positive number), what is offered."""

    currency: str
    off_units: int
    offered_units: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the chosen rows of a plan do: rows raised, lowered, emptied and warned of, the largest change, the money.

    `unpriced` are rows with a change in units of which no price is known.
    """

    rows: int
    raises: int
    lowers: int
    emptied: int
    warned: int
    largest: int
    unpriced: int
    money: tuple[Stake, ...]


_PLAN = f"""
SELECT p.id, p.kind, p.shop_id, p.state, p.actor, p.created_at, p.approved_at, p.warning, p.run_id, p.undo_of,
  (SELECT count(*) FROM plan_row r WHERE r.plan_id = p.id AND {_CHOSEN}) AS rows FROM plan p
"""  # noqa: S608 (constants)
_LINES = """
SELECT r.entity, coalesce(nullif(l.seller_sku, ''), r.entity) AS sku, coalesce(l.title, i.title, '') AS title,
  coalesce(l.variant, i.variant, '') AS variant, r.field, r.old, r.read_at, r.new, r.rule, r.state, r.result,
  r.change, r.stake_units, r.currency, r.warning
"""
_FROM = """
FROM plan_row r JOIN plan p ON p.id = r.plan_id
LEFT JOIN listing l ON l.shop_id IN (SELECT s.id FROM shop s WHERE p.shop_id IN ('', s.id)) AND l.sku_id = r.entity
LEFT JOIN item i ON p.shop_id = '' AND i.sku = r.entity
WHERE r.plan_id = :id
"""
_SEARCH = """
AND (lower(l.seller_sku) LIKE :like ESCAPE '\\' OR lower(coalesce(l.title, i.title)) LIKE :like ESCAPE '\\'
  OR lower(r.entity) LIKE :like ESCAPE '\\' OR lower(r.rule) LIKE :like ESCAPE '\\')
"""


def head(connection: Connection, plan_id: int) -> PlanHead | None:
    """One plan, or None when there is none of this number."""
    row = connection.execute(text(f"{_PLAN} WHERE p.id = :id"), {"id": plan_id}).mappings().one_or_none()
    return None if row is None else PlanHead(**row)


def found(search: str, only: str) -> tuple[str, dict[str, Any]]:
    """The rest of a statement after SELECT that finds rows of the plan `:id`, as `r`, and the values it needs.

    `only` is a name of FILTERS; `search` looks in SKU, title and rule.
    """
    where = f"{_FROM} AND {FILTERS[only]}"
    return (where + _SEARCH, {"like": like(search)}) if search.strip() else (where, {})


def lines(
    connection: Connection, plan_id: int, limit: int = 100, offset: int = 0, *, search: str = "", only: str = "all",
    sort: str = "sku",
) -> list[PlanLine]:  # fmt: skip
    """The changes of a plan that a filter finds."""
    where, given = found(search, only)
    if not search.strip():  # the page is found in the plan alone, and only its rows are named
        page = f"SELECT r.* FROM plan_row r WHERE r.plan_id = :id AND {FILTERS[only]}"  # noqa: S608 (constants)
        page += f" ORDER BY {SORTS[sort]} LIMIT :limit OFFSET :offset"
        where = _FROM.replace("FROM plan_row r", f"FROM ({page}) r")
    query = text(
        f"{_LINES} {where} ORDER BY {SORTS[sort]} LIMIT :limit OFFSET {0 if not search.strip() else ':offset'}"
    )
    rows = connection.execute(query, given | {"id": plan_id, "limit": limit, "offset": offset}).mappings()
    return [PlanLine(**row) for row in rows]


def total(connection: Connection, plan_id: int, *, search: str = "", only: str = "all") -> int:
    """How many rows a filter finds."""
    where, given = found(search, only)
    if not search.strip():
        where = f"FROM plan_row r WHERE r.plan_id = :id AND {FILTERS[only]}"
    return int(connection.execute(text(f"SELECT count(*) {where}"), given | {"id": plan_id}).scalar_one())


def states(connection: Connection, plan_id: int) -> dict[str, int]:
    """How many rows of a plan are in which state."""
    query = text("SELECT state, count(*) AS n FROM plan_row WHERE plan_id = :id GROUP BY state")
    return {row.state: row.n for row in connection.execute(query, {"id": plan_id})}


_TOTALS = text(f"""
SELECT r.currency, count(*) AS n, coalesce(sum(CASE WHEN r.change > 0 THEN 1 ELSE 0 END), 0) AS raises,
  coalesce(sum(CASE WHEN r.change < 0 THEN 1 ELSE 0 END), 0) AS lowers,
  coalesce(sum(CASE WHEN {_EMPTIED} THEN 1 ELSE 0 END), 0) AS emptied,
  coalesce(sum(CASE WHEN r.warning <> '' THEN 1 ELSE 0 END), 0) AS warned, coalesce(max(abs(r.change)), 0) AS largest,
  coalesce(sum(CASE WHEN r.change <> 0 AND r.stake_units IS NULL THEN 1 ELSE 0 END), 0) AS unpriced,
  coalesce(sum(CASE WHEN r.stake_units < 0 THEN -r.stake_units ELSE 0 END), 0) AS off_units,
  coalesce(sum(CASE WHEN r.stake_units > 0 THEN r.stake_units ELSE 0 END), 0) AS offered_units
FROM plan_row r WHERE r.plan_id = :id AND {_CHOSEN} GROUP BY r.currency ORDER BY r.currency
""")  # noqa: S608 (constants)


def totals(connection: Connection, plan_id: int) -> Totals:
    """What the chosen rows of a plan do in all; money per currency."""
    rows = connection.execute(_TOTALS, {"id": plan_id}).all()
    money = tuple(
        Stake(row.currency, int(row.off_units), int(row.offered_units))
        for row in rows
        if row.off_units or row.offered_units
    )
    return Totals(
        sum(row.n for row in rows), sum(row.raises for row in rows), sum(row.lowers for row in rows),
        sum(row.emptied for row in rows), sum(row.warned for row in rows),
        max((row.largest for row in rows), default=0), sum(row.unpriced for row in rows), money,
    )  # fmt: skip


def entities(connection: Connection, plan_id: int, only: str) -> list[str]:
    """The entities of the rows that a filter finds."""
    where, given = found("", only)
    return list(connection.execute(text(f"SELECT DISTINCT r.entity {where}"), given | {"id": plan_id}).scalars())


def undone_by(connection: Connection, plan_id: int) -> int | None:
    """The number of the newest plan that took this one back, as far as it was run."""
    query = text("SELECT max(id) FROM plan WHERE undo_of = :id AND state IN ('approved', 'running', 'done', 'stopped')")
    found = connection.execute(query, {"id": plan_id}).scalar()
    return None if found is None else int(found)


def waiting(connection: Connection) -> list[PlanHead]:
    """Plans with rows that wait for the owner's yes, the newest first."""
    query = text(f"{_PLAN} WHERE p.state = 'proposed' ORDER BY p.id DESC LIMIT 20")
    return [PlanHead(**row) for row in connection.execute(query).mappings() if row["rows"]]


def recent(connection: Connection, limit: int = 20, offset: int = 0) -> list[PlanHead]:
    """The last plans in any state, the newest first."""
    query = text(f"{_PLAN} ORDER BY p.id DESC LIMIT :limit OFFSET :offset")
    return [PlanHead(**row) for row in connection.execute(query, {"limit": limit, "offset": offset}).mappings()]


def count(connection: Connection) -> int:
    """How many plans there are."""
    return int(connection.execute(text("SELECT count(*) FROM plan")).scalar_one())
