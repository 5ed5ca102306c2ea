"""What is to be done with each claimed listing: send, leave, hold for the owner, or look again later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.settings import Choices
from core.sync import brakes
from core.sync.facts import Facts
from core.sync.runs import Running
from core.sync.targets import Decision, Move, decide, excess_first

NO_WAREHOUSE = "TikTok names no warehouse for this listing, so no quantity can be sent."
CHANGED = "The numbers changed after you reviewed them. Please review this row again."


@dataclass(frozen=True, slots=True)
class Approval:
    """What the owner agreed to for one listing: from the number shown to a new one, as read at `read_at` (ms)."""

    old: int
    new: int
    read_at: int


@dataclass
class Choice:
    """Listings by what is done with them; `held` wait for the owner, `waiting` for readings, `stale` for review."""

    send: dict[str, Decision] = field(default_factory=dict)
    even: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    stale: dict[str, str] = field(default_factory=dict)


def choose(facts: Iterable[Facts], approved: Mapping[str, Approval] | None) -> Choice:
    """Decide on each listing by what is known of it now, and by what the owner agreed to."""
    choice = Choice()
    for fact in facts:
        wanted = fact.target
        if wanted is None or fact.available is None:
            choice.idle.append(fact.sku_id)
            continue
        if fact.halted:
            choice.held[fact.sku_id] = fact.halted
            continue
        approval = (approved or {}).get(fact.sku_id)
        decision = _decide(fact, wanted, fact.available, approval)
        if decision.move is Move.NOTHING:
            choice.even.append(fact.sku_id)
        elif decision.move is Move.HOLD:
            choice.held[fact.sku_id] = decision.sentence
        elif decision.move is Move.WAIT:
            choice.waiting[fact.sku_id] = decision.sentence
        elif not fact.shown:
            choice.held[fact.sku_id] = NO_WAREHOUSE
        elif approval is not None and decision.move is Move.RAISE and wanted > approval.new:
            choice.stale[fact.sku_id] = CHANGED
        else:
            choice.send[fact.sku_id] = decision
    return choice


def _decide(fact: Facts, wanted: int, available: int, approval: Approval | None) -> Decision:
    # An approval speaks for the drift that its review showed, not for one that came up since.
    seen = approval is not None and not (fact.suspected or fact.moved) and fact.drift_at <= approval.read_at
    safe = available if fact.safe is None else fact.safe
    decision = decide(
        wanted=wanted, available=safe, committed=fact.committed, open_units=fact.open_units,
        unexplained=fact.unexplained, drift=0 if seen else fact.drift, sure=not fact.suspected, doubt=fact.doubt,
        settled=fact.settled, decided=approval is not None, locked=fact.locked, room=fact.room,
    )  # fmt: skip
    allowed = approval is not None or (fact.settled and not fact.locked)
    return excess_first(decision, safe) if safe < available and allowed else decision


def brake(choice: Choice, facts: Mapping[str, Facts], linked: int, limits: Choices, running: Running) -> None:
    """Hold what goes beyond the owner's limits, counting all that this run has sent so far; the run says so."""
    wanted = {sku: decision.target for sku, decision in choice.send.items()}
    shown = {sku: facts[sku].available for sku in wanted}
    stopped, sentence = brakes.stopped(wanted, shown, linked, limits, running.so_far)
    for sku in stopped:
        del choice.send[sku]
        choice.held[sku] = sentence
    if stopped:
        running.status, running.sentence = "held", sentence
        running.next_step = "Open the Stock page, look at the changes, and send those that are right."
        running.counts["held"] += len(stopped)
