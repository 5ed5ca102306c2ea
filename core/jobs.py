"""What runs when: the timed jobs on APScheduler, and two workers that wake as soon as something is due."""

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text

from core import clock
from core.settings import Choices
from core.store import choices as owner
from core.store.engine import Store
from core.store.errors import StoreProblem
from core.sync import hooks, invariants, kinds, observe, outbox, proof, push, runs, trouble
from core.sync.context import ShopContext
from core.sync.cycle import Kind, cycle
from core.tiktok.errors import TikTokError

__all__ = ["JobState", "Kind", "Loop", "LoopState"]
BEAT_SECONDS = 10
HINTS_REST = 30.0  # seconds without working on webhooks after TikTok could not be asked; the poll finds all of it too
ALIVE_MS = 45_000
_DAY = 24 * 3600
_log = logging.getLogger("evenstock.jobs")
Trigger = Literal["timer", "owner", "change", "webhook", "cli"]


@dataclass(frozen=True, slots=True)
class JobState:
    """One timed job: when it comes next and how it is; times in milliseconds."""

    name: str
    label: str
    next_at: int | None
    running: bool
    last_at: int | None
    note: str


@dataclass(frozen=True, slots=True)
class LoopState:
    """Whether the loop is alive, and its jobs."""

    alive: bool
    beat_at: int | None
    paused: bool
    jobs: tuple[JobState, ...]


class Loop:
    """The background work of the one process that owns the jobs."""

    def __init__(self, store: Store, shops: list[ShopContext], folder: Path, interval_seconds: int | None) -> None:
        self.store = store
        self.shops = {shop.shop_id: shop for shop in shops}
        self.folder = folder
        self._fixed = interval_seconds
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._stop = threading.Event()
        self._push = threading.Event()
        self._hooks = threading.Event()
        self._busy = {shop.shop_id: threading.Lock() for shop in shops}
        self._last: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._deaf_until: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take up what a crash left, start the workers, and sync at once."""
        runs.close_interrupted(self.store)
        outbox.release_all(self.store)
        invariants.at_start(self.store)
        self.store.on_change.append(self._push.set)
        choices = self.choices()
        for shop_id in self.shops:
            self._schedule(shop_id, choices, first=True)
        now = datetime.now(UTC)
        self._scheduler.add_job(self._beat, "interval", seconds=BEAT_SECONDS, id="beat", next_run_time=now)
        proof_at = now + timedelta(minutes=2)
        self._scheduler.add_job(self._daily, "interval", seconds=_DAY, id="daily", next_run_time=proof_at)
        self._scheduler.start()
        self._spawn("push", self._push, self._push_due)
        self._spawn("hooks", self._hooks, self._work_hooks)

    def stop(self) -> None:
        """Ask everything to stop and wait until it has."""
        self._stop.set()
        self._push.set()
        self._hooks.set()
        for shop in self.shops.values():
            shop.stop.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        for thread in self._threads:
            thread.join(timeout=30)
        if self._push.set in self.store.on_change:
            self.store.on_change.remove(self._push.set)

    def choices(self) -> Choices:
        """The owner's choices of this moment."""
        with self.store.read() as connection:
            return owner.load(connection)

    def reschedule(self) -> None:
        """Follow a change of the interval or of the pause."""
        for shop_id in self.shops:
            self._schedule(shop_id, self.choices(), first=False)

    def sync_now(self, kind: Kind, shop_id: str | None = None, trigger: Trigger = "owner") -> None:
        """Run a sync in the background as soon as possible."""
        for each in [shop_id] if shop_id else list(self.shops):
            self._soon(f"now:{kind}:{each}", self.sync, each, kind, trigger)

    def run_plan(self, shop_id: str, plan_id: int, running: runs.Running) -> None:
        """Send an approved plan in the background, to its shop or, with "", to whichever of the shops it is about."""
        shops = [self.shops[shop_id]] if shop_id else list(self.shops.values())
        self._soon(f"plan:{plan_id}", self._run_plan, shops, plan_id, running)

    def prove_now(self) -> None:
        """Prove the ledger in the background."""
        self._soon("now:proof", _guarded, "proof", lambda: proof.prove(self.store, "owner"))

    def heard(self) -> None:
        """A webhook was stored."""
        self._hooks.set()

    def sync(self, shop_id: str, kind: Kind, trigger: Trigger) -> bool:
        """One cycle for one shop; False when it failed or another one is at work. Never raises."""
        shop = self.shops[shop_id]
        if trigger == "timer" and self.choices().paused:
            return True
        if not self._busy[shop_id].acquire(blocking=trigger != "timer"):
            return True
        try:
            cycle(shop, kind, trigger)
            self._notes.pop(shop_id, None)
            return True
        except TikTokError as error:
            self._notes[shop_id] = error.sentence
            trouble.told(self.store, shop_id, error)
        except StoreProblem as problem:
            self._notes[shop_id] = problem.sentence
        except Exception:
            _log.exception("sync of %s failed", shop.name)
            self._notes[shop_id] = "Something unexpected stopped the sync; the Activity page says more."
        finally:
            self._last[shop_id] = clock.now_ms()
            self._busy[shop_id].release()
        return False

    def state(self) -> LoopState:
        """How the loop is, for a page."""
        beat = read_beat(self.folder)
        alive = beat is not None and clock.now_ms() - beat < ALIVE_MS
        return LoopState(alive, beat, self.choices().paused, tuple(self._job(shop) for shop in self.shops.values()))

    def _job(self, shop: ShopContext) -> JobState:
        job = self._scheduler.get_job(f"sync:{shop.shop_id}")
        due = getattr(job, "next_run_time", None)
        return JobState(
            shop.shop_id, shop.name, None if due is None else int(due.timestamp() * 1000),
            self._busy[shop.shop_id].locked(), self._last.get(shop.shop_id), self._notes.get(shop.shop_id, ""),
        )  # fmt: skip

    def _schedule(self, shop_id: str, choices: Choices, *, first: bool) -> None:
        job_id = f"sync:{shop_id}"
        seconds = self._fixed if self._fixed is not None else choices.sync_minutes * 60
        if first:
            self._soon(f"now:start:{shop_id}", self.sync, shop_id, "all", "timer")
        if seconds == 0:
            if self._scheduler.get_job(job_id):
                self._scheduler.remove_job(job_id)
            return
        self._scheduler.add_job(
            self.sync, "interval", seconds=seconds, id=job_id, args=[shop_id, "all", "timer"], replace_existing=True
        )

    def _soon(self, job_id: str, work: Callable[..., object], *args: object) -> None:
        self._scheduler.add_job(work, id=job_id, args=args, replace_existing=True, next_run_time=datetime.now(UTC))

    def _run_plan(self, shops: list[ShopContext], plan_id: int, running: runs.Running) -> None:
        try:
            with runs.carry_on(running):
                kinds.run(running.kind, self.store, shops, plan_id, running)
            trouble.over(self.store, running.shop_id)
        except TikTokError as error:
            trouble.told(self.store, running.shop_id, error)
        except Exception:
            _log.exception("plan %s failed", plan_id)

    def _spawn(self, name: str, wake: threading.Event, work: Callable[[], None]) -> None:
        def live() -> None:
            while not self._stop.is_set():
                wake.wait(0.25)
                wake.clear()
                if not self._stop.is_set():
                    _guarded(name, work)

        thread = threading.Thread(target=live, name=f"evenstock-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _push_due(self) -> None:
        choices = self.choices()
        if choices.paused or not choices.push_on:
            return
        with self.store.read() as connection:
            due = connection.execute(_DUE, {"now": clock.now_ms()}).scalars().all()
        for shop_id in due:
            if shop_id in self.shops:
                self._push_shop(self.shops[shop_id])

    def _push_shop(self, shop: ShopContext) -> None:
        try:
            with runs.run(self.store, "push", shop.shop_id, "change", quiet=True) as running:
                send_due(shop, "loop", running, self._stop)
            trouble.over(self.store, shop.shop_id)
        except TikTokError as error:
            trouble.told(self.store, shop.shop_id, error)

    def _work_hooks(self) -> None:
        told = [shop for shop in self.shops.values() if shop.kind == "tiktok"]
        for shop in told:
            if clock.now_ms() < self._deaf_until.get(shop.shop_id, 0):
                continue
            try:
                with runs.run(self.store, "webhook", shop.shop_id, "webhook", quiet=True) as running:
                    found = hooks.work(shop, only_shop=len(told) == 1)
                    running.counts |= {"new": found.new, "changed": found.changed}
                    running.sentence = runs.sentence(running)
            except TikTokError as error:
                self._deaf_until[shop.shop_id] = clock.now_ms() + int((error.retry_after or HINTS_REST) * 1000)
                trouble.told(self.store, shop.shop_id, error)

    def _beat(self) -> None:
        _guarded("beat", lambda: write_beat(self.folder))

    def _daily(self) -> None:
        _guarded("daily", self._prove_and_prune)

    def _prove_and_prune(self) -> None:
        proof.prove(self.store, "timer")
        before = clock.now_ms() - self.choices().keep_log_days * _DAY * 1000
        with self.store.write() as connection:
            hooks.forget_old(connection, before)
            runs.forget_old(connection, before)
        observe.forget_old(self.store, before)


_DUE = text("""
SELECT DISTINCT o.shop_id FROM outbox o JOIN shop s ON s.id = o.shop_id
WHERE s.mode = 'live'
  AND ((o.state = 'dirty' AND o.due_at <= :now) OR (o.state = 'claimed' AND o.claimed_until < :now))
""")


def send_due(shop: ShopContext, worker: str, running: runs.Running, stop: threading.Event) -> None:
    """Look at every due listing of the shop and send what must be sent. Raises TikTokError and StoreProblem."""
    while not stop.is_set():
        pushed = push.drain(shop, worker, running)
        running.counts["sent"] += pushed.sent
        running.counts["confirmed"] += pushed.confirmed
        running.counts["refused"] += pushed.refused
        running.counts["without an answer"] += pushed.unknown
        if not pushed.results:
            break
    running.sentence = running.sentence or push.sentence(running)


def _guarded(name: str, work: Callable[[], object]) -> None:
    """A worker lives on whatever happens; what happened is in the log."""
    try:
        work()
    except StoreProblem as problem:
        _log.error("%s: %s", name, problem)
    except Exception:
        _log.exception("%s stumbled", name)


def write_beat(folder: Path) -> None:
    """Say that the loop is alive, in a file that other processes can read."""
    fresh = folder / f"heartbeat.{os.getpid()}.tmp"
    fresh.write_text(json.dumps({"at": clock.now_ms(), "pid": os.getpid()}))
    fresh.replace(folder / "heartbeat.json")


def read_beat(folder: Path) -> int | None:
    """When the loop was last alive, in milliseconds."""
    try:
        return int(json.loads((folder / "heartbeat.json").read_text())["at"])
    except (OSError, ValueError, KeyError):
        return None
