"""What was planned and what was run."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import ms


class Plan(SQLModel, table=True):
    """A reviewable list of changes: previewed, approved, run, undone.

    `payload` is what its kind needs beside the rows, as JSON; `undo_of` the plan that it takes back.
    """

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    shop_id: str
    state: str = "proposed"
    actor: str = ""
    created_at: int = ms()
    approved_at: int | None = ms(default=None)
    warning: str = Field(default="", sa_type=Text)
    run_id: int | None = None
    payload: str = Field(default="{}", sa_type=Text)
    undo_of: int | None = None


class PlanRow(SQLModel, table=True):
    """One change of a plan: the value as read and when, the new value, the rule that caused it, the result.

    Where the values are units, `change` is their difference and `stake_units` its worth at the listing's price, in
    ten-thousandths of `currency`. `warning` is what the owner should know before agreeing to this row.
    """

    __tablename__ = "plan_row"
    __table_args__: ClassVar[Any] = (Index("plan_row_state", "plan_id", "state"),)

    plan_id: int = Field(primary_key=True, foreign_key="plan.id")
    entity: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    old: str = ""
    read_at: int | None = ms(default=None)
    new: str = ""
    rule: str = Field(default="", sa_type=Text)
    state: str = "proposed"
    result: str = Field(default="", sa_type=Text)
    change: int | None = None
    stake_units: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = ""
    warning: str = Field(default="", sa_type=Text)


class Run(SQLModel, table=True):
    """One execution of a job or plan, with counts and timings."""

    __table_args__: ClassVar[Any] = (Index("run_started", "started_at"), Index("run_kind", "kind", "started_at"))

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    shop_id: str = ""
    trigger: str = "timer"
    status: str = "running"
    started_at: int = ms()
    ended_at: int | None = ms(default=None)
    done: int = 0
    total: int = 0
    counts: str = Field(default="{}", sa_type=Text)
    outcome: str | None = None
    sentence: str = Field(default="", sa_type=Text)
    next_step: str = Field(default="", sa_type=Text)
    code: int | None = None
    request_id: str = ""


class RunRow(SQLModel, table=True):
    """What a run did to one entity."""

    __tablename__ = "run_row"
    __table_args__: ClassVar[Any] = (Index("run_row_run", "run_id"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    entity: str
    field: str = ""
    old: str = ""
    new: str = ""
    result: str = ""
    sentence: str = Field(default="", sa_type=Text)
