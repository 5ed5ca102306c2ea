"""Bring a database to the newest schema: all of a step or nothing, with a copy kept before an old store is changed."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from core.store.engine import Store
from core.store.errors import StoreNewer

HEAD = "0002"
_FOLDER = Path(__file__).parent / "migrations"


def current(connection: Connection) -> str | None:
    """The schema version of the database, or None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def upgrade(store: Store) -> None:
    """Create or upgrade the schema; raises StoreNewer when the database is ahead of this program."""
    with store.writer.begin() as connection:
        version = current(connection)
    if version == HEAD:
        return
    if version is not None:
        check_known(version)
    if version is not None and store.path is not None:
        _keep_copy(store, version)
    _run(store)


def check_known(version: str) -> None:
    """Raises StoreNewer for a schema version that this program has never heard of."""
    if version not in _known():
        raise StoreNewer(f"schema {version}, this program knows {HEAD}")


def _known() -> set[str]:
    return {file.stem.split("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py")}


def _keep_copy(store: Store, version: str) -> None:
    assert store.path is not None
    folder = store.path.parent / "backups"
    folder.mkdir(exist_ok=True)
    copy = folder / f"before-upgrade-from-{version}.db"
    copy.unlink(missing_ok=True)
    raw = store.writer.raw_connection()
    try:
        raw.execute("VACUUM INTO ?", (str(copy),))
    finally:
        raw.close()


def _run(store: Store) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with store.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
