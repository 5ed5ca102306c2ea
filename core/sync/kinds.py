"""The kinds of plans: what running one does, how it is taken back, and how what came back is reviewed again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from core.store.engine import Store
from core.sync import adopt, plans, rule_plans
from core.sync.context import ShopContext
from core.sync.plans import Proposed
from core.sync.runs import Running
from core.sync.undo import Inverse

Book = Callable[[Store, int, Running], None]
Send = Callable[[ShopContext, int, Running], None]
Spread = Callable[[Store, Sequence[ShopContext], int, Running], None]
Undo = Callable[[Connection, int], Inverse]
Again = Callable[[Store, int, Collection[str], str], Proposed]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plan; one of `book`, `send` and `spread` is set.

    `book` (store, plan id, run) changes our own store in one go; `send` (shop, plan id, run) talks to TikTok in the
    background, `spread` (store, shops, plan id, run) too, for one shop or several. Each takes an approved plan, gives
    each of its rows a state and a result, and ends the plan. `undo`
    (connection, plan id) says how the rows that were done are taken back; `again` (store, plan id, entities, actor)
    proposes a fresh plan for rows of it that came back to review.
    """

    book: Book | None = None
    send: Send | None = None
    spread: Spread | None = None
    undo: Undo | None = None
    again: Again | None = None

    @property
    def talks(self) -> bool:
        """Whether running it talks to TikTok, and so belongs in the background."""
        return self.book is None


def _resync_again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    return plans.propose_resync(store, _shop_of(store, plan_id), entities, actor=actor)


def _adopt_again(store: Store, plan_id: int, entities: Collection[str], actor: str) -> Proposed:
    return adopt.propose(store, _shop_of(store, plan_id), entities, actor=actor)


def _shop_of(store: Store, plan_id: int) -> str:
    with store.read() as connection:
        return str(connection.execute(text("SELECT shop_id FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one())


KINDS: dict[str, Kind] = {
    "resync": Kind(send=plans.run, again=_resync_again),
    adopt.KIND: Kind(book=adopt.run, again=_adopt_again),
    rule_plans.KIND: Kind(spread=rule_plans.run, undo=rule_plans.undo),
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
