"""Runs of the loop and what they did, for the Activity page."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run; `*_at` in milliseconds, `counts` by name."""

    id: int
    kind: str
    shop_id: str
    trigger: str
    status: str
    started_at: int
    ended_at: int | None
    done: int
    total: int
    counts: dict[str, int]
    outcome: str | None
    sentence: str
    next_step: str
    code: int | None
    request_id: str


@dataclass(frozen=True, slots=True)
class RunEntity:
    """What a run did to one entity; `name` is the SKU behind the entity where one is known."""

    entity: str
    name: str
    field: str
    old: str
    new: str
    result: str
    sentence: str


_COLUMNS = (
    "id, kind, shop_id, trigger, status, started_at, ended_at, done, total, counts, outcome, sentence, next_step, "
    "code, request_id"
)
WENT_WRONG = ("failed", "interrupted")


def _run(row: Any) -> RunLine:
    return RunLine(**{**row, "counts": json.loads(row["counts"] or "{}")})


def _where(kinds: tuple[str, ...], failed_only: bool) -> str:
    parts = (["kind IN :kinds"] if kinds else []) + (["status IN :wrong"] if failed_only else [])
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def _bound(query: str, kinds: tuple[str, ...], failed_only: bool) -> Any:
    names = (["kinds"] if kinds else []) + (["wrong"] if failed_only else [])
    return text(query).bindparams(*(bindparam(name, expanding=True) for name in names))


def runs(
    connection: Connection, *, kinds: tuple[str, ...] = (), failed_only: bool = False, limit: int = 50, offset: int = 0
) -> list[RunLine]:
    """Runs, the newest first; of these kinds only when any are given."""
    query = f"SELECT {_COLUMNS} FROM run {_where(kinds, failed_only)} ORDER BY started_at DESC, id DESC LIMIT :limit OFFSET :offset"  # noqa: S608, E501 (constants)
    values = {"kinds": list(kinds), "wrong": list(WENT_WRONG), "limit": limit, "offset": offset}
    return [_run(row) for row in connection.execute(_bound(query, kinds, failed_only), values).mappings()]


def count(connection: Connection, *, kinds: tuple[str, ...] = (), failed_only: bool = False) -> int:
    """How many runs match."""
    query = f"SELECT count(*) FROM run {_where(kinds, failed_only)}"  # noqa: S608 (constants)
    values = {"kinds": list(kinds), "wrong": list(WENT_WRONG)}
    return int(connection.execute(_bound(query, kinds, failed_only), values).scalar_one())


def one(connection: Connection, run_id: int) -> RunLine | None:
    """One run, or None."""
    query = f"SELECT {_COLUMNS} FROM run WHERE id = :id"  # noqa: S608 (constants)
    row = connection.execute(text(query), {"id": run_id}).mappings().one_or_none()
    return None if row is None else _run(row)


_ENTITIES = text(
    "SELECT r.entity, coalesce(nullif(l.seller_sku, ''), r.entity) AS name, r.field, r.old, r.new, r.result, "
    "r.sentence FROM run_row r LEFT JOIN run u ON u.id = r.run_id "
    "LEFT JOIN listing l ON l.shop_id = u.shop_id AND l.sku_id = r.entity "
    "WHERE r.run_id = :run ORDER BY r.id LIMIT :limit OFFSET :offset"
)


def entities(connection: Connection, run_id: int, limit: int = 200, offset: int = 0) -> list[RunEntity]:
    """What a run did, row by row."""
    rows = connection.execute(_ENTITIES, {"run": run_id, "limit": limit, "offset": offset}).mappings()
    return [RunEntity(**row) for row in rows]


def entity_count(connection: Connection, run_id: int) -> int:
    """How many rows a run left."""
    return int(
        connection.execute(text("SELECT count(*) FROM run_row WHERE run_id = :run"), {"run": run_id}).scalar_one()
    )


def unsolved(connection: Connection, since: int, limit: int = 5) -> list[RunLine]:
    """Failed runs since a moment (ms) that no later run of the same kind and shop has made good, the newest first."""
    query = (
        f"SELECT {_COLUMNS} FROM run r WHERE r.started_at >= :since AND r.status = 'failed' AND NOT EXISTS ("  # noqa: S608
        "SELECT 1 FROM run s WHERE s.kind IN (r.kind, 'sync all') AND s.shop_id = r.shop_id "
        "AND s.started_at > r.started_at AND s.status IN ('done', 'running', 'failed')) "
        "ORDER BY r.started_at DESC LIMIT :limit"
    )
    return [_run(row) for row in connection.execute(text(query), {"since": since, "limit": limit}).mappings()]


@dataclass(frozen=True, slots=True)
class Aside:
    """A record that could not be read; `at` in milliseconds."""

    at: int
    source: str
    reference: str
    reason: str
    excerpt: str


def set_aside(connection: Connection, limit: int = 50, offset: int = 0) -> list[Aside]:
    """Records that could not be read, the newest first."""
    query = text(
        "SELECT at, source, reference, reason, excerpt FROM quarantine ORDER BY id DESC LIMIT :limit OFFSET :offset"
    )
    return [Aside(**row) for row in connection.execute(query, {"limit": limit, "offset": offset}).mappings()]


def aside_count(connection: Connection) -> int:
    """How many records were set aside."""
    return int(connection.execute(text("SELECT count(*) FROM quarantine")).scalar_one())
