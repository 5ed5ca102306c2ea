"""How far each source was read, what it told by itself, and what could not be read."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import BY_KEY, ms


class Cursor(SQLModel, table=True):
    """How far a source has been read to the end."""

    source: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)
    moved_at: int = ms()


class ScanWindow(SQLModel, table=True):
    """Where a running scan of a source resumes; rows exist only until the scan is complete."""

    __tablename__ = "scan_window"

    source: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    ge: int = Field(sa_type=BigInteger)
    lt: int = Field(sa_type=BigInteger)
    page_token: str = Field(default="", sa_type=Text)
    seen: int = 0
    total: int = -1
    tries: int = 0
    newest: int = Field(default=0, sa_type=BigInteger)
    done: bool = False


class Shown(SQLModel, table=True):
    """What TikTok showed of a listing from `at` on, kept whenever it changed, so that the past can be explained."""

    __table_args__: ClassVar[Any] = BY_KEY

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    at: int = ms(primary_key=True)
    available: int
    committed: int


class Hook(SQLModel, table=True):
    """A webhook as it arrived, stored before it is answered and worked on later."""

    __table_args__: ClassVar[Any] = (Index("hook_state", "state", "received_at"),)

    id: str = Field(primary_key=True)
    type: int
    shop_id: str = ""
    body: str = Field(sa_type=Text)
    received_at: int = ms()
    state: str = "new"
    note: str = ""


class Quarantine(SQLModel, table=True):
    """A record that could not be read, kept with the reason so that nothing disappears silently."""

    id: int | None = Field(default=None, primary_key=True)
    source: str
    reference: str = Field(default="", index=True)
    reason: str = Field(sa_type=Text)
    excerpt: str = Field(default="", sa_type=Text)
    at: int = ms()
