"""How plans are called: what each kind does, in the words of its headline, its button and its table."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.store.queries.plans import PlanHead
from core.ui.text import ago, number, plural
from core.ui.words import Word


@dataclass(frozen=True, slots=True)
class PlanWords:
    """One kind of plan: its name, what its rows are, what is done with them, and what that means before a yes."""

    name: str
    noun: str
    todo: str
    button: str
    doing: str
    before: str


_SENT = "Each number is read once more just before it is sent. One that changed meanwhile comes back to you."
_KINDS = {
    "resync": PlanWords("Numbers to TikTok", "change", "to send", "Send", "Sending", _SENT),
    "rules": PlanWords(
        "A change of rules", "change", "to send", "Send", "Sending",
        f"With your yes the rule is in force, and these numbers follow from it. {_SENT}",
    ),
    "start": PlanWords("First numbers", "listing", "to start with", "Start with", "Starting", _SENT),
    "adopt": PlanWords(
        "TikTok's numbers", "number", "to take over", "Take over", "Taking over",
        "Your stock of these items is counted as TikTok shows it; nothing is changed on TikTok.",
    ),
    "count": PlanWords("A count", "count", "booked", "Book", "Booking", ""),
    "undo": PlanWords(
        "An undo", "change", "to take back", "Take back", "Taking back",
        "Your stock goes back as each row says, and TikTok follows at once. What moves meanwhile comes back to you.",
    ),
}  # fmt: skip
STATE = {
    "proposed": Word("Waits for you", "orange"),
    "approved": Word("Starting", "blue"),
    "running": Word("Running", "blue"),
    "done": Word("Done", "green"),
    "stopped": Word("Stopped", "orange"),
    "replaced": Word("Replaced", "gray"),
}
ENDED = ("done", "stopped", "replaced")


def words(plan: PlanHead) -> PlanWords:
    """The words of a plan's kind."""
    return _KINDS.get(plan.kind, _KINDS["resync"])


def name(plan: PlanHead) -> str:
    """What a plan is called in a list."""
    return words(plan).name if plan.undo_of is None else f"Undo of plan {plan.undo_of}"


def question(plan: PlanHead) -> str:
    """What the page is about, by the plan's state."""
    if plan.state != "proposed":
        return f"Plan {plan.id}, made {ago(plan.created_at)}: {name(plan)}"
    if plan.undo_of is not None:
        return f"To take back plan {plan.undo_of}: review before anything is changed"
    return "Review before anything is sent"


def answer(plan: PlanHead, states: Mapping[str, int]) -> str:
    """The headline."""
    kind = words(plan)
    if plan.state == "proposed":
        return _waiting(plan, kind, states)
    if plan.state == "replaced":
        return "A newer plan took this one's place"
    done = states.get("done", 0) + states.get("undone", 0)
    if plan.rows and states.get("undone", 0) == plan.rows:
        return f"All {plural(plan.rows, kind.noun)} undone" if plan.rows > 1 else f"The {kind.noun} is undone"
    if plan.state in ENDED:
        return f"{number(done)} of {plural(plan.rows, kind.noun)} done"
    return f"{kind.doing}: {number(plan.rows - states.get('proposed', 0))} of {number(plan.rows)}"


def _waiting(plan: PlanHead, kind: PlanWords, states: Mapping[str, int]) -> str:
    left_out, stay = states.get("skipped", 0), states.get("cannot", 0)
    if not plan.rows:
        if left_out:
            return "Nothing is chosen"
        return "None of it can be undone any more" if stay else "Nothing to change"
    if left_out:
        return f"{number(plan.rows)} of {plural(plan.rows + left_out, kind.noun)} {kind.todo}"
    stays = f", {number(stay)} {'has' if stay == 1 else 'have'} to stay" if stay else ""
    return f"{plural(plan.rows, kind.noun)} {kind.todo}{stays}"


def send_label(plan: PlanHead) -> str:
    """What the one primary button will do."""
    return f"{words(plan).button} {plural(plan.rows, words(plan).noun)}"
