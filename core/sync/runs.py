"""What the loop did and how it ended, in sentences the owner can read."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, text, update

from core import clock
from core.redact import redact
from core.store.engine import Store
from core.store.errors import StoreProblem
from core.store.tables import Run, RunRow
from core.store.upsert import table
from core.sync.brakes import SoFar
from core.tiktok.errors import Stopped, TikTokError

_log = logging.getLogger("evenstock.runs")
_RUN = table(Run)
TELL_SECONDS = 0.5
_stops: dict[int, threading.Event] = {}


@dataclass
class Running:
    """A run under way: counts to raise, and whether its owner asked it to stop."""

    store: Store
    kind: str
    shop_id: str
    trigger: str
    id: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    sentence: str = ""
    next_step: str = ""
    status: str = "done"
    started_at: int = field(default_factory=clock.now_ms)
    so_far: SoFar = field(default_factory=SoFar)
    quiet: bool = False
    told_at: float = float("-inf")

    def record(self) -> int:
        """Make the run visible now; quiet runs stay invisible until something happened."""
        if self.id is None:
            with self.store.write() as connection:
                self.id = begin(connection, self.kind, self.shop_id, self.trigger, self.started_at)
            _stops[self.id] = self.stop
        return self.id

    def may_tell(self) -> bool:
        """Whether it is time to tell again how far it is: twice a second is enough for a person."""
        now = clock.monotonic()
        due = now - self.told_at >= TELL_SECONDS
        if due:
            self.told_at = now
        return due

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is."""
        run_id = self.record()
        with self.store.write() as connection:
            connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(done=done, total=total))


def begin(connection: Connection, kind: str, shop_id: str, trigger: str, started_at: int | None = None) -> int:
    """Insert a run that has just started and return its id."""
    values = {"kind": kind, "shop_id": shop_id, "trigger": trigger, "started_at": started_at or clock.now_ms()}
    defaults = {
        "status": "running",
        "done": 0,
        "total": 0,
        "counts": "{}",
        "sentence": "",
        "next_step": "",
        "request_id": "",
    }
    return int(connection.execute(insert(_RUN).values(values | defaults).returning(_RUN.c.id)).scalar_one())


def note(connection: Connection, run_id: int, rows: list[dict[str, str]]) -> None:
    """Add what the run did to single entities: entity, field, old, new, result, sentence."""
    empty = {"entity": "", "field": "", "old": "", "new": "", "result": "", "sentence": ""}
    if rows:
        connection.execute(insert(table(RunRow)), [empty | row | {"run_id": run_id} for row in rows])


@contextmanager
def run(store: Store, kind: str, shop_id: str, trigger: str, *, quiet: bool = False) -> Iterator[Running]:
    """Record one execution: its end, counts and error; a quiet run that changed nothing leaves no row.

    A TikTok or store error ends the run as failed with its sentence and is raised on, so that the caller can act on
    it. A quiet run that ends as the last one of its kind did prolongs that one instead of repeating it.
    """
    running = Running(store, kind, shop_id, trigger, quiet=quiet)
    if not quiet:
        running.record()
    with carry_on(running):
        yield running


_REPORT = "Run it again. If it happens again, send the log file in the data folder to support; it holds no secrets."


@contextmanager
def carry_on(running: Running) -> Iterator[None]:
    """Finish a run that was recorded before its work moved to another thread."""
    try:
        yield
    except Stopped as error:
        if running.id is not None or any(running.counts.values()):
            _finish(running, "stopped", error.sentence, error.next_step)
        raise
    except TikTokError as error:
        _finish(running, "failed", error.sentence, error.next_step, error.outcome.value, error.code, error.request_id)
        raise
    except StoreProblem as error:
        _log.error("%s: %s", running.kind, error)
        _finish_if_possible(running, error)
        raise
    except Exception as error:
        _log.exception("run %s failed", running.kind)
        sentence = f"Something unexpected stopped this: {redact(str(error))[:300]}"
        _finish(running, "failed", sentence, _REPORT, "needs a person")
        raise
    else:
        if running.id is not None or any(running.counts.values()):
            _finish(running, running.status, running.sentence, running.next_step)
    finally:
        _stops.pop(running.id or 0, None)


def forget_old(connection: Connection, before_ms: int) -> None:
    """Drop runs that ended before this moment, with their rows."""
    old = "(SELECT id FROM run WHERE ended_at < :at)"
    connection.execute(text(f"DELETE FROM run_row WHERE run_id IN {old}"), {"at": before_ms})  # noqa: S608
    connection.execute(text("DELETE FROM run WHERE ended_at < :at"), {"at": before_ms})


def stop(run_id: int) -> bool:
    """Ask a run to stop after the row it is working on; False when it is not running here."""
    event = _stops.get(run_id)
    if event is not None:
        event.set()
    return event is not None


def _finish(
    running: Running,
    status: str,
    sentence: str,
    next_step: str,
    outcome: str | None = None,
    code: int | None = None,
    request_id: str | None = None,
) -> None:
    values = {
        "status": status, "ended_at": clock.now_ms(), "sentence": sentence, "next_step": next_step,
        "outcome": outcome, "code": code, "request_id": request_id or "",
    }  # fmt: skip
    if running.quiet and running.id is None and status != "done" and _prolonged(running, values):
        return
    run_id = running.record()
    with running.store.write() as connection:
        counts = json.dumps(dict(running.counts))
        connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(**values, counts=counts))


_LAST = text("""
SELECT id, status, sentence, counts FROM run WHERE kind = :kind AND shop_id = :shop ORDER BY started_at DESC, id DESC
LIMIT 1
""")


def _prolonged(running: Running, values: Mapping[str, object]) -> bool:
    """Whether the last run of this kind ended in the very same way, so that it only lasts longer."""
    with running.store.write() as connection:
        last = connection.execute(_LAST, {"kind": running.kind, "shop": running.shop_id}).one_or_none()
        if last is None or (last.status, last.sentence) != (values["status"], values["sentence"]):
            return False
        counts = json.loads(last.counts) | dict(running.counts)
        counts["times"] = json.loads(last.counts).get("times", 1) + 1
        connection.execute(update(_RUN).where(_RUN.c.id == last.id).values(**values, counts=json.dumps(counts)))
    return True


def _finish_if_possible(running: Running, error: StoreProblem) -> None:
    try:
        if running.id is not None:
            _finish(running, "failed", error.sentence, error.next_step, "try later")
    except StoreProblem:
        _log.error("%s: its end could not be saved either", running.kind)


# What left before the end was sent, whether its answer was kept or not.
_CUT_OFF = text("""
UPDATE plan_row SET state = 'unsure', result = 'Evenstock was closed while this was sent. The next readings tell.'
WHERE state = 'proposed' AND plan_id IN (SELECT id FROM plan WHERE state = 'running') AND EXISTS (
  SELECT 1 FROM plan p JOIN push x ON x.run_id = p.run_id AND p.shop_id IN ('', x.shop_id)
  WHERE p.id = plan_row.plan_id AND x.sku_id = plan_row.entity AND x.outcome <> 'not sent')
""")


def close_interrupted(store: Store) -> int:
    """Mark runs and plans that a crash left open; called once by the owner of the jobs at start.

    Returns how many runs there were. A plan that was under way is over: what it had sent stays sent.
    """
    with store.write() as connection:
        connection.execute(_CUT_OFF)
        connection.execute(text("UPDATE plan SET state = 'stopped' WHERE state IN ('approved', 'running')"))
        found = connection.execute(
            update(_RUN)
            .where(_RUN.c.status == "running")
            .values(
                status="interrupted",
                ended_at=clock.now_ms(),
                sentence="Evenstock was closed while this was running. What it had finished is kept.",
                next_step="Nothing to do: the loop takes up the rest.",
            )
        )
    return found.rowcount


def sentence(running: Running) -> str:
    """What a sync found, for the Activity page."""
    names = {
        "new": ("new order", "new orders"),
        "changed": ("changed order", "changed orders"),
        "unreadable": ("order that could not be read", "orders that could not be read"),
        "listings changed": ("changed listing", "changed listings"),
        "listings linked": ("newly linked listing", "newly linked listings"),
        "quantities changed on TikTok": ("changed quantity", "changed quantities"),
    }
    parts = [f"{n:,} {one if n == 1 else many}" for key, (one, many) in names.items() if (n := running.counts[key])]
    return f"{', '.join(parts)}." if parts else "Nothing new."
