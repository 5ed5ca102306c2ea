"""Plans of change and their rows, for review before and for reading after."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class PlanHead:
    """One plan; `*_at` in milliseconds."""

    id: int
    kind: str
    shop_id: str
    state: str
    actor: str
    created_at: int
    approved_at: int | None
    warning: str
    run_id: int | None
    rows: int


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One change of a plan: value as read and when, new value, the rule behind it, and its result."""

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


_HEAD = text(
    "SELECT p.id, p.kind, p.shop_id, p.state, p.actor, p.created_at, p.approved_at, p.warning, p.run_id, "
    "(SELECT count(*) FROM plan_row r WHERE r.plan_id = p.id) AS rows FROM plan p WHERE p.id = :id"
)
_LINES = text(
    "SELECT r.entity, coalesce(nullif(l.seller_sku, ''), r.entity) AS sku, coalesce(l.title, '') AS title, "
    "coalesce(l.variant, '') AS variant, r.field, r.old, r.read_at, r.new, r.rule, r.state, r.result "
    "FROM plan_row r JOIN plan p ON p.id = r.plan_id "
    "LEFT JOIN listing l ON l.shop_id = p.shop_id AND l.sku_id = r.entity "
    "WHERE r.plan_id = :id ORDER BY r.entity, r.field LIMIT :limit OFFSET :offset"
)


def head(connection: Connection, plan_id: int) -> PlanHead | None:
    """One plan, or None when there is none of this number."""
    row = connection.execute(_HEAD, {"id": plan_id}).mappings().one_or_none()
    return None if row is None else PlanHead(**row)


def lines(connection: Connection, plan_id: int, limit: int = 100, offset: int = 0) -> list[PlanLine]:
    """The changes of a plan, by entity."""
    rows = connection.execute(_LINES, {"id": plan_id, "limit": limit, "offset": offset}).mappings()
    return [PlanLine(**row) for row in rows]


def states(connection: Connection, plan_id: int) -> dict[str, int]:
    """How many rows of a plan are in which state."""
    query = text("SELECT state, count(*) AS n FROM plan_row WHERE plan_id = :id GROUP BY state")
    return {row.state: row.n for row in connection.execute(query, {"id": plan_id})}


def waiting(connection: Connection) -> list[PlanHead]:
    """Plans that wait for the owner, the newest first."""
    query = text(
        "SELECT p.id, p.kind, p.shop_id, p.state, p.actor, p.created_at, p.approved_at, p.warning, p.run_id, "
        "(SELECT count(*) FROM plan_row r WHERE r.plan_id = p.id) AS rows FROM plan p "
        "WHERE p.state = 'held' ORDER BY p.id DESC LIMIT 20"
    )
    return [PlanHead(**row) for row in connection.execute(query).mappings()]


def recent(connection: Connection, limit: int = 20) -> list[PlanHead]:
    """The last plans in any state, the newest first."""
    query = text(
        "SELECT p.id, p.kind, p.shop_id, p.state, p.actor, p.created_at, p.approved_at, p.warning, p.run_id, "
        "(SELECT count(*) FROM plan_row r WHERE r.plan_id = p.id) AS rows FROM plan p ORDER BY p.id DESC LIMIT :limit"
    )
    return [PlanHead(**row) for row in connection.execute(query, {"limit": limit}).mappings()]
