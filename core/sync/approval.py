"""The owner's choice among the rows of a plan, and the yes to them; above the limits only with a typed number."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core import clock
from core.settings import Choices
from core.store import choices as owner
from core.store.chunks import chunks
from core.store.engine import Store
from core.store.queries import plans as stored
from core.sync import brakes


class PlanGone(Exception):
    """The plan is not waiting for approval any more."""

    sentence = "This plan was sent already, or replaced by a newer one. Review the changes again."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class NotConfirmed(Exception):
    """The plan is above the owner's limits, and the number of rows was not typed."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"This plan is above your limits. To send it all the same, confirm the number of rows: {rows}."
        )


class ChoiceMoved(Exception):
    """Other rows are chosen than the owner saw when they agreed."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"Another window changed which rows are chosen: there are {rows} now. Look once more.")


class NoSuchRow(Exception):
    """The plan has no row for a SKU that was named."""

    def __init__(self, skus: Collection[str]) -> None:
        super().__init__(f"The plan has no row for {', '.join(sorted(skus))}. Nothing was approved.")


@dataclass(frozen=True, slots=True)
class Which:
    """Rows of a plan: those of these entities, or without any named all that a filter of the review page finds."""

    entities: Collection[str] | None = None
    search: str = ""
    only: str = "all"


_OPEN = "plan_id = :id AND state IN ('proposed', 'skipped')"
_SET = text(f"UPDATE plan_row SET state = :state WHERE {_OPEN}")  # noqa: S608
_SET_THESE = text(f"UPDATE plan_row SET state = :state WHERE {_OPEN} AND entity IN :entities").bindparams(  # noqa: S608
    bindparam("entities", expanding=True)
)


def leave_out(store: Store, plan_id: int, which: Which) -> int:
    """Do not send these rows. Returns how many are chosen then; raises PlanGone."""
    return _choose(store, plan_id, which, "skipped")


def put_back(store: Store, plan_id: int, which: Which) -> int:
    """Send these rows after all. Returns how many are chosen then; raises PlanGone."""
    return _choose(store, plan_id, which, "proposed")


def only_these(store: Store, plan_id: int, which: Which) -> int:
    """Send these rows and no others. Returns how many are chosen then; raises PlanGone."""
    with store.write(urgent=True) as connection:
        _waiting(connection, plan_id)
        keep = _entities(connection, plan_id, which)
        _mark(connection, plan_id, None, "skipped")
        _mark(connection, plan_id, keep, "proposed")
        return _weigh(connection, plan_id)


def _choose(store: Store, plan_id: int, which: Which, state: str) -> int:
    with store.write(urgent=True) as connection:
        _waiting(connection, plan_id)
        _mark(connection, plan_id, _entities(connection, plan_id, which), state)
        return _weigh(connection, plan_id)


def _waiting(connection: Connection, plan_id: int) -> Any:
    query = text("SELECT id, shop_id, warning FROM plan WHERE id = :id AND state = 'proposed'")
    plan = connection.execute(query, {"id": plan_id}).one_or_none()
    if plan is None:
        raise PlanGone
    return plan


def _entities(connection: Connection, plan_id: int, which: Which) -> list[str]:
    if which.entities is not None:
        return sorted(which.entities)
    where, given = stored.found(which.search, which.only)
    return list(connection.execute(text(f"SELECT DISTINCT r.entity {where}"), given | {"id": plan_id}).scalars())


def _mark(connection: Connection, plan_id: int, entities: Collection[str] | None, state: str) -> None:
    if entities is None:
        connection.execute(_SET, {"id": plan_id, "state": state})
        return
    names = list(entities)
    for part in chunks(names):
        given = {"id": plan_id, "state": state, "entities": part}
        connection.execute(_SET_THESE, given)


def approve(
    store: Store, plan_id: int, *, confirmed_rows: int | None = None, seen_rows: int | None = None,
    only: Collection[str] = (), without: Collection[str] = (),
) -> int:  # fmt: skip
    """The owner's yes to the chosen rows. Returns how many they are.

    `only` and `without` narrow the choice by SKU first. `confirmed_rows` is the number the owner typed, `seen_rows` the
    one that the page showed. Raises PlanGone, NoSuchRow, ChoiceMoved, and NotConfirmed above the limits; then nothing
    has changed.
    """
    with store.write(urgent=True) as connection:
        plan = _waiting(connection, plan_id)
        if only:
            _mark(connection, plan_id, None, "skipped")
            _mark(connection, plan_id, _named(connection, plan_id, only), "proposed")
        if without:
            _mark(connection, plan_id, _named(connection, plan_id, without), "skipped")
        rows = _weigh(connection, plan_id)
        if seen_rows not in (None, rows):
            raise ChoiceMoved(rows)
        warning = connection.execute(text("SELECT warning FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one()
        if warning and confirmed_rows != rows:
            raise NotConfirmed(rows)
        connection.execute(
            text("UPDATE plan SET state = 'approved', approved_at = :now WHERE id = :id"),
            {"id": plan_id, "now": clock.now_ms()},
        )
        live = text("UPDATE shop SET mode = 'live' WHERE id = :shop AND mode = 'watch'")
        connection.execute(live, {"shop": plan.shop_id})
    return rows


_NAMED = text("""
SELECT r.entity, l.seller_sku FROM plan_row r JOIN plan p ON p.id = r.plan_id
LEFT JOIN listing l ON l.shop_id = p.shop_id AND l.sku_id = r.entity
WHERE r.plan_id = :id AND r.state IN ('proposed', 'skipped') AND (r.entity IN :names OR l.seller_sku IN :names)
""").bindparams(bindparam("names", expanding=True))


def _named(connection: Connection, plan_id: int, skus: Collection[str]) -> list[str]:
    """The entities that these SKUs, the owner's or TikTok's, stand for."""
    found = connection.execute(_NAMED, {"id": plan_id, "names": sorted(skus)}).all()
    missing = set(skus) - {row.entity for row in found} - {row.seller_sku for row in found}
    if missing:
        raise NoSuchRow(missing)
    return [row.entity for row in found]


_CHOSEN = text("""
SELECT count(*) AS n, coalesce(sum(CASE WHEN change < 0 AND new = '0' THEN 1 ELSE 0 END), 0) AS emptied,
  count(change) AS measured FROM plan_row WHERE plan_id = :id AND state = 'proposed'
""")
_LINKED = text("SELECT count(DISTINCT sku_id) FROM link WHERE shop_id = :shop")
_ITEMS = text("SELECT count(*) FROM item WHERE NOT archived")


def weigh(connection: Connection, plan_id: int) -> str:
    """Work out anew whether the chosen rows of a plan are above the owner's limits; returns the warning, or ""."""
    _weigh(connection, plan_id)
    return str(connection.execute(text("SELECT warning FROM plan WHERE id = :id"), {"id": plan_id}).scalar_one())


def _weigh(connection: Connection, plan_id: int) -> int:
    """Keep the warning of the chosen rows, and return how many they are; a plan without units keeps its own."""
    plan = connection.execute(text("SELECT shop_id, warning FROM plan WHERE id = :id"), {"id": plan_id}).one()
    chosen = connection.execute(_CHOSEN, {"id": plan_id}).one()
    if chosen.measured or not chosen.n:
        linked = connection.execute(_LINKED if plan.shop_id else _ITEMS, {"shop": plan.shop_id}).scalar_one()
        warning = above(chosen.emptied, chosen.n, linked, owner.load(connection))
        if warning != plan.warning:
            connection.execute(text("UPDATE plan SET warning = :w WHERE id = :id"), {"w": warning, "id": plan_id})
    return int(chosen.n)


def above(emptied: int, touched: int, linked: int, limits: Choices) -> str:
    """Which limit of the owner a plan of this size is above, or ""; `linked` is how many there are in all. Pure."""
    most = brakes.most_to_zero(linked, limits)
    if emptied > most:
        return f"{emptied:,} would go to zero at once; your limit is {most:,}."
    if touched > limits.stop_touch_count:
        return f"{touched:,} would change at once; your limit is {limits.stop_touch_count:,}."
    return ""
