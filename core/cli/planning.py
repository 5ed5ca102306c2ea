"""`plan`: changes that can be read before they are sent."""

from core import money
from core.cli import out
from core.cli.desk import Reader, reading, shops_of, working
from core.cli.syncing import tell_lines
from core.store.queries import plans as stored
from core.store.queries.plans import PlanHead, Totals
from core.sync import kinds, plans, runs, trouble
from core.tiktok.errors import TikTokError

_ALL = 1_000_000
_STATES = {
    "proposed": "waits for your yes",
    "approved": "approved, not sent yet",
    "running": "being sent",
    "done": "sent",
    "stopped": "stopped before the end",
    "replaced": "replaced by a newer plan",
}


def list_plans(*, as_json: bool) -> None:
    """Print the last plans."""
    with reading() as reader, reader.store.read() as connection:
        found = stored.recent(connection)
    if as_json:
        out.document({"plans": found})
    elif found:
        rows = [(head.id, out.when(head.created_at), head.rows, _STATES.get(head.state, head.state)) for head in found]
        out.table(("Plan", "Made", "Changes", "State"), rows, right=(0, 2))
    else:
        out.say("There is no plan yet. python -m core sync --dry-run makes one.")


def show_plan(number: int, *, as_json: bool) -> None:
    """Print every change of a plan."""
    with reading() as reader:
        head = _head(reader, number)
        with reader.store.read() as connection:
            lines, totals = stored.lines(connection, number, limit=_ALL), stored.totals(connection, number)
    if as_json:
        out.document({"plan": head, "totals": totals, "changes": lines})
        return
    out.say(f"Plan {head.id}, made {out.when(head.created_at)}: {_STATES.get(head.state, head.state)}.")
    if lines:
        tell_lines(lines)
    for sentence in _stakes(totals):
        out.say(sentence)
    if head.warning and head.state == "proposed":
        out.note(f"{head.warning} To agree all the same: python -m core plan approve {head.id} --rows {head.rows}")


def _stakes(totals: Totals) -> list[str]:
    """What a plan does in all, and the money at stake."""
    if not (totals.raises or totals.lowers):
        return []
    told = f"{totals.raises:,} more, {totals.lowers:,} less, {totals.emptied:,} of them to zero; "
    told += f"the largest change is {out.many(totals.largest, 'unit')}."
    warned = [f"{out.many(totals.warned, 'row')} above the last count."] if totals.warned else []
    return [told, *warned] + [
        f"At the listings' prices: {money.show(stake.off_units, stake.currency)} comes off, "
        f"{money.show(stake.offered_units, stake.currency)} is newly there."
        for stake in totals.money
    ]


def approve_plan(number: int, rows: int | None, only: list[str], without: list[str]) -> None:
    """Agree to a plan or to some of its rows; nothing is sent by it."""
    with working() as runtime:
        _head(Reader(runtime.settings, runtime.desk, runtime.store, runtime.vault), number)
        if only or without:
            kinds.check_choice(runtime.store, number)
        count = plans.approve(runtime.store, number, confirmed_rows=rows, only=only, without=without)
    out.say(f"Plan {number} with {out.many(count, 'change')} is approved. To send it: python -m core plan run {number}")


def run_plan(number: int, *, as_json: bool) -> int:
    """Send an approved plan, tell what became of each row, and return the exit code."""
    with working() as runtime:
        head = _head(Reader(runtime.settings, runtime.desk, runtime.store, runtime.vault), number)
        _check_approved(head)
        shops = shops_of(runtime, head.shop_id) if kinds.KINDS[head.kind].talks else []
        try:
            with runs.run(runtime.store, head.kind, head.shop_id, "cli") as running:
                kinds.run(head.kind, runtime.store, shops, number, running)
            trouble.over(runtime.store, head.shop_id)
        except TikTokError as error:
            trouble.told(runtime.store, head.shop_id, error)
            raise
        with runtime.store.read() as connection:
            states = stored.states(connection, number)
            lines = stored.lines(connection, number, limit=_ALL)
    if as_json:
        out.document({"plan": number, "sentence": running.sentence, "states": states, "changes": lines})
    else:
        tell_lines(lines)
        out.say(running.sentence)
    return out.ATTENTION if set(states) - {"done", "skipped", "cannot"} else 0


def undo_plan(number: int, *, as_json: bool) -> int:
    """Plan to take a plan back, print what would go back and what has to stay, and return the exit code."""
    with working() as runtime:
        _head(Reader(runtime.settings, runtime.desk, runtime.store, runtime.vault), number)
        proposed = kinds.propose_undo(runtime.store, number, actor="cli")
        with runtime.store.read() as connection:
            lines, totals = stored.lines(connection, proposed.id, limit=_ALL), stored.totals(connection, proposed.id)
    if as_json:
        out.document({"plan": proposed, "undo_of": number, "totals": totals, "changes": lines})
    else:
        tell_lines(lines)
        for sentence in _stakes(totals):
            out.say(sentence)
        confirm = f" --rows {proposed.rows}" if proposed.warning else ""
        then = f"python -m core plan approve {proposed.id}{confirm}, then python -m core plan run {proposed.id}"
        out.note(f"{proposed.warning} To take this back: {then}".strip() if proposed.rows else "Nothing can go back.")
    return out.ATTENTION if proposed.rows < len(lines) else 0


def _check_approved(head: PlanHead) -> None:
    if head.state == "proposed":
        step = f"Agree to it first: python -m core plan approve {head.id}"
        raise out.Problem(f"Plan {head.id} is not approved.", step)
    if head.state != "approved":
        raise plans.PlanGone


def _head(reader: Reader, number: int) -> PlanHead:
    with reader.store.read() as connection:
        head = stored.head(connection, number)
    if head is None:
        raise out.Problem(f"There is no plan {number}.", "python -m core plan list shows those there are.")
    return head
