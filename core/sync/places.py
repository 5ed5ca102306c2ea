"""The owner's locations: naming them, mapping warehouses to them, moving goods; each change can be looked at first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from core import clock
from core.store.engine import Store
from core.store.queries import places as known
from core.sync import ledger, outbox

LONGEST = 60
MOST_UNITS = 99_999
_MAPPED = "a warehouse is served from another location"
_MOVED = "goods were moved to another location"


class PlaceRefused(Exception):
    """Nothing was changed: `sentence` says why, `next_step` what to do."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Mapped:
    """A warehouse of a shop is to be served from a location."""

    shop_id: str
    warehouse_id: str
    location_id: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units of an item go from one location to another."""

    sku: str
    units: int
    source: int
    goal: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """One listing whose number a change would alter: what it should show before and after it (None: unknown)."""

    shop_id: str
    sku_id: str
    sku: str
    title: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to TikTok's numbers, the largest change first."""

    shifts: tuple[Shift, ...]

    @property
    def lower(self) -> int:
        """How many listings would show fewer."""
        return sum((each.after or 0) < (each.before or 0) for each in self.shifts)

    @property
    def higher(self) -> int:
        """How many would show more."""
        return sum((each.after or 0) > (each.before or 0) for each in self.shifts)

    @property
    def emptied(self) -> int:
        """How many would show none that show some now."""
        return sum(not each.after and bool(each.before) for each in self.shifts)


def add(store: Store, name: str) -> int:
    """A new location with nothing in it. Returns its id; raises PlaceRefused."""
    with store.write(urgent=True) as connection:
        named = _name(connection, name)
        query = text("INSERT INTO location (name) VALUES (:name) RETURNING id")
        return int(connection.execute(query, {"name": named}).scalar_one())


def rename(store: Store, location_id: int, name: str) -> None:
    """Another name for a location. Raises PlaceRefused."""
    with store.write(urgent=True) as connection:
        named = _name(connection, name, but=location_id)
        given = {"id": location_id, "name": named}
        connection.execute(text("UPDATE location SET name = :name WHERE id = :id"), given)


def _name(connection: Connection, name: str, but: int = 0) -> str:
    named = " ".join(name.split())
    if not named:
        raise PlaceRefused("A location needs a name.", "Type one, such as Garage.")
    if len(named) > LONGEST:
        raise PlaceRefused(f"This name has more than {LONGEST} letters.", "Choose a shorter one.")
    taken = known.names(connection)
    if any(each.casefold() == named.casefold() for place, each in taken.items() if place != but):
        raise PlaceRefused(f"There is a location named {named} already.", "Choose another name.")
    return named


def map_warehouses(store: Store, wishes: Sequence[Mapped]) -> None:
    """Serve these warehouses from these locations; what open orders hold stays booked where it is."""
    with store.write(urgent=True) as connection:
        _map(connection, wishes)


def move(store: Store, transfer: Transfer, *, actor: str = "owner") -> None:
    """Book goods carried from one location to another: a pair of movements. Raises PlaceRefused, UnknownItem."""
    with store.write(urgent=True) as connection:
        _move(connection, transfer, actor)


def preview_mapping(store: Store, wishes: Sequence[Mapped]) -> Preview:
    """What TikTok would show differently if these warehouses were served so; changes nothing."""
    return _preview(store, lambda connection: _map(connection, wishes))


def preview_move(store: Store, transfer: Transfer) -> Preview:
    """What TikTok would show differently after this move; changes nothing. Raises PlaceRefused, UnknownItem."""
    return _preview(store, lambda connection: _move(connection, transfer, "preview"))


_MAP = text("UPDATE warehouse SET location_id = :place WHERE shop_id = :shop AND id = :warehouse")
_KEPT_THERE = text("SELECT sku_id FROM stock WHERE shop_id = :shop AND warehouse_id IN :places").bindparams(
    bindparam("places", expanding=True)
)


def _map(connection: Connection, wishes: Sequence[Mapped]) -> None:
    there = known.names(connection)
    for wish in wishes:
        if wish.location_id not in there:
            raise PlaceRefused("This location is not there any more.", "Open the page again.")
        given = {"place": wish.location_id, "shop": wish.shop_id, "warehouse": wish.warehouse_id}
        connection.execute(_MAP, given)
    for shop_id in sorted({wish.shop_id for wish in wishes}):
        warehouses = [wish.warehouse_id for wish in wishes if wish.shop_id == shop_id]
        found = connection.execute(_KEPT_THERE, {"shop": shop_id, "places": warehouses})
        outbox.mark_listings(connection, shop_id, {row.sku_id for row in found}, _MAPPED)


_ITEM = text("""
SELECT i.id, coalesce(v.on_hand, 0) AS on_hand FROM item i
LEFT JOIN level v ON v.item_id = i.id AND v.location_id = :place WHERE i.sku = :sku
""")


def _move(connection: Connection, transfer: Transfer, actor: str) -> None:
    there = known.names(connection)
    if transfer.source == transfer.goal or not {transfer.source, transfer.goal} <= there.keys():
        raise PlaceRefused("Goods move from one location to another.", "Choose two different locations.")
    if not 1 <= transfer.units <= MOST_UNITS:
        raise ledger.BadQuantity(transfer.units)
    item = connection.execute(_ITEM, {"sku": transfer.sku, "place": transfer.source}).one_or_none()
    if item is None:
        raise ledger.UnknownItem(transfer.sku)
    if item.on_hand < transfer.units:
        sentence = f"Only {max(0, item.on_hand)} of {transfer.sku} lie in {there[transfer.source]}."
        raise PlaceRefused(sentence, "Move fewer, or count what lies there first.")
    now = clock.now_ms()
    both = {"item_id": item.id, "reason": "moved", "origin": "store", "actor": actor, "note": transfer.note,
            "reference": f"move:{now}", "at": now}  # fmt: skip
    sides = ((transfer.source, -transfer.units), (transfer.goal, transfer.units))
    ledger.write(connection, [both | {"location_id": place, "on_hand": units} for place, units in sides])
    outbox.mark_items(connection, [item.id], _MOVED)


class _TakenBack(Exception):
    """Ends the transaction of a preview, so that nothing of it stays."""


def _preview(store: Store, change: Callable[[Connection], None]) -> Preview:
    """Make the change, look at what it does, and take it back: a preview that cannot differ from the change itself."""
    shifts: list[Shift] = []
    try:
        with store.write(urgent=True) as connection:
            before = _targets(connection)
            change(connection)
            shifts = _shifts(connection, before, _targets(connection))
            raise _TakenBack
    except _TakenBack:
        pass
    return Preview(tuple(sorted(shifts, key=lambda each: (-abs((each.after or 0) - (each.before or 0)), each.sku))))


def _targets(connection: Connection) -> dict[tuple[str, str], int | None]:
    query = text("SELECT shop_id, sku_id, target FROM listing WHERE NOT gone")
    return {(row.shop_id, row.sku_id): row.target for row in connection.execute(query)}


_CALLED = text("SELECT seller_sku, title, variant FROM listing WHERE shop_id = :shop AND sku_id = :sku")


def _shifts(
    connection: Connection, before: dict[tuple[str, str], int | None], after: dict[tuple[str, str], int | None]
) -> list[Shift]:
    found = []
    for key in (key for key in after if after[key] != before.get(key)):
        shop_id, sku_id = key
        row = connection.execute(_CALLED, {"shop": shop_id, "sku": sku_id}).one()
        title = f"{row.title}, {row.variant}" if row.variant else row.title
        found.append(Shift(shop_id, sku_id, row.seller_sku or sku_id, title, before.get(key), after[key]))
    return found
