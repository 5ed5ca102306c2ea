"""Which of the two desks is in use: the practice shop's, or the one of the owner's connected shops."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from core.settings import Settings

REAL, PRACTICE = "main", "practice"


def in_use(settings: Settings) -> str:
    """The real desk once a shop was connected, before that the one of the practice shop."""
    return REAL if has_shop(settings) else PRACTICE


def store_url(settings: Settings, desk: str) -> str:
    """The address of a desk's store: made-up and real orders never share one."""
    if desk == REAL:
        return settings.store_url
    return f"sqlite:///{(settings.evenstock_data_dir / 'practice' / 'evenstock.db').as_posix()}"


def has_shop(settings: Settings) -> bool:
    """Whether a real shop was connected on this data folder."""
    address = make_url(settings.store_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return False
    engine = create_engine(address)
    try:
        with engine.connect() as connection:
            query = "SELECT count(*) FROM secret WHERE name LIKE 'tokens:%'"
            return bool(connection.execute(text(query)).scalar_one())
    except (SQLAlchemyError, sqlite3.Error):
        return Path(address.database or "").stat().st_size > 0 if address.get_backend_name() == "sqlite" else True
    finally:
        engine.dispose()
