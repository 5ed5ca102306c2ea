"""What must hold after every cycle, looked at where something changed since; an item that fails is not sent any more.

The proof of everything comes once a day (proof.py). This looks at the items that moved and at what was sent, takes a
twentieth of the time of a cycle at most, and goes on next time where it had to stop.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, text

from core import clock
from core.store import choices as owner
from core.store.engine import Store
from core.store.queries import halted
from core.store.tables import Cursor
from core.store.upsert import upsert
from core.sync import mending, outbox, recount, runs
from core.sync.outbox import LEASE_MS
from core.sync.targets import MOST

_log = logging.getLogger("evenstock.invariants")
MOVED, PUSHED = "check:movements", "check:writes"
KIND = "check"
AT_ONCE = 20  # movements a step
FAR_BEHIND = 50_000  # movements or writes; what is older is left to the daily proof
_SHARE, _LEAST = 0.05, 0.02  # of a cycle's time, and seconds that it may take in any case
_AT_START = 1.0  # seconds
_SAVE_EVERY = 500  # ids; after a restart so much is looked at once more at most
_late: WeakKeyDictionary[Store, frozenset[tuple[str, str, int]]] = WeakKeyDictionary()
_reached: WeakKeyDictionary[Store, dict[str, int]] = WeakKeyDictionary()
Wrong = dict[int, list[str]]


def after(store: Store, seconds: float) -> None:
    """Look at what changed, for a cycle that took so many seconds. Never raises: a check must not stop the work."""
    _guarded(store, max(_LEAST, seconds * _SHARE))


def at_start(store: Store) -> None:
    """Look at what changed before the work begins. Never raises."""
    _guarded(store, _AT_START)


def _guarded(store: Store, seconds: float) -> None:
    try:
        look(store, seconds)
    except Exception:
        _log.exception("the check of the books stumbled")


@dataclass
class _Look:
    """One look: what was wrong with what was sent, by item id, whose books look wrong, and how far it came."""

    wrong: Wrong = field(default_factory=lambda: defaultdict(list))
    suspects: set[int] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)
    items: int = 0


def look(store: Store, seconds: float | None = None) -> int:
    """Check what changed since the last look, and halt the items that fail. Returns how many items were looked at.

    `seconds` is about how long it may take, None for no limit. Items that were counted since they were halted are
    put right first. Raises StoreProblem.
    """
    until = None if seconds is None else clock.monotonic() + seconds
    with store.read() as connection:
        counted = halted.counted_since(connection)
    if counted:
        mending.mend(store, counted, "count")
    found = _Look()
    with store.read() as connection:
        marks = _marks(store, connection)
        _writes(connection, marks[PUSHED], found)
        _claims(store, connection, found)
        _movements(connection, marks[MOVED], found, until)
    _keep(store, found)
    return found.items


_TOP = {MOVED: text("SELECT max(id) FROM movement"), PUSHED: text("SELECT max(id) FROM push")}
_SAVED = text("SELECT source, value FROM cursor WHERE source IN ('check:movements', 'check:writes')")
_NEXT = text("SELECT id, item_id FROM movement WHERE id > :mark ORDER BY id LIMIT :limit")


def _marks(store: Store, connection: Connection) -> dict[str, int]:
    """The ids up to which everything was looked at, or is left to the daily proof."""
    if store not in _reached:
        _reached[store] = {row.source: row.value for row in connection.execute(_SAVED)}
    tops = {source: connection.execute(query).scalar() or 0 for source, query in _TOP.items()}
    return {source: max(_reached[store].get(source, 0), top - FAR_BEHIND) for source, top in tops.items()}


def _movements(connection: Connection, mark: int, found: _Look, until: float | None) -> None:
    seen: set[int] = set()
    for items, reached in _steps(connection, mark):
        found.suspects |= {each.item_id for each in recount.books(connection, items - seen) if recount.wrong(each)}
        seen |= items
        found.marks[MOVED], found.items = reached, len(seen)
        if until is not None and clock.monotonic() >= until:
            return


def _steps(connection: Connection, mark: int) -> Iterator[tuple[set[int], int]]:
    while rows := connection.execute(_NEXT, {"mark": mark, "limit": AT_ONCE}).all():
        mark = rows[-1].id
        yield {row.item_id for row in rows}, mark


# A write is under way from its intent to its answer; the next one of the same listing may begin only after that.
_SENT = text("""
SELECT k.item_id, p.target, coalesce(b.answered_at > p.intent_at AND p.intent_at >= b.intent_at, false) AS doubled
FROM push p JOIN link k ON k.shop_id = p.shop_id AND k.sku_id = p.sku_id
LEFT JOIN push b ON b.outcome <> 'not sent' AND b.id = (
  SELECT max(x.id) FROM push x WHERE x.shop_id = p.shop_id AND x.sku_id = p.sku_id AND x.id < p.id)
WHERE p.id > :mark AND p.outcome NOT IN ('refused', 'not sent')
  AND (p.target NOT BETWEEN 0 AND :most OR b.answered_at > p.intent_at)
""")
_UNDER_WAY = text("SELECT min(id) FROM push WHERE outcome = 'sent' AND answered_at IS NULL AND intent_at > :since")
_SHARES = text("""
SELECT i.id, i.split_total, k.split_from, k.split_to FROM item i JOIN link k ON k.item_id = i.id
WHERE i.split_total > 0 AND i.id IN (SELECT m.item_id FROM push p JOIN link m ON m.shop_id = p.shop_id
  AND m.sku_id = p.sku_id WHERE p.id > :mark)
""")


def _writes(connection: Connection, mark: int, found: _Look) -> None:
    """What was sent: one number at a time, none that TikTok cannot take, by shares that nobody else has."""
    for row in connection.execute(_SENT, {"mark": mark, "most": MOST}):
        if not 0 <= row.target <= MOST:
            found.wrong[row.item_id].append(f"{row.target:,} was sent to TikTok, which takes 0 to {MOST:,} units.")
        if row.doubled:
            found.wrong[row.item_id].append("Two numbers were on their way to TikTok for one listing at the same time.")
    split: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(_SHARES, {"mark": mark}):
        split[row.id, row.split_total].append((row.split_from, row.split_to))
    for (item, total), parts in split.items():
        found.wrong[item] += recount.shares(total, parts)
    top = connection.execute(_TOP[PUSHED]).scalar() or 0
    open_ = connection.execute(_UNDER_WAY, {"since": clock.now_ms() - LEASE_MS}).scalar()
    found.marks[PUSHED] = top if open_ is None else min(top, open_ - 1)


_CLAIMED = text("""
SELECT o.shop_id, o.sku_id, o.claimed_until FROM outbox o JOIN shop s ON s.id = o.shop_id
WHERE s.mode = 'live' AND o.state = 'claimed' AND o.claimed_until NOT BETWEEN :now - :lease AND :now + 2 * :lease
""")
_ITEMS_OF = text("SELECT item_id FROM link WHERE shop_id = :shop AND sku_id = :sku")


def _claims(store: Store, connection: Connection, found: _Look) -> None:
    """A listing that a worker has in hand and neither finishes nor lets go, seen so twice."""
    limits = owner.load(connection)
    if limits.paused or not limits.push_on:
        return
    given = {"now": clock.now_ms(), "lease": LEASE_MS}
    rows = connection.execute(_CLAIMED, given).all() if _any_claimed(connection) else []
    late = frozenset((row.shop_id, row.sku_id, row.claimed_until) for row in rows)
    for shop_id, sku_id, _ in late & _late.get(store, frozenset()):
        for item in connection.execute(_ITEMS_OF, {"shop": shop_id, "sku": sku_id}).scalars():
            found.wrong[item].append("A change of its listing is in hand for too long and does not end.")
    _late[store] = late


def _any_claimed(connection: Connection) -> bool:
    return connection.execute(text("SELECT 1 FROM outbox WHERE state = 'claimed' LIMIT 1")).first() is not None


def _keep(store: Store, found: _Look) -> None:
    """Halt what failed, and remember how far this look came."""
    wrong = {item: sentences for item, sentences in found.wrong.items() if sentences}
    if wrong or found.suspects:
        halt(store, wrong, found.suspects)
    reached = _reached[store]
    before = dict(reached)
    reached |= {source: max(mark, before.get(source, 0)) for source, mark in found.marks.items()}
    if wrong or any(mark // _SAVE_EVERY > before.get(source, 0) // _SAVE_EVERY for source, mark in reached.items()):
        now = clock.now_ms()
        with store.write() as connection:
            rows = [{"source": source, "value": mark, "moved_at": now} for source, mark in reached.items()]
            upsert(connection, Cursor, rows)


_HALT = text("UPDATE item SET halted_at = :now, halted_why = :why WHERE id = :id AND halted_at IS NULL RETURNING sku")


def halt(store: Store, wrong: Mapping[int, Collection[str]], suspects: Collection[int] = ()) -> list[str]:
    """Stop sending items for the reasons given, and say so once, in a run. Returns the SKUs that were halted by this.

    The books of the `suspects` are counted once more, while nobody writes.
    """
    halted_now: dict[int, tuple[str, str]] = {}
    with store.write() as connection:
        reasons = {item: list(sentences) for item, sentences in wrong.items()}
        for books in recount.books(connection, suspects) if suspects else ():
            reasons.setdefault(books.item_id, []).extend(recount.wrong(books))
        for item, sentences in sorted(reasons.items()):
            why = " ".join(dict.fromkeys(sentences))
            given = {"now": clock.now_ms(), "why": f"{why} {mending.THEN}", "id": item}
            sku = connection.execute(_HALT, given).scalar() if sentences else None
            if sku is not None:
                halted_now[item] = (sku, why)
        outbox.mark_items(connection, halted_now, "its books do not add up")
    if halted_now:
        _tell(store, dict(halted_now.values()))
    return [sku for sku, _ in halted_now.values()]


def _tell(store: Store, skus: Mapping[str, str]) -> None:
    with runs.run(store, KIND, "", "timer") as running:
        rows = [{"entity": sku, "result": "halted", "sentence": why} for sku, why in skus.items()]
        with store.write() as connection:
            runs.note(connection, running.record(), rows)
        names = ", ".join(list(skus)[:5]) + (f" and {len(skus) - 5:,} more" if len(skus) > 5 else "")
        it, does = ("it", "does") if len(skus) == 1 else ("them", "do")
        running.status, running.counts["halted"] = "failed", len(skus)
        running.sentence = f"{names} {does} not add up, so nothing of {it} is sent to TikTok."
        running.next_step = "Open the Stock page and add it up again there, or count it."
