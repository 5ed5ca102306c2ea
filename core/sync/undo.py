"""Undo: the plan that takes another one back, row by row, and says which rows have to stay and why."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Back:
    """One row to take back: from the value of now to the one before the plan, and the rule that says why.

    `cannot` is the sentence why the row has to stay as it is, or "". `change` is the difference in units where the
    values are units.
    """

    entity: str
    field: str
    old: str
    new: str
    rule: str
    cannot: str = ""
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Inverse:
    """How a plan is taken back: the kind of the plan that does it, its rows, and what that kind needs beside them."""

    kind: str
    rows: Sequence[Back]
    payload: str = "{}"
