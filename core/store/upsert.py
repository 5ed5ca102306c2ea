"""Insert or update many rows in one statement, on SQLite and PostgreSQL alike.

The statement is compiled once and the rows go straight to the driver: SQLAlchemy's own handling of each row's values
would cost more than the database does. Our columns hold what both drivers take as it is: numbers, texts, bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

Row = Mapping[Any, Any]
_Prepared = tuple[str, Callable[[Row], Any]]


def table(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]


def append(connection: Connection, model: type[SQLModel], rows: Sequence[Row]) -> None:
    """Insert rows; all carry the same columns."""
    _run(connection, model, rows, None)


def upsert(
    connection: Connection,
    model: type[SQLModel],
    rows: Sequence[Row],
    *,
    keep: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Write rows by primary key; all rows carry the same columns.

    Columns in `keep` stay as they are when the row exists; those in `add` grow by the given value.
    """
    _run(connection, model, rows, (tuple(keep), tuple(add)))


_Rules = tuple[tuple[str, ...], tuple[str, ...]] | None


def _run(connection: Connection, model: type[SQLModel], rows: Sequence[Row], rules: _Rules) -> None:
    if rows:
        statement, values = _prepared(connection.dialect, model, tuple(rows[0]), rules)
        connection.exec_driver_sql(statement, [values(row) for row in rows])


@lru_cache(maxsize=128)
def _prepared(dialect: Dialect, model: type[SQLModel], columns: tuple[str, ...], rules: _Rules) -> _Prepared:
    target = table(model)
    insert: Any = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(target)
    if rules is not None:
        keep, add = rules
        keys = [column.name for column in target.primary_key]
        changes = {name: insert.excluded[name] for name in columns if name not in (*keys, *keep, *add)}
        changes |= {name: target.c[name] + insert.excluded[name] for name in add}
        conflict = insert.on_conflict_do_update if changes else insert.on_conflict_do_nothing
        insert = conflict(index_elements=keys, **({"set_": changes} if changes else {}))
    compiled = insert.inline().compile(dialect=dialect, column_keys=list(columns))
    given = {name: target.c[name].default.arg for name in compiled.params if name not in columns}
    if not compiled.positional:
        return str(compiled), lambda row: given | dict(row)
    names = compiled.positiontup
    if given or len(names) == 1:
        return str(compiled), lambda row: tuple([row[name] if name in row else given[name] for name in names])
    return str(compiled), itemgetter(*names)
