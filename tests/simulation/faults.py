"""The n-th thing goes wrong: a call, a commit or a file write, before or after it took effect, or the process dies."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from core.store.errors import StoreFull
from core.tiktok.wire import Lost
from tests.simulation.desk import Desk, Killed


class Way(StrEnum):
    """How it goes wrong."""

    FAILS_BEFORE = "fails before it took effect"
    FAILS_AFTER = "fails after it took effect"
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"


class Fault:
    """Counts steps and breaks the n-th; once the process is dead no further step happens."""

    def __init__(self, n: int, way: Way) -> None:
        self.n = n
        self.way = way
        self.steps = 0
        self.dead = False

    @property
    def struck(self) -> bool:
        return self.steps >= self.n

    def step(self, work: Callable[[], Any], failure: Callable[[], Exception]) -> Any:
        """Do one step, or what becomes of it."""
        if self.dead:
            raise Killed
        self.steps += 1
        if self.steps != self.n:
            return work()
        if self.way in (Way.FAILS_AFTER, Way.DIES_AFTER):
            work()
        if self.way in (Way.FAILS_BEFORE, Way.FAILS_AFTER):
            raise failure()
        self.dead = True
        raise Killed


def break_calls(desk: Desk, fault: Fault) -> None:
    """The n-th request to TikTok."""
    wire = desk.transport._wire
    real = wire.send

    def send(*given: Any) -> Any:
        return fault.step(lambda: real(*given), lambda: Lost(True, True, "ReadTimeout"))

    wire.send = send  # type: ignore[method-assign, assignment]


def break_commits(desk: Desk, fault: Fault) -> None:
    """The n-th transaction of the store: its commit, or what stands before it."""
    real = desk.store.write

    @contextmanager
    def write(*, urgent: bool = False) -> Iterator[Connection]:
        with real(urgent=urgent) as connection:
            yield connection
            late = fault.n == fault.steps + 1 and fault.way in (Way.FAILS_AFTER, Way.DIES_AFTER)
            if not late:
                fault.step(lambda: None, lambda: StoreFull("made up"))
        if late:
            fault.step(lambda: None, lambda: StoreFull("made up"))

    desk.store.write = write  # type: ignore[method-assign, assignment]


@contextmanager
def broken_files(folder: Path, fault: Fault) -> Iterator[None]:
    """The n-th file that is put in its place in this folder."""
    real = os.replace

    def replace(source: Any, target: Any, **more: Any) -> None:
        if Path(target).parent == folder:
            fault.step(lambda: real(source, target, **more), lambda: OSError(28, "No space left on device"))
        else:
            real(source, target, **more)

    os.replace = replace
    try:
        yield
    finally:
        os.replace = real
