"""What each answer to a question would book and show, told before it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from core.store.queries.drift import Question
from core.sync import decisions, facts, targets
from core.sync.decisions import Choice
from core.sync.drift_causes import units
from core.sync.facts import Facts


@dataclass(frozen=True, slots=True)
class Answer:
    """What one choice does: the units it books, what TikTok shows then (None: not known), and both in a sentence.

    One that is not `possible` says why in its sentence.
    """

    choice: Choice
    possible: bool
    units: int
    shows: int | None
    sentence: str


def answers(
    connection: Connection, asked: Sequence[Question], choice: Choice, number: int | None = None
) -> dict[int, Answer]:
    """What one choice would do to each of these questions now; `number` is the count for "count"."""
    known: dict[str, dict[str, Facts]] = {}
    for shop_id in {each.shop_id for each in asked}:
        known[shop_id] = facts.load(connection, shop_id, [each.sku_id for each in asked if each.shop_id == shop_id])
    return {each.id: answer(each, known[each.shop_id].get(each.sku_id), choice, number) for each in asked}


def answer(asked: Question, fact: Facts | None, choice: Choice, number: int | None = None) -> Answer:
    """What a choice would do, from the facts of now. Pure."""
    refusal = decisions.why_not(asked, choice)
    if refusal is not None:
        return Answer(choice, False, 0, None, f"{refusal.sentence} {refusal.next_step}")
    change = {"ours": 0, "theirs": asked.amount, "count": (number or 0) - asked.on_hand}[choice]
    shows = _shows(fact, change)
    return Answer(choice, True, change, shows, " ".join(_sentences(asked, fact, choice, change, shows)))


def _shows(fact: Facts | None, change: int) -> int | None:
    if fact is None or not fact.parts or fact.unknown:
        return None
    if change == 0:
        return fact.target
    return targets.target([replace(part, on_hand=part.on_hand + change) for part in fact.parts])


def _sentences(asked: Question, fact: Facts | None, choice: Choice, change: int, shows: int | None) -> list[str]:
    told = [_booked(asked, choice, change, shows), *_later(asked, fact, shows)]
    if choice != "ours" and asked.sharing:
        told.append(f"{asked.sharing:,} other {'listing' if asked.sharing == 1 else 'listings'} of the item follow.")
    return told


def _booked(asked: Question, choice: Choice, change: int, shows: int | None) -> str:
    if choice == "ours":
        number = "your number" if shows is None else f"{shows:,}"
        return f"Keep {number}: {_then(asked, shows, back=True)}nothing is booked."
    left = f"so you have {units(asked.on_hand + change)}"
    if choice == "theirs":
        taken = asked.observed if shows is None else shows
        told = f'Take {taken:,}: {_then(asked, shows)}{change:+,} is booked as "{decisions.REASON}", {left}.'
    elif change:
        told = f'A count of {asked.on_hand + change:,}: {_then(asked, shows)}{change:+,} is booked as "count".'
    else:
        told = f"A count of {asked.on_hand:,}, as your records say: {_then(asked, shows)}no unit is booked."
    return told


def _then(asked: Question, shows: int | None, *, back: bool = False) -> str:
    if shows is None or asked.mode != "live":
        return ""
    goes = f"goes {'back ' if back else ''}to {shows:,}" if shows != asked.available else f"shows {shows:,} already"
    return f"TikTok {goes}, and "


def _later(asked: Question, fact: Facts | None, shows: int | None) -> list[str]:
    """What keeps TikTok from showing it at once."""
    if asked.mode != "live":
        return ["The shop is only watched, so nothing is sent."]
    if fact is None or shows is None or asked.available is None or shows == asked.available:
        return []
    if fact.locked:
        return [f"But TikTok takes no number at the moment: {fact.locked}"]
    if shows > asked.available and (fact.doubt or fact.committed > fact.open_units):
        return ["It is raised once everything that is under way has arrived here."]
    return []
