"""What is to be sent to TikTok, what was sent, and what nothing explains."""

from typing import Any, ClassVar

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import ms


class Outbox(SQLModel, table=True):
    """A listing whose quantity on TikTok must be looked at again; holds no target, only a generation."""

    __table_args__: ClassVar[Any] = (Index("outbox_due", "state", "due_at"),)

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    generation: int = 1
    state: str = "dirty"
    dirty_at: int = ms()
    due_at: int = ms(default=0)
    attempts: int = 0
    claimed_by: str = ""
    claimed_until: int = ms(default=0)
    reason: str = ""
    note: str = Field(default="", sa_type=Text)


class Push(SQLModel, table=True):
    """One write of a quantity to TikTok: the intent before the call, the answer and the reading after it."""

    __table_args__: ClassVar[Any] = (
        Index("push_listing", "shop_id", "sku_id", "id"),
        Index("push_outcome", "outcome", "intent_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    shop_id: str
    sku_id: str
    product_id: str
    generation: int
    target: int
    wanted: str = Field(sa_type=Text)
    read_available: int
    read_committed: int
    read_open: int
    read_shipped: int
    dirty_at: int = ms()
    intent_at: int = ms()
    answered_at: int | None = ms(default=None)
    confirmed_at: int | None = ms(default=None)
    outcome: str = "sent"
    code: int | None = None
    request_id: str = ""
    sentence: str = Field(default="", sa_type=Text)
    run_id: int | None = None


class Drift(SQLModel, table=True):
    """What TikTok shows beyond what our records explain.

    `cause` is the likely one and `evidence` the sentence for it, both kept once it is certain; `actor` who decided it.
    """

    __table_args__: ClassVar[Any] = (
        Index("drift_listing", "shop_id", "sku_id", "state"),
        Index("drift_state", "state", "shop_id", "found_at"),
        Index("drift_decided", "decided_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    shop_id: str
    sku_id: str
    found_at: int = ms()
    expected: int
    observed: int
    amount: int
    state: str = "open"
    decision: str = ""
    decided_at: int | None = ms(default=None)
    cause: str = ""
    evidence: str = Field(default="", sa_type=Text)
    actor: str = ""
