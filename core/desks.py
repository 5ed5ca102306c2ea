"""Which of the two desks is in use: the practice shop's, or the one of the owner's connected shops."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from core.settings import Settings


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
