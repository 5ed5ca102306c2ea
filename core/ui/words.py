"""The words and colours of every state on screen, and runs told as sentences."""

from dataclasses import dataclass
from typing import Literal

from core.store.queries.activity import RunLine
from core.ui.text import number, sentence_list

Colour = Literal["green", "orange", "red", "blue", "violet", "gray"]


@dataclass(frozen=True, slots=True)
class Word:
    """How a state is called, and in which colour."""

    text: str
    colour: Colour = "gray"


ORDER = {
    "UNPAID": Word("Unpaid", "gray"),
    "ON_HOLD": Word("On hold", "violet"),
    "AWAITING_SHIPMENT": Word("To ship", "orange"),
    "PARTIALLY_SHIPPING": Word("Partly shipped", "orange"),
    "AWAITING_COLLECTION": Word("Packed", "blue"),
    "IN_TRANSIT": Word("On the way", "blue"),
    "DELIVERED": Word("Delivered", "green"),
    "COMPLETED": Word("Completed", "green"),
    "CANCELLED": Word("Cancelled", "red"),
}
STOCK = {
    "even": Word("Even", "green"),
    "lower": Word("Too high", "orange"),
    "raise": Word("Too low", "blue"),
    "drift": Word("Drift", "red"),
    "unlinked": Word("Not linked", "gray"),
    "refused": Word("Refused", "red"),
    "locked": Word("Locked", "orange"),
    "halted": Word("Stopped", "red"),
    "waiting": Word("Waiting", "violet"),
    "unread": Word("Not read yet", "gray"),
}
RUN = {
    "running": Word("Running", "blue"),
    "done": Word("Done", "green"),
    "failed": Word("Failed", "red"),
    "interrupted": Word("Interrupted", "orange"),
    "stopped": Word("Stopped", "orange"),
    "held": Word("Needs you", "orange"),
}
CAUSE = {
    "unseen": Word("Order on its way", "violet"),
    "checking": Word("Being checked", "gray"),
    "backorder": Word("Backorder", "orange"),
    "campaign": Word("Campaign", "blue"),
    "refill": Word("TikTok's refill", "blue"),
    "lost": Word("Lost answer", "orange"),
    "refused": Word("Not kept", "red"),
    "tool": Word("Other program", "violet"),
    "hand": Word("By hand", "gray"),
    "": Word("Not judged yet", "gray"),
}
DECISION = {
    "ours": Word("Yours kept", "green"),
    "theirs": Word("TikTok's taken", "blue"),
    "count": Word("Counted", "violet"),
    "undone": Word("Undone", "gray"),
}
PLAN_ROW = {
    "proposed": Word("To send", "gray"),
    "done": Word("Done", "green"),
    "review": Word("Back in review", "orange"),
    "unsure": Word("Answer lost", "orange"),
    "skipped": Word("Left out", "gray"),
    "not sent": Word("Not sent", "gray"),
    "undone": Word("Undone", "violet"),
    "cannot": Word("Has to stay", "orange"),
}
LISTING = {
    "ACTIVATE": Word("Live", "green"),
    "DRAFT": Word("Draft", "gray"),
    "PENDING": Word("In review", "violet"),
    "FAILED": Word("Rejected", "red"),
    "SELLER_DEACTIVATED": Word("Off", "gray"),
    "PLATFORM_DEACTIVATED": Word("Blocked", "red"),
    "FREEZE": Word("Frozen", "red"),
    "DELETED": Word("Deleted", "gray"),
}
REASON = {
    "order": "Promised to an order",
    "shipped": "Shipped",
    "cancelled": "Order cancelled",
    "own sale": "Sold in your own store",
    "count": "Counted",
    "undo": "A plan taken back",
    "taken over from TikTok": "TikTok's number taken over",
    "taking over undone": "Taking over TikTok's number undone",
    "import": "Imported from a file",
    "receipt": "Goods received",
    "baseline": "Where the truth starts",
    "moved": "Moved between locations",
}
KIND = {
    "sync all": "Synced everything",
    "sync orders": "Read orders",
    "sync stock": "Read stock",
    "sync catalog": "Read the catalogue",
    "webhook": "Heard from TikTok",
    "push": "Sent stock to TikTok",
    "resync": "Sent a reviewed plan",
    "adopt": "Took over numbers from TikTok",
    "undo": "Took a plan back",
    "start": "Gave listings their start",
    "import": "Imported a file",
    "proof": "Proved the ledger",
    "check": "Checked the books",
    "mend": "Added items up again",
    "count": "Counted the shelf",
}
_SILENT = ("unchanged",)


def word(words: dict[str, Word], state: str) -> Word:
    """The word for a state; one that is not known is shown as it came."""
    return words.get(state) or Word(state.replace("_", " ").capitalize() or "Unknown")


def kind(run: RunLine) -> str:
    """What a run was, in words."""
    return KIND.get(run.kind, run.kind.replace("_", " ").capitalize())


def outcome(run: RunLine) -> str:
    """How a run ended: its own sentence, else its counts, else that nothing was to do."""
    if run.sentence:
        return run.sentence
    if run.status == "running":
        return f"{number(run.done)} of {number(run.total)} so far" if run.total else "Under way"
    told = [
        f"{number(count)} {name.replace('_', ' ')}"
        for name, count in run.counts.items()
        if count and name not in _SILENT
    ]
    return f"{sentence_list(told[:4])}." if told else "Nothing to do."
