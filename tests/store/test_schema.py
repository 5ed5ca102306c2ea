"""The migrations and the tables say the same."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from core.store import tables
from core.store.engine import open_store


def test_a_fresh_store_has_exactly_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    with store.writer.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    assert len(tables.__all__) == len(SQLModel.metadata.tables)
    store.close()
