"""What concerns the desk as a whole: its revision, the owner's choices, sealed secrets, shops and places."""

from sqlalchemy import Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import ms


class Revision(SQLModel, table=True):
    """One row, raised by every transaction that changed something; pages redraw when it moves."""

    id: int = Field(primary_key=True)
    value: int = 0


class Setting(SQLModel, table=True):
    """One choice of the owner, as JSON."""

    key: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class Secret(SQLModel, table=True):
    """One sealed value: app secrets, tokens, shop ciphers."""

    name: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: int = ms()


class Shop(SQLModel, table=True):
    """One connected channel; mode `watch` reads only, `live` also writes stock.

    `kind` is `tiktok`, or `store` for a store of the owner's own with a life of its own. `drift_rule` is what happens
    to a number that nothing explains: `ask`, `ours` or `theirs`.
    """

    id: str = Field(primary_key=True)
    auth: str
    name: str
    region: str
    currency: str
    timezone: str
    practice: bool = False
    mode: str = "watch"
    kind: str = "tiktok"
    drift_rule: str = "ask"
    connected_at: int = ms()
    problem: str | None = Field(default=None, sa_type=Text)
    problem_next: str | None = Field(default=None, sa_type=Text)
    problem_outcome: str | None = None
    problem_at: int | None = ms(default=None)


class Location(SQLModel, table=True):
    """A place of the owner's own where stock lies."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Warehouse(SQLModel, table=True):
    """A warehouse of a TikTok shop, mapped to one of the owner's locations."""

    shop_id: str = Field(primary_key=True, foreign_key="shop.id")
    id: str = Field(primary_key=True)
    name: str
    kind: str
    enabled: bool = True
    is_default: bool = False
    location_id: int | None = Field(default=None, foreign_key="location.id")
