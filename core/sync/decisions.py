"""The owner's word on a number that nothing explains: ours is right, TikTok's is, or another one."""

from typing import Literal

from sqlalchemy import Connection, select, text

from core import clock
from core.store.engine import Store
from core.store.tables import Drift
from core.store.upsert import table
from core.sync import ledger, outbox

Choice = Literal["ours", "theirs"]
_DRIFT = table(Drift)
_OPEN = ("suspected", "open", "lowered")


class NothingToDecide(Exception):
    """There is no open difference on this listing any more."""

    sentence = "This was decided already, or an order has explained it meanwhile."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class CannotAdopt(Exception):
    """TikTok's number cannot be taken over by itself."""

    sentence = "This listing sells several items together, so TikTok's number does not say which of them changed."
    next_step = "Count the items and record the counts."

    def __init__(self) -> None:
        super().__init__(f"{self.sentence} {self.next_step}")


def decide(store: Store, shop_id: str, sku_id: str, choice: Choice, *, actor: str) -> int:
    """Settle the difference for good. Returns the units added to the ledger (0 for ours); the pusher does the rest.

    "theirs" means that goods really came or went: a movement books the difference, and TikTok's number stands.
    Raises NothingToDecide and CannotAdopt.
    """
    with store.write(urgent=True) as connection:
        mine = (_DRIFT.c.shop_id == shop_id, _DRIFT.c.sku_id == sku_id, _DRIFT.c.state.in_(_OPEN))
        found = connection.execute(select(_DRIFT).where(*mine).order_by(_DRIFT.c.id.desc())).first()
        if found is None:
            raise NothingToDecide
        amount = found.amount if choice == "theirs" else 0
        if amount:
            item_id = _item(connection, shop_id, sku_id)
            ledger.write(
                connection,
                [{"item_id": item_id, "on_hand": amount, "reason": "taken over from TikTok", "origin": "owner",
                  "reference": f"drift:{found.id}", "actor": actor, "at": clock.now_ms()}],
            )  # fmt: skip
            outbox.mark_items(connection, [item_id], "you took over TikTok's number")
        decided = {"state": "decided", "decision": choice, "decided_at": clock.now_ms()}
        connection.execute(_DRIFT.update().where(*mine).values(**decided))
        _start_again(connection, shop_id, sku_id)
        outbox.mark_listings(connection, shop_id, [sku_id], "you decided which number is right")
    return int(amount)


def take_over(connection: Connection, shop_id: str, sku_id: str) -> None:
    """TikTok's number of this listing is now ours as well: nothing is left to decide on it."""
    mine = (_DRIFT.c.shop_id == shop_id, _DRIFT.c.sku_id == sku_id, _DRIFT.c.state.in_(_OPEN))
    decided = {"state": "decided", "decision": "theirs", "decided_at": clock.now_ms()}
    connection.execute(_DRIFT.update().where(*mine).values(**decided))
    _start_again(connection, shop_id, sku_id)


def _item(connection: Connection, shop_id: str, sku_id: str) -> int:
    query = text("SELECT item_id, quantity FROM link WHERE shop_id = :shop AND sku_id = :sku")
    links = connection.execute(query, {"shop": shop_id, "sku": sku_id}).all()
    if len(links) != 1 or links[0].quantity != 1:
        raise CannotAdopt
    return int(links[0].item_id)


def _start_again(connection: Connection, shop_id: str, sku_id: str) -> None:
    """Measure later drift from what TikTok shows now, and let the listing be kept even."""
    connection.execute(
        text(
            "UPDATE listing SET base_available = available, base_open = committed, base_shipped = NULL, "
            "base_at = observed_at, settled_at = coalesce(settled_at, :now) "
            "WHERE shop_id = :shop AND sku_id = :sku AND available IS NOT NULL"
        ),
        {"now": clock.now_ms(), "shop": shop_id, "sku": sku_id},
    )
