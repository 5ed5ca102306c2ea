"""What every part of the practice shop stands on: its database, its clock, its seed and the choices of the moment."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

from core.practice.identity import Settings
from core.practice.world import World


class Ground:
    """The shared footing; `now` is the shop's own clock in Unix seconds."""

    def __init__(self, world: World, settings: Settings, seed: int, clock: Callable[[], float]) -> None:
        self.world = world
        self.settings = settings
        self.seed = seed
        self.clock = clock
        self.observed_at = 0.0
        self._calls = itertools.count(int(time.monotonic() * 1000) % 10**9)

    def now(self) -> float:
        """The shop's time."""
        return self.clock()

    def seconds(self) -> int:
        """The shop's time in whole seconds."""
        return int(self.clock())

    def observe(self) -> None:
        """A client has just read orders: nothing may be dated before this moment any more."""
        self.observed_at = max(self.observed_at, self.now())

    def request_id(self) -> str:
        """A new id for an answer, shaped like the real ones."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        return f"{moment:%Y%m%d%H%M%S}{next(self._calls):018X}"
