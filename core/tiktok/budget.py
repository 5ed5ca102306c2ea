"""How fast we may ask: evenly spaced turns for each shop and endpoint, slower after a 429, soon back to full speed."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core import clock
from core.tiktok.errors import RateLimited, Stopped

Wait = Callable[[float], bool]
"""Sleeps for seconds; True means that we are asked to stop. `threading.Event.wait` is one."""

LONGEST_WAIT = 60.0  # seconds; TikTok's advice beyond this is passed on to the caller instead of slept through
PAUSE = 0.5  # seconds of silence after a 429 without advice, doubled once when it goes on
QUIET = 30.0  # seconds without a 429 after which earlier ones are forgotten
RECOVERY, LONGEST_RECOVERY = 1.5, 60.0  # seconds from half speed to full speed: at first, and when it keeps happening
FOREIGN = 2  # repetitions that may be somebody else's doing; more of them mean that the limit is lower than we think
LOOK_AGAIN = 0.1  # seconds; while the speed changes a waiter looks at the plan this often
LOWEST = 0.01  # of the full rate
BUSY = 10.0  # seconds after an urgent call in which the reserve is kept free for the next ones
DUE = 0.0001  # seconds; finer than any clock we wait by


@dataclass(slots=True)
class _Lane:
    """The turns of one endpoint of one shop. Not thread-safe: the budget holds its lock."""

    rate: float
    reserve: float
    last: float = float("-inf")
    last_patient: float = float("-inf")
    last_urgent: float = float("-inf")
    resume: float = float("-inf")
    start_rate: float = 0.0
    recovery: float = RECOVERY
    strikes: int = 0
    served: bool = True
    """Whether TikTok has answered since the last pause: if not, the throttling has never ended."""
    pause: float = PAUSE
    urgent: deque[object] = field(default_factory=deque)
    patient: deque[object] = field(default_factory=deque)

    def rate_at(self, now: float) -> float:
        """Requests a second: growing geometrically from the speed after the last 429 to the full one."""
        done = (now - self.resume) / self.recovery
        if done >= 1:
            return self.rate
        growth: float = (self.rate / self.start_rate) ** max(done, 0.0)
        return self.start_rate * growth

    def slot(self, now: float, urgent: bool) -> float:
        """When the next call may start. A caller less than one step late keeps the beat, so no turn is lost."""
        slot = _next(self.last, 1 / self.rate_at(now), now)
        return max(slot, self.resume, slot if urgent else self.patient_slot(now))

    def patient_slot(self, now: float) -> float:
        """When a caller without hurry may start: on a slower beat of its own, which urgent calls do not shift."""
        reserve = self.reserve if now - self.last_urgent < BUSY else 0.0
        return _next(self.last_patient, 1 / self.rate_at(now) / (1 - reserve), now)

    def delay(self, ticket: object, now: float, urgent: bool) -> float:
        """Seconds until this ticket's turn; next to nothing means now."""
        ahead = self.urgent.index(ticket) if urgent else len(self.urgent) + self.patient.index(ticket)
        delay = self.slot(now, urgent) + ahead / self.rate_at(now) - now
        return max(delay, 0.001) if ahead else delay

    def take(self, now: float, urgent: bool) -> None:
        """Use the turn that is due."""
        self.last = self.slot(now, urgent)
        if urgent:
            self.last_urgent = now
        else:
            self.last_patient = self.patient_slot(now) if self.reserve else self.last

    def throttled(self, now: float, advice: float | None) -> None:
        """Fall silent, then start again at half speed; when it keeps happening, recover ever more slowly."""
        if now < self.resume:  # one of several that were on their way: the same event
            self.resume = max(self.resume, now + (advice or 0.0))
            return
        since = now - self.resume
        if not self.served:
            self.pause = min(self.pause * 2, 2 * PAUSE)
        else:
            self.pause = PAUSE
            self.strikes = self.strikes + 1 if since < self.recovery + QUIET else 0
            doublings = min(max(self.strikes - FOREIGN, 0), 10)
            self.recovery = min(RECOVERY * float(1 << doublings), LONGEST_RECOVERY)
        self.start_rate = max(self.rate_at(now) / 2, self.rate * LOWEST)
        self.resume = now + (advice if advice is not None else self.pause)
        self.served = False


def _next(last: float, step: float, now: float) -> float:
    due = last + step
    return due if now - due < step else now


class Budget:
    """A pacer without burst: `rate` calls a second for each (shop, endpoint), one evenly spaced turn each.

    `reserve` is the share of the rate that only urgent callers may use for ten seconds after one of them came, so that
    sales find room in a mass push and a mass push alone loses nothing. Urgent callers also overtake everybody who
    waits. `wait` sleeps and says whether to stop.
    """

    def __init__(self, rate: float = 50.0, *, reserve: float = 0.0, wait: Wait | None = None) -> None:
        if rate <= 0 or not 0 <= reserve < 1:
            raise ValueError("the rate must be above 0 and the reserve from 0 to below 1")
        self.rate = rate
        self.reserve = reserve
        self.wait: Wait = wait or threading.Event().wait
        self._lock = threading.Lock()
        self._lanes: dict[tuple[str, str], _Lane] = {}

    def acquire(self, shop: str, path: str, *, urgent: bool = False) -> None:
        """Wait for the turn of one call. Raises Stopped, or RateLimited when the turn is over a minute away."""
        ticket = object()
        with self._lock:
            lane = self._lane(shop, path)
            line = lane.urgent if urgent else lane.patient
            line.append(ticket)
        try:
            self._wait_for_turn(lane, ticket, urgent)
        finally:
            with self._lock:
                line.remove(ticket)

    def throttled(self, shop: str, path: str, retry_after: float | None = None) -> None:
        """TikTok answered 429; `retry_after` is its advice in seconds, if it gave one."""
        with self._lock:
            self._lane(shop, path).throttled(clock.monotonic(), retry_after)

    def served(self, shop: str, path: str) -> None:
        """TikTok answered, so it is not throttling now."""
        self._lanes[shop, path].served = True  # one assignment needs no lock

    def rate_now(self, shop: str, path: str) -> float:
        """Calls a second that are allowed at this moment; 0 during a pause."""
        with self._lock:
            lane, now = self._lane(shop, path), clock.monotonic()
            return 0.0 if now < lane.resume else lane.rate_at(now)

    def _wait_for_turn(self, lane: _Lane, ticket: object, urgent: bool) -> None:
        while True:
            with self._lock:
                now = clock.monotonic()
                delay = lane.delay(ticket, now, urgent)
                if delay <= DUE:
                    lane.take(now, urgent)
                    return
                paused = lane.resume - now
                steady = lane.rate_at(now) >= lane.rate
            if paused > LONGEST_WAIT:
                raise RateLimited(
                    "TikTok asked for a longer break.", "Evenstock goes on by itself afterwards.", retry_after=paused
                )
            if self.wait(delay if steady else min(delay, LOOK_AGAIN)):
                raise Stopped("Stopped before TikTok was asked.", "Start it again when you like.")

    def _lane(self, shop: str, path: str) -> _Lane:
        lane = self._lanes.get((shop, path))
        if lane is None:
            lane = self._lanes[shop, path] = _Lane(self.rate, self.reserve, start_rate=self.rate)
        lane.rate, lane.reserve = self.rate, self.reserve
        return lane
