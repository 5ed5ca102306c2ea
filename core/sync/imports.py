"""Bring a CSV file of the own store in: first look at what it would do, then all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, select, text, update

from core import clock
from core.store import Store, choices
from core.store.queries.places import STORE
from core.store.tables import Item, Run
from core.store.upsert import table
from core.storefront.csv_files import Finding
from core.sync import ledger, outbox, runs
from core.sync.differences import Change, Compared, compare
from core.sync.staging import Stage, staged

KEPT_CHANGES = 5_000
_SAMPLE = 20
_ITEM = table(Item)
_COLUMNS = ("title", "variant", "currency", "barcode", "price_units", "cost_units")
_WRITE = (
    update(_ITEM)
    .where(_ITEM.c.id == bindparam("item_id"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. Counts are rows of the file; `findings` are the first of `findings_total`.

    `refused` is the sentence why the file cannot be used at all, or "". `needs_choice`: some rows have errors, so
    someone must choose whether the others are imported. `needs_confirmation`: many items would go to zero.
    """

    name: str
    encoding: str
    delimiter: str
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    findings: tuple[Finding, ...]
    findings_total: int
    warnings: tuple[str, ...]
    sample: tuple[Change, ...]
    needs_choice: bool
    needs_confirmation: bool
    refused: str


@dataclass(frozen=True, slots=True)
class Result:
    """What an import did: items created and updated, counts booked, rows left out."""

    run_id: int
    created: int
    updated: int
    counted: int
    skipped: int


class ImportRefused(Exception):
    """Nothing was imported: `sentence` says why, `next_step` what to do, `preview` what the file would have done."""

    def __init__(self, sentence: str, next_step: str, preview: Preview) -> None:
        super().__init__(f"{sentence} {next_step}".strip())
        self.sentence = sentence
        self.next_step = next_step
        self.preview = preview


def preview(store: Store, source: Path | bytes, *, name: str = "", place: int = STORE) -> Preview:
    """What importing the file (its path or content) would do; changes nothing. Raises StoreProblem.

    `place` is the location that its stock was counted in.
    """
    with staged(source) as stage:
        return _look(store, stage, _name(source, name), place)


def apply(
    store: Store,
    source: Path | bytes,
    *,
    partial: bool = False,
    confirmed: bool = False,
    actor: str = "owner",
    name: str = "",
    place: int = STORE,
) -> Result:
    """Import the file in one transaction; raises ImportRefused and StoreProblem, and then nothing has changed.

    `partial` leaves rows with errors out and takes the others. `confirmed` lets many items go to zero. A count of stock
    becomes a movement of the difference in the location `place`, and the listings of the item are looked at again.
    """
    refusal, result = None, None
    with runs.run(store, "import", "", actor) as running:
        run_id = running.record()
        with staged(source, lambda rows: running.progress(rows, 0)) as stage:
            seen = _look(store, stage, _name(source, name), place)
            refusal = _refusal(seen, partial=partial, confirmed=confirmed)
            if refusal is None:
                with store.write(urgent=True) as connection:
                    result = _write(connection, stage, run_id, actor, place)
        if result is not None:
            running.counts.update(
                created=result.created, updated=result.updated, counted=result.counted, skipped=result.skipped
            )
            running.sentence = _summary(seen.name, result)
        elif refusal is not None:
            running.status, running.sentence, running.next_step = "failed", refusal.sentence, refusal.next_step
    if result is None:
        assert refusal is not None
        raise refusal
    return result


def _name(source: Path | bytes, name: str) -> str:
    return name or (source.name if isinstance(source, Path) else "the file")


class _Tally:
    """Counts of a comparison, gathered batch by batch."""

    def __init__(self) -> None:
        self.new = self.changed = self.unchanged = self.zeroed = self.leaps = 0
        self.first_leap = ""
        self.sample: list[Change] = []

    def add(self, one: Compared) -> None:
        if one.item_id is None:
            self.new += 1
        elif one.changes:
            self.changed += 1
            self.sample += one.changes[: _SAMPLE - len(self.sample)]
            self._leap(one)
        else:
            self.unchanged += 1
        self.zeroed += one.on_hand > 0 and one.row.on_hand == 0

    def _leap(self, one: Compared) -> None:
        for change in one.changes:
            if change.field == "price" and change.old and _leaps(Decimal(change.old), Decimal(change.new)):
                self.leaps += 1
                self.first_leap = self.first_leap or f"{change.sku}: {change.old} to {change.new}"


def _leaps(old: Decimal, new: Decimal) -> bool:
    return old > 0 and not old / 10 < new < old * 10


def _look(store: Store, stage: Stage, name: str, place: int) -> Preview:
    tally = _Tally()
    with store.read() as connection:
        if stage.refused is None:
            for rows in stage.batches():
                for one in compare(connection, rows, place):
                    tally.add(one)
        stop = _stop_loss(connection, tally.zeroed)
    refused = str(stage.refused) if stage.refused else ""
    taken = tally.new + tally.changed + tally.unchanged
    if not refused and not taken:
        refused = "No row of the file can be used. Nothing was changed."
    leap = f"{_many(tally.leaps, 'price')} would change tenfold or more ({tally.first_leap}). Was a decimal mark lost?"
    return Preview(
        name=name, encoding=stage.encoding, delimiter=stage.delimiter, rows=stage.rows, new=tally.new,
        changed=tally.changed, unchanged=tally.unchanged, rejected=stage.rejected, findings=tuple(stage.findings),
        findings_total=stage.findings_total, warnings=(*([stop] if stop else []), *([leap] if tally.leaps else [])),
        sample=tuple(tally.sample), needs_choice=not refused and stage.rejected > 0,
        needs_confirmation=not refused and bool(stop), refused=refused,
    )  # fmt: skip


def _stop_loss(connection: Connection, zeroed: int) -> str:
    if not zeroed:
        return ""
    limits = choices.load(connection)
    items = int(connection.execute(text("SELECT count(*) FROM item WHERE NOT archived")).scalar_one())
    percent = 100 * zeroed / max(1, items)
    if percent <= limits.stop_zero_percent and zeroed <= limits.stop_zero_count:
        return ""
    return f"{_many(zeroed, 'item')} of {items:,} would go to zero, and so would what TikTok offers of them."


def _refusal(seen: Preview, *, partial: bool, confirmed: bool) -> ImportRefused | None:
    if seen.refused:
        return ImportRefused(seen.refused, "Correct the file and import it again.", seen)
    if seen.needs_choice and not partial:
        errors = [str(finding) for finding in seen.findings if finding.level == "error"]
        first = f" The first: {errors[0]}" if errors else ""
        sentence = f"{_many(seen.rejected, 'row')} of {seen.rows:,} cannot be used, so nothing was imported.{first}"
        return ImportRefused(sentence, "Correct the file, or choose to import the other rows only.", seen)
    if seen.needs_confirmation and not confirmed:
        return ImportRefused(f"{seen.warnings[0]} Nothing was imported.", "If this is right, confirm it.", seen)
    return None


def _write(connection: Connection, stage: Stage, run_id: int, actor: str, place: int) -> Result:
    created = updated = counted = noted = rows = 0
    for batch in stage.batches():
        found = compare(connection, batch, place)
        new = [one for one in found if one.item_id is None]
        written = [one for one in found if one.item_id is not None and one.written]
        ids = _create(connection, new) | {one.row.sku: one.item_id for one in found if one.item_id is not None}
        _update(connection, written)
        counts = [(ids[one.row.sku], one.moved) for one in found if one.row.on_hand is not None]
        if counts:
            ledger.count(connection, counts, actor=actor, origin="csv", reference=f"run:{run_id}", location_id=place)
        outbox.mark_items(connection, [item_id for item_id, moved in counts if moved], "a count from a file")
        details = _details(found)[: KEPT_CHANGES - noted]
        runs.note(connection, run_id, details)
        created, updated, counted = created + len(new), updated + len(written), counted + len(counts)
        noted, rows = noted + len(details), rows + len(batch)
    run = table(Run)
    connection.execute(update(run).where(run.c.id == run_id).values(done=rows, total=stage.rows))
    return Result(run_id, created, updated, counted, stage.rejected)


def _create(connection: Connection, new: Sequence[Compared]) -> dict[str, int]:
    if not new:
        return {}
    now = clock.now_ms()
    connection.execute(insert(_ITEM), [{**one.values, "archived": False, "created_at": now} for one in new])
    skus = [one.row.sku for one in new]
    return {row.sku: row.id for row in connection.execute(select(_ITEM.c.sku, _ITEM.c.id).where(_ITEM.c.sku.in_(skus)))}


def _update(connection: Connection, changed: Sequence[Compared]) -> None:
    if changed:
        rows = [
            {f"new_{name}": value for name, value in one.values.items() if name != "sku"} | {"item_id": one.item_id}
            for one in changed
        ]
        connection.execute(_WRITE, rows)


def _details(found: Sequence[Compared]) -> list[dict[str, str]]:
    return [
        {"entity": change.sku, "field": change.field, "old": change.old, "new": change.new,
         "result": "created" if one.item_id is None else "changed"}
        for one in found for change in one.changes
    ]  # fmt: skip


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _summary(name: str, result: Result) -> str:
    left = f", {_many(result.skipped, 'row')} left out" if result.skipped else ""
    return (
        f"{name}: {_many(result.created, 'item')} added, {result.updated:,} changed, {result.counted:,} counted{left}."
    )
