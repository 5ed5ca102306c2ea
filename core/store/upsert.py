"""Insert or update many rows in one statement, on SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]


def upsert(
    connection: Connection,
    model: type[SQLModel],
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Write rows by primary key; all rows carry the same columns.

    Columns in `keep` stay as they are when the row exists; those in `add` grow by the given value.
    """
    if rows:
        connection.execute(
            _statement(connection.dialect.name, model, tuple(rows[0]), tuple(keep), tuple(add)), list(rows)
        )


@lru_cache(maxsize=128)
def _statement(
    dialect: str, model: type[SQLModel], columns: tuple[str, ...], keep: tuple[str, ...], add: tuple[str, ...]
) -> Any:
    target = table(model)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(target)
    keys = [column.name for column in target.primary_key]
    changes: dict[Any, Any] = {
        name: insert.excluded[name] for name in columns if name not in keys and name not in keep and name not in add
    }
    changes |= {name: target.c[name] + insert.excluded[name] for name in add}
    if not changes:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(index_elements=keys, set_=changes)
