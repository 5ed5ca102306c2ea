"""Long lists of ids in parts that one statement takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

AT_ONCE = 5_000  # SQLite takes 32,766 values a statement
T = TypeVar("T")


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """The ids in their order, at most AT_ONCE in a part."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
