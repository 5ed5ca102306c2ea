"""Kinds of columns and rows that several tables share."""

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field

# Small rows that are only found by their key lie in its order (SQLite), so that a range of them is read in one go.
BY_KEY = {"sqlite_with_rowid": False}


def ms(**more: Any) -> Any:
    """A moment in our milliseconds."""
    return Field(sa_type=BigInteger, **more)
