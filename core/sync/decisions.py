"""The word on a number that nothing explains, and taking it back: ours is right, TikTok's is, or another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, text, update

from core import clock
from core.store.engine import Store
from core.store.queries import drift as kept
from core.store.queries.drift import Question
from core.store.tables import Drift, Shop
from core.store.upsert import table
from core.sync import ledger, outbox
from core.sync.drift_causes import Cause, units

Choice = Literal["ours", "theirs", "count"]
Rule = Literal["ask", "ours", "theirs"]
REASON, BACK = "taken over from TikTok", "taking over undone"
RULE = "rule"
_DRIFT, _SHOP = table(Drift), table(Shop)
_OPEN = ("suspected", "open", "lowered")
_NO_GOODS = (Cause.BACKORDER, Cause.REFILL)


class Undecided(Exception):
    """Nothing was decided: `sentence` says why, `next_step` what to do."""

    sentence = ""
    next_step = ""

    def __init__(self, sentence: str = "", next_step: str = "") -> None:
        self.sentence = sentence or self.sentence
        self.next_step = next_step or self.next_step
        super().__init__(f"{self.sentence} {self.next_step}".strip())


class NothingToDecide(Undecided):
    """There is no open question of this kind any more."""

    sentence = "This was decided already, or an order has explained it meanwhile."


class StillChecking(Undecided):
    """It is not certain yet that no order explains the number."""

    sentence = "The orders are being read once more, and one of them may still explain this number."
    next_step = "Look again in a few minutes."


class Changed(Undecided):
    """The number moved after the owner looked at it."""

    sentence = "TikTok's number changed once more since you looked at it."
    next_step = "Look at it again."


class CannotAdopt(Undecided):
    """TikTok's number, or a count of one item, cannot be taken for this listing."""


class CannotUndo(Undecided):
    """The decision stands."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as its owner saw it when they decided."""

    id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of several questions: how many were decided, the units booked, and those left open with why."""

    done: int
    units: int
    left: tuple[tuple[int, str], ...]


def why_not(asked: Question, choice: Choice) -> CannotAdopt | None:
    """Why this cannot be chosen for this question, or None. Pure."""
    if choice == "ours":
        return None
    if asked.parts != 1 or (choice == "theirs" and asked.quantity != 1):
        return CannotAdopt(
            "This listing sells several units together, so TikTok's number does not say what there is of each."
            if asked.parts
            else "This listing is not linked to an item of yours any more.",
            "Count the items and record the counts." if asked.parts else "Link it first.",
        )
    if choice == "count":
        return None
    if asked.cause in _NO_GOODS:
        return CannotAdopt("TikTok made this number by itself, and no goods came with it.", "Keep yours, or count.")
    if asked.on_hand + asked.amount < 0:
        return CannotAdopt(f"You have {units(asked.on_hand)}, so {-asked.amount:,} cannot be missing.", "Count them.")
    return None


def decide(store: Store, asked: Sequence[Asked], choice: Choice, *, actor: str, number: int | None = None) -> Decided:
    """Settle questions for good, all in one transaction; the pusher does the rest. What cannot be decided stays open.

    "ours" books nothing; "theirs" says that goods really came or went and books the difference; "count" says that
    `number` units of the item are on hand. Raises BadQuantity.
    """
    if choice == "count" and not (number is not None and 0 <= number <= 99_999):
        raise ledger.BadQuantity(number or 0)
    booked, left = 0, []
    with store.write(urgent=True) as connection:
        for each in asked:  # one by one, for two questions may be about the same item
            found = kept.these(connection, [each.id])
            try:
                booked += _decide(connection, found[0] if found else None, each, choice, actor, number)
            except Undecided as refusal:
                left.append((each.id, str(refusal)))
    return Decided(len(asked) - len(left), booked, tuple(left))


def _decide(
    connection: Connection, found: Question | None, asked: Asked, choice: Choice, actor: str, number: int | None
) -> int:
    if found is None or found.state not in _OPEN:
        raise NothingToDecide
    if not found.certain:
        raise StillChecking
    if found.amount != asked.amount:
        raise Changed
    refusal = why_not(found, choice)
    if refusal is not None:
        raise refusal
    change = settle(connection, found, choice, actor=actor, number=number)
    key = {"shop": found.shop_id, "sku": found.sku_id}
    if found.state == "open":
        connection.execute(_ABSORB, key | {"amount": found.amount})
    connection.execute(_SETTLED, key | {"now": clock.now_ms()})
    return change


# What was decided is part of the settled number from now on; whatever else may have happened since is not.
_ABSORB = text("UPDATE listing SET base_available = base_available + :amount WHERE shop_id = :shop AND sku_id = :sku")
_SETTLED = text("UPDATE listing SET settled_at = coalesce(settled_at, :now) WHERE shop_id = :shop AND sku_id = :sku")


def settle(connection: Connection, asked: Question, choice: Choice, *, actor: str, number: int | None = None) -> int:
    """Book what a decision says and close the question. Returns the units added to the ledger.

    For the owner and for a rule of the shop alike. The settled number of the listing is the caller's to move.
    """
    change, now = 0, clock.now_ms()
    item = asked.item_id
    if choice != "ours" and item is not None:
        change = asked.amount if choice == "theirs" else (number or 0) - asked.on_hand
        if choice == "theirs":
            movement = {
                "item_id": item, "on_hand": change, "reason": REASON, "origin": "owner",
                "reference": f"drift:{asked.id}", "actor": actor, "at": now,
            }  # fmt: skip
            ledger.write(connection, [movement])
        else:
            ledger.count(connection, [(item, change)], actor=actor, origin="owner", reference=f"drift:{asked.id}")
        outbox.mark_items(connection, [item], "it was decided which number is right")
    values = {"state": "decided", "decision": choice, "decided_at": now, "actor": actor}
    connection.execute(update(_DRIFT).where(_DRIFT.c.id == asked.id).values(values))
    outbox.mark_listings(connection, asked.shop_id, [asked.sku_id], "it was decided which number is right")
    return change


def by_rule(asked: Question, rule: str, *, doubtful: bool, settled: bool) -> Choice | None:
    """What the shop's rule decides by itself; None leaves the question to the owner. Pure.

    Nothing is decided before the first review. TikTok's number is taken only where it can mean nothing but goods: one
    item sold by this listing alone, a change by hand, and no write of ours inside the evidence whose answer was lost.
    """
    if asked.mode != "live" or not settled:
        return None
    if rule == "ours":
        return "ours"
    alone = asked.parts == 1 and asked.quantity == 1 and not asked.sharing
    clear = asked.cause == Cause.HAND and not doubtful
    return "theirs" if rule == "theirs" and alone and clear and why_not(asked, "theirs") is None else None


def set_rule(store: Store, shop_id: str, rule: Rule) -> None:
    """What happens from now on to a number of this shop that nothing explains; open questions stay open."""
    with store.write(urgent=True) as connection:
        connection.execute(update(_SHOP).where(_SHOP.c.id == shop_id).values(drift_rule=rule))


def rule_of(connection: Connection, shop_id: str) -> str:
    """The shop's rule: ask, ours or theirs."""
    return str(connection.execute(select(_SHOP.c.drift_rule).where(_SHOP.c.id == shop_id)).scalar() or "ask")


def cannot_undo(connection: Connection, asked: Question) -> str:
    """Why this decision cannot be taken back, in a sentence; empty when it can."""
    if asked.state != "decided":
        return "It was taken back already."
    key = {"shop": asked.shop_id, "sku": asked.sku_id, "id": asked.id, "at": asked.decided_at or 0}
    if connection.execute(_LATER, key).scalar_one():
        return "A later question about this listing is open or decided; that one comes first."
    if asked.decision == "count":
        return "A count is put right by another count."
    if asked.decision == "ours":
        return ""
    if not asked.units:
        return "It was taken over by a plan; take back the plan."
    item = connection.execute(_ITEM, key | {"reference": f"drift:{asked.id}"}).one()
    if not item.linked:
        return "The listing does not sell this item any more."
    if (item.counted_at or 0) > (asked.decided_at or 0):
        return "The item was counted since, and the count holds whichever number was right."
    if item.free < asked.units:
        gone = asked.units - item.free
        return f"{units(gone)} of it {'is' if gone == 1 else 'are'} sold or promised since."
    return ""


_LATER = text(
    "SELECT count(*) FROM drift WHERE shop_id = :shop AND sku_id = :sku AND id > :id AND state <> 'explained' "
    "AND state <> 'undone'"
)
_ITEM = text(
    "SELECT i.id, i.counted_at, (SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = i.id) "
    "AS free, EXISTS (SELECT 1 FROM link k WHERE k.shop_id = :shop AND k.sku_id = :sku AND k.item_id = i.id) AS linked "
    "FROM item i WHERE i.id = (SELECT item_id FROM movement WHERE reference = :reference ORDER BY id LIMIT 1)"
)


def undo(store: Store, drift_id: int, *, actor: str) -> int:
    """Take a decision back: what it booked is booked the other way, and the question is open again.

    Returns the units added to the ledger. Raises CannotUndo.
    """
    with store.write(urgent=True) as connection:
        found = kept.these(connection, [drift_id])
        if not found:
            raise CannotUndo("This decision is not known any more.")
        asked = found[0]
        if why := cannot_undo(connection, asked):
            raise CannotUndo(why)
        if asked.decision == "theirs":
            item = connection.execute(
                text("SELECT item_id FROM movement WHERE reference = :r ORDER BY id LIMIT 1"),
                {"r": f"drift:{asked.id}"},
            ).scalar_one()
            back = {
                "item_id": item, "on_hand": -asked.units, "reason": BACK, "origin": "owner",
                "reference": f"drift:{asked.id}", "actor": actor, "at": clock.now_ms(),
            }  # fmt: skip
            ledger.write(connection, [back])
            outbox.mark_items(connection, [item], "a decision was taken back")
        _ask_again(connection, drift_id)
        outbox.mark_listings(connection, asked.shop_id, [asked.sku_id], "a decision was taken back")
    return -asked.units if asked.decision == "theirs" else 0


def _ask_again(connection: Connection, drift_id: int) -> None:
    """The same question once more, beside the decision that was taken back; until it is decided nothing is raised."""
    old: Any = connection.execute(select(_DRIFT).where(_DRIFT.c.id == drift_id)).mappings().one()
    connection.execute(update(_DRIFT).where(_DRIFT.c.id == drift_id).values(state="undone"))
    again = {name: value for name, value in old.items() if name != "id"}
    again |= {"state": "lowered", "decision": "", "decided_at": None, "actor": ""}
    connection.execute(insert(_DRIFT).values(again))


def take_over(connection: Connection, shop_id: str, sku_id: str) -> None:
    """TikTok's number of this listing is now ours as well, by a plan: nothing is left to decide on it."""
    mine = (_DRIFT.c.shop_id == shop_id, _DRIFT.c.sku_id == sku_id, _DRIFT.c.state.in_(_OPEN))
    decided = {"state": "decided", "decision": "theirs", "decided_at": clock.now_ms(), "actor": "plan"}
    connection.execute(update(_DRIFT).where(*mine).values(decided))
    connection.execute(_START_AGAIN, {"now": clock.now_ms(), "shop": shop_id, "sku": sku_id})


# Measure later drift from what TikTok shows now, and let the listing be kept even.
_START_AGAIN = text(
    "UPDATE listing SET base_available = available, base_open = committed, base_shipped = NULL, "
    "base_at = observed_at, settled_at = coalesce(settled_at, :now) "
    "WHERE shop_id = :shop AND sku_id = :sku AND available IS NOT NULL"
)
