"""A sale of a store of one's own is booked exactly once, whatever is heard, how often, and in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.store import tables as t
from core.store.engine import Store, open_store
from core.storefront.base import Sale, StockRead, StoreBusy, StoreRefused, StoreSignIn, StoreTrouble
from core.sync.context import ShopContext
from core.sync.ingest import ingest
from core.sync.own_store import StoreChannel
from core.tiktok.errors import Refused, ServiceDown, SignInAgain, TikTokError
from tests.store.books import COUNTED_AT, DAY_ZERO, furnish, put

OWN = "own"
numbers = count(1)


class Told:
    """A store that tells exactly what it is given."""

    name, compares, tells_committed = "Told", False, False

    def __init__(self) -> None:
        self.next: Sequence[Sale] = ()
        self.trouble: StoreTrouble | None = None

    def sales(self, since: int) -> Iterator[Sale]:
        if self.trouble is not None:
            raise self.trouble
        yield from self.next

    def read_stock(self, skus: object = None) -> Iterator[StockRead]:
        raise NotImplementedError

    set_stock = read_stock


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = open_store(f"sqlite:///{(tmp_path_factory.mktemp('sales') / 'store.db').as_posix()}")
    with found.write() as connection:
        furnish(connection)
        put(connection, t.Shop, id=OWN, auth="", name="Own", region="GB", currency="GBP", timezone="Europe/London",
            mode="live", kind="store", connected_at=COUNTED_AT)  # fmt: skip
        put(connection, t.Listing, shop_id=OWN, sku_id="I3", product_id="I3", status="ACTIVATE", seen_at=1)
        put(connection, t.Link, shop_id=OWN, sku_id="I3", item_id=3, quantity=1, created_at=1)
    yield found
    found.close()


@st.composite
def lives(draw: st.DrawFn) -> tuple[Sale, list[list[Sale]]]:
    """The newest state of a sale, and pages on which all its states are heard, some twice, in any order."""
    now = DAY_ZERO * 1000 + draw(st.integers(0, 999))
    sale = Sale(f"r{next(numbers)}", "I3", draw(st.integers(1, 4)), now, now)
    told = [sale]
    for step in draw(st.lists(st.sampled_from(("cancel", "ship", "ship one", "add")), max_size=5)):
        open_ = max(0, sale.units - sale.shipped)
        later = sale.changed_at + draw(
            st.sampled_from((1000, 1500, 60_000) if step == "add" else (1, 400, 1000, 60_000))
        )
        if step == "cancel" and sale.units:
            sale = replace(sale, units=sale.units - draw(st.integers(1, sale.units)), changed_at=later)
        elif step.startswith("ship") and open_:
            more = open_ if step == "ship" else 1
            sale = replace(sale, shipped=sale.shipped + more, shipped_at=later, changed_at=later)
        elif step == "add" and sale.units and sale.shipped <= sale.units:
            sale = replace(sale, units=sale.units + 1, changed_at=later)
        told.append(sale)
    mixed = draw(st.permutations(told + draw(st.lists(st.sampled_from(told), max_size=4))))
    cuts = sorted(draw(st.lists(st.integers(0, len(mixed)), max_size=3)))
    return sale, [list(mixed[a:b]) for a, b in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives())
def test_any_order_of_hearing_with_repetition_books_the_newest_state_once(
    store: Store, told: tuple[Sale, list[list[Sale]]]
) -> None:
    newest, pages = told
    front = Told()
    api = StoreChannel(front, store, OWN, "GBP")  # type: ignore[arg-type]
    shop = ShopContext(OWN, "Own", "GBP", ZoneInfo("Europe/London"), api, store, b"salt", kind="store")
    for front.next in pages:
        orders = api.order_page(0, None).orders
        with store.write() as connection:
            ingest(connection, shop, orders, "poll")
    with store.read() as connection:
        booked = connection.execute(
            text("SELECT coalesce(sum(on_hand), 0), coalesce(sum(reserved), 0) FROM movement WHERE reference LIKE :r"),
            {"r": f"{OWN}/{newest.reference}#%"},
        ).one()
        origins = connection.execute(text("SELECT DISTINCT origin FROM movement")).scalars().all()
    assert tuple(booked) == (-newest.shipped, max(0, newest.units - newest.shipped))
    assert set(origins) <= {"own shop"}


@pytest.mark.parametrize(
    ("trouble", "heard"),
    [
        (StoreSignIn("The key is old.", "Enter a new one."), SignInAgain),
        (StoreBusy("Too many requests.", "Wait.", retry_after=7.0), ServiceDown),
        (StoreRefused("This plan has no orders.", "Choose another."), Refused),
    ],
)
def test_the_troubles_of_a_store_are_told_apart(store: Store, trouble: StoreTrouble, heard: type[TikTokError]) -> None:
    front = Told()
    front.trouble = trouble
    with pytest.raises(heard) as caught:
        StoreChannel(front, store, OWN, "GBP").order_page(0, None)  # type: ignore[arg-type]
    assert (caught.value.sentence, caught.value.next_step) == (trouble.sentence, trouble.next_step)
    assert caught.value.retry_after == trouble.retry_after
