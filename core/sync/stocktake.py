"""A count of many items: looked at first, then booked in one go; what moved since it was read is never overwritten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, text

from core import clock
from core.settings import Choices
from core.store import choices
from core.store.engine import Store
from core.store.queries import stocktake as rows
from core.store.queries.places import STORE
from core.store.queries.stocktake import CountRow
from core.sync import inverses, ledger, outbox, plans, runs, stakes

KIND = "count"
MOST = 5_000
MOST_UNITS = 99_999


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of one item, and the stock (`was`, `mark`) that stood beside it when it was entered."""

    item_id: int
    units: int
    was: int
    mark: int


class Verdict(StrEnum):
    """What becomes of one count."""

    SAME = "same"
    DIFFERS = "differs"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Line:
    """One count beside the stock of now; `money_units` is the difference at cost, None where no cost is known."""

    item_id: int
    sku: str
    title: str
    was: int
    now: int
    units: int
    money_units: int | None
    currency: str
    verdict: Verdict

    @property
    def change(self) -> int:
        """Units that booking this count adds."""
        return self.units - self.now


@dataclass(frozen=True, slots=True)
class Review:
    """What booking would do: every count, the sums of what differs, and a warning where much would go to zero."""

    lines: tuple[Line, ...]
    more: int
    fewer: int
    money: Mapping[str, int]
    without_cost: int
    warning: str

    def only(self, verdict: Verdict) -> list[Line]:
        """The counts of one kind."""
        return [line for line in self.lines if line.verdict is verdict]


@dataclass(frozen=True, slots=True)
class Result:
    """What was booked: counts taken, differences among them, and the counts left out because the stock had moved.

    `plan_id` is the number under which it can be undone.
    """

    run_id: int
    plan_id: int
    counted: int
    differences: int
    moved: tuple[Line, ...]


class CountRefused(Exception):
    """Nothing was booked: `sentence` says why, `next_step` what to do."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


def judge(counted: Sequence[Counted], stock: Mapping[int, CountRow]) -> list[Line]:
    """Each count beside the stock of now; an item that is gone is left out. Pure."""
    return [_line(each, stock[each.item_id]) for each in counted if each.item_id in stock]


def _line(count: Counted, now: CountRow) -> Line:
    moved = (count.was, count.mark) != (now.on_hand, now.mark)
    verdict = Verdict.MOVED if moved else Verdict.SAME if count.units == now.on_hand else Verdict.DIFFERS
    money = None if now.cost_units is None else now.cost_units * (count.units - now.on_hand)
    title = f"{now.title}, {now.variant}" if now.variant else now.title
    return Line(now.item_id, now.sku, title, count.was, now.on_hand, count.units, money, now.currency, verdict)


def review(connection: Connection, counted: Sequence[Counted], place: int = 0) -> Review:
    """What booking these counts would do now; changes nothing. `place` is the location counted, 0 the only one."""
    lines = judge(counted, rows.these(connection, [each.item_id for each in counted], place))
    changed = [line for line in lines if line.verdict is Verdict.DIFFERS]
    money: dict[str, int] = {}
    for line in changed:
        if line.money_units is not None:
            money[line.currency] = money.get(line.currency, 0) + line.money_units
    items = int(connection.execute(text("SELECT count(*) FROM item WHERE NOT archived")).scalar_one())
    return Review(
        lines=tuple(lines),
        more=sum(max(0, line.change) for line in changed),
        fewer=sum(max(0, -line.change) for line in changed),
        money=money,
        without_cost=sum(line.money_units is None for line in changed),
        warning=_warning(changed, items, choices.load(connection)),
    )


def _warning(changed: Sequence[Line], items: int, limits: Choices) -> str:
    emptied = sum(line.now > 0 and line.units == 0 for line in changed)
    most = min(limits.stop_zero_count, max(5, items * limits.stop_zero_percent // 100))
    if emptied <= most:
        return ""
    return f"{emptied:,} items would go to zero, and so would what TikTok offers of them."


def apply(
    store: Store,
    counted: Sequence[Counted],
    *,
    actor: str = "owner",
    note: str = "",
    confirmed: bool = False,
    place: int = 0,
) -> Result:
    """Book counts as movements of the difference, in one transaction and one run. Raises CountRefused, BadQuantity.

    An item whose units on hand moved since its count was entered is left out and told, never overwritten. `confirmed`
    lets many items go to zero; `place` is the location that was counted, 0 the only one.
    """
    for each in counted:
        if not 0 <= each.units <= MOST_UNITS:
            raise ledger.BadQuantity(each.units)
    if len(counted) > MOST:
        raise CountRefused(f"These are more than {MOST:,} counts at once.", "Book them in parts.")
    plan_id = 0
    with runs.run(store, KIND, "", actor) as running:
        run_id = running.record()
        with store.write(urgent=True) as connection:
            seen = review(connection, counted, place)
            if seen.warning and not confirmed:
                running.status, running.sentence = "failed", f"{seen.warning} Nothing was booked."
                running.next_step = "If this is right, confirm it in the review."
            else:
                plan_id = _book(connection, seen, run_id, actor, note, place or STORE)
        if running.status != "failed":
            _tell(running, seen)
    if running.status == "failed":
        raise CountRefused(running.sentence, running.next_step)
    moved = tuple(seen.only(Verdict.MOVED))
    return Result(run_id, plan_id, len(seen.lines) - len(moved), len(seen.only(Verdict.DIFFERS)), moved)


def _book(connection: Connection, seen: Review, run_id: int, actor: str, note: str, place: int) -> int:
    plan_id = plans.keep_done(connection, KIND, actor, run_id)
    taken = [line for line in seen.lines if line.verdict is not Verdict.MOVED]
    if taken:
        changes = [(line.item_id, line.change) for line in taken]
        with inverses.counting(connection, plan_id, [item_id for item_id, _ in changes]):
            ledger.count(
                connection, changes, actor=actor, origin="store", reference=f"run:{run_id}", note=note,
                location_id=place,
            )  # fmt: skip
        outbox.mark_items(connection, [line.item_id for line in taken if line.change], "a count of your own")
    told = [line for line in seen.lines if line.verdict is not Verdict.SAME]
    runs.note(connection, run_id, [_row(line) for line in told])
    stakes.keep(connection, "", [_plan_row(plan_id, line) for line in told])
    return plan_id


def _plan_row(plan_id: int, line: Line) -> dict[str, object]:
    moved = line.verdict is Verdict.MOVED
    return {
        "plan_id": plan_id, "entity": line.sku, "field": "on hand", "old": str(line.now), "new": str(line.units),
        "read_at": clock.now_ms(), "rule": "counted", "state": "review" if moved else "done",
        "result": _row(line)["sentence"] or "Counted.",
    }  # fmt: skip


def _row(line: Line) -> dict[str, str]:
    moved = line.verdict is Verdict.MOVED
    return {
        "entity": line.sku, "field": "on hand", "old": str(line.now), "new": str(line.units),
        "result": "not booked" if moved else "counted",
        "sentence": f"It was {line.was} when the count was entered and moved meanwhile." if moved else "",
    }  # fmt: skip


def _tell(running: runs.Running, seen: Review) -> None:
    moved, differ = len(seen.only(Verdict.MOVED)), len(seen.only(Verdict.DIFFERS))
    taken = len(seen.lines) - moved
    running.counts.update({"counted": taken, "differences": differ, "moved meanwhile": moved})
    running.sentence = f"{_many(taken, 'item')} counted, {_many(differ, 'difference')} booked."
    if moved:
        running.status = "held"
        running.sentence += f" {_many(moved, 'item')} moved meanwhile and kept the stock as it was."
        running.next_step = "Count those again on the Count page."


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
