"""The owner's choices, kept in the store."""

import json

from sqlalchemy import Connection, select

from core.settings import Choices
from core.store.engine import Store
from core.store.tables import Setting
from core.store.upsert import table, upsert


def load(connection: Connection) -> Choices:
    """The choices as saved, with defaults for what was never chosen."""
    rows = connection.execute(select(table(Setting)))
    known = {row.key: json.loads(row.value) for row in rows if row.key in Choices.model_fields}
    return Choices.model_validate(known)


def save(store: Store, choices: Choices) -> None:
    """Keep the choices; only those that differ are written."""
    with store.write(urgent=True) as connection:
        before = load(connection).model_dump()
        changed = {key: value for key, value in choices.model_dump().items() if value != before[key]}
        upsert(connection, Setting, [{"key": key, "value": json.dumps(value)} for key, value in changed.items()])
