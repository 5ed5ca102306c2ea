"""The kinds of plans: what running one does, how it is taken back, and how what came back is reviewed again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from core.store.engine import Store
from core.store.queries import plans as stored
from core.sync import adopt, approval, inverses, plans, rule_plans, start_plans, stocktake, undo
from core.sync.approval import Which
from core.sync.context import ShopContext
from core.sync.plans import Proposed
from core.sync.runs import Running
from core.sync.undo import CannotUndo, Inverse

Book = Callable[[Store, int, Running], None]
Send = Callable[[ShopContext, int, Running], None]
Spread = Callable[[Store, Sequence[ShopContext], int, Running], None]
Undo = Callable[[Connection, int], Inverse]
Again = Callable[[Store, int, Collection[str], str], Proposed]
Choice = Literal["leave out", "put back", "only"]
_CHOICES: dict[Choice, Callable[[Store, int, Which], int]] = {
    "leave out": approval.leave_out,
    "put back": approval.put_back,
    "only": approval.only_these,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plan; one of `book`, `send` and `spread` is set.

    `book` (store, plan id, run) changes our own store in one go; `send` (shop, plan id, run) talks to TikTok in the
    background, `spread` (store, shops, plan id, run) too, for one shop or several. Each takes an approved plan, gives
    each of its rows a state and a result, and ends the plan. `undo` (connection, plan id) says how the rows that were
    done are taken back; `again` (store, plan id, entities, actor) proposes a fresh plan for rows of it that came back
    to review. A plan of a `whole` kind is agreed to as it is: its rows follow from one decision.
    """

    book: Book | None = None
    send: Send | None = None
    spread: Spread | None = None
    undo: Undo | None = None
    again: Again | None = None
    whole: bool = False

    @property
    def talks(self) -> bool:
        """Whether running it talks to TikTok, and so belongs in the background."""
        return self.book is None


def _resync_again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    return plans.propose_resync(store, _shop_of(store, plan_id), entities, actor=actor)


def _adopt_again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    return adopt.propose(store, _shop_of(store, plan_id), entities, actor=actor)


def _undo_again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    with store.read() as connection:
        query = text("SELECT undo_of FROM plan WHERE id = :id")
        undone = connection.execute(query, {"id": plan_id}).scalar_one()
    return propose_undo(store, int(undone), actor=actor, only=entities)


def _undo(store: Store, plan_id: int, running: Running) -> None:
    undo.run(store, plan_id, running, _invert)


def _invert(connection: Connection, plan_id: int) -> Inverse:
    """How the plan of this number is taken back. Raises CannotUndo."""
    kind = connection.execute(text("SELECT kind FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
    found = KINDS[kind].undo if kind in KINDS else None
    if found is None:
        raise CannotUndo("A plan of this kind cannot be undone.")
    return found(connection, plan_id)


def propose_undo(store: Store, plan_id: int, *, actor: str, only: Collection[str] = ()) -> Proposed:
    """Plan to take a plan back, or only these entities of it; nothing is changed by this. Raises CannotUndo."""
    return undo.propose(store, plan_id, _invert, actor=actor, only=only)


def propose_again(store: Store, plan_id: int, *, actor: str) -> Proposed | None:
    """A fresh plan for the rows of an ended plan that came back to review or were not sent; None without any."""
    with store.read() as connection:
        kind = connection.execute(text("SELECT kind FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
        left = stored.entities(connection, plan_id, "left")
    again = KINDS[kind].again if kind in KINDS else None
    return again(store, plan_id, left, actor) if again and left else None


def choose(store: Store, plan_id: int, choice: Choice, which: Which) -> int:
    """Leave rows of a proposed plan out, put them back, or keep only them. Returns how many are chosen then.

    Raises PlanGone, and WholePlan where the rows follow from one decision.
    """
    check_choice(store, plan_id)
    return _CHOICES[choice](store, plan_id, which)


def check_choice(store: Store, plan_id: int) -> None:
    """Raises WholePlan where the rows of a plan follow from one decision and cannot be left out."""
    with store.read() as connection:
        kind = connection.execute(text("SELECT kind FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one_or_none()
    if kind in KINDS and KINDS[kind].whole:
        raise WholePlan


class WholePlan(Exception):
    """The rows of this plan follow from one decision."""

    sentence = "These changes follow from one decision, so they are sent together or not at all."

    def __init__(self) -> None:
        super().__init__(self.sentence)


def _shop_of(store: Store, plan_id: int) -> str:
    with store.read() as connection:
        return str(connection.execute(text("SELECT shop_id FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one())


KINDS: dict[str, Kind] = {
    "resync": Kind(send=plans.run, undo=inverses.of_resync, again=_resync_again),
    adopt.KIND: Kind(book=adopt.run, undo=inverses.of_counts, again=_adopt_again),
    stocktake.KIND: Kind(undo=inverses.of_counts),
    undo.KIND: Kind(book=_undo, undo=inverses.of_counts, again=_undo_again),
    start_plans.KIND: Kind(send=start_plans.run, undo=inverses.of_resync, again=start_plans.again),
    rule_plans.KIND: Kind(spread=rule_plans.run, undo=rule_plans.undo, whole=True),
}


def run(kind: str, store: Store, shops: Sequence[ShopContext], plan_id: int, running: Running) -> None:
    """Run an approved plan; one that talks to TikTok needs its shop or shops. Raises TikTokError and StoreProblem."""
    found = KINDS[kind]
    if found.spread is not None:
        found.spread(store, shops, plan_id, running)
    elif found.send is not None:
        (shop,) = shops
        found.send(shop, plan_id, running)
    elif found.book is not None:
        found.book(store, plan_id, running)
