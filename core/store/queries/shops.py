"""The connected shops and their warehouses."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class ShopRow:
    """One connected shop; `*_at` in milliseconds."""

    id: str
    auth: str
    name: str
    region: str
    currency: str
    timezone: str
    practice: bool
    mode: str
    connected_at: int
    problem: str | None
    problem_next: str | None
    problem_outcome: str | None
    problem_at: int | None


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """One warehouse of a shop and the owner's location it stands for, if any."""

    id: str
    name: str
    kind: str
    enabled: bool
    is_default: bool
    location: str | None


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """How far a source was read to its end; `moved_at` in milliseconds."""

    source: str
    value: int
    moved_at: int


_SHOPS = text(
    "SELECT id, auth, name, region, currency, timezone, practice, mode, connected_at, problem, problem_next, "
    "problem_outcome, problem_at FROM shop ORDER BY practice, connected_at, id"
)
_WAREHOUSES = text(
    "SELECT w.id, w.name, w.kind, w.enabled, w.is_default, l.name AS location FROM warehouse w "
    "LEFT JOIN location l ON l.id = w.location_id WHERE w.shop_id = :shop ORDER BY w.is_default DESC, w.name, w.id"
)


def shops(connection: Connection) -> list[ShopRow]:
    """All connected shops, real ones first."""
    return [ShopRow(**{**row, "practice": bool(row["practice"])}) for row in connection.execute(_SHOPS).mappings()]


def warehouses(connection: Connection, shop_id: str) -> list[WarehouseRow]:
    """The warehouses of a shop, the default one first."""
    rows = connection.execute(_WAREHOUSES, {"shop": shop_id}).mappings()
    return [
        WarehouseRow(**{**row, "enabled": bool(row["enabled"]), "is_default": bool(row["is_default"])}) for row in rows
    ]


def read_up_to(connection: Connection) -> list[ReadUpTo]:
    """Every source with the point up to which it was read."""
    rows = connection.execute(
        text("SELECT source, value, moved_at FROM cursor WHERE source NOT LIKE 'check:%' ORDER BY source")
    )
    return [ReadUpTo(row.source, row.value, row.moved_at) for row in rows]


@dataclass(frozen=True, slots=True)
class Heard:
    """Messages that came from TikTok: how many in all, how many still wait, and when the last came (milliseconds)."""

    total: int
    waiting: int
    last_at: int | None


def heard(connection: Connection) -> Heard:
    """What came in as webhooks."""
    row = connection.execute(
        text(
            "SELECT count(*) AS total, coalesce(sum(CASE WHEN state = 'new' THEN 1 ELSE 0 END), 0) AS waiting, "
            "max(received_at) AS last_at FROM hook"
        )
    ).one()
    return Heard(row.total, int(row.waiting), row.last_at)
