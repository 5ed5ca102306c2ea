"""The one source of time: everything reads it here, so that tests can turn it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_wall: Callable[[], float] = time.time
_steady: Callable[[], float] = time.monotonic


def now_ms() -> int:
    """Milliseconds since 1970 in UTC; the unit of every column named `*_at`."""
    return int(_wall() * 1000)


def now() -> int:
    """Seconds since 1970 in UTC; the unit that TikTok uses and of every field named `*_time`."""
    return int(_wall())


def monotonic() -> float:
    """Seconds on a clock that never jumps; for durations only."""
    return _steady()


class Turned:
    """A clock that stands still until it is turned."""

    def __init__(self, start: float) -> None:
        self.seconds = start

    def __call__(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        """Move time on by `seconds`."""
        self.seconds += seconds


@contextmanager
def turned(start: float = 1_790_000_000.0) -> Iterator[Turned]:
    """Replace the wall clock and the steady clock by one that tests turn by hand."""
    global _wall, _steady
    before = _wall, _steady
    clock = Turned(start)
    _wall = _steady = clock
    try:
        yield clock
    finally:
        _wall, _steady = before
