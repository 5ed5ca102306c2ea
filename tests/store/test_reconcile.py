"""The stock table in SQL says what the pure arithmetic says, for any shop."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.store import tables as t
from core.store.engine import Store, open_store
from core.sync import aims, facts, reconcile
from tests.store.books import SHOP, put
from tests.store.test_ingest import scratch

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = open_store(f"sqlite:///{(tmp_path_factory.mktemp('stock') / 'store.db').as_posix()}")
    with found.write() as connection:
        put(connection, t.Shop, id=SHOP, auth="a", name="Test", region="GB", currency="GBP", timezone="UTC",
            connected_at=1)  # fmt: skip
    yield found
    found.close()


ITEM = st.fixed_dictionaries(
    {
        "on_hand": st.integers(-5, 200_000) | st.integers(-5, 12),
        "reserved": st.integers(0, 12),
        "counted": st.booleans(),
        "halted_at": st.none() | st.just(1),
        "split_at": st.integers(0, 6),
    }
)
LINK = st.fixed_dictionaries(
    {
        "quantity": st.integers(1, 3),
        "buffer": st.integers(0, 3),
        "share": st.sampled_from((100, 50, 90, 0)),
        "cap": st.none() | st.integers(0, 9),
        "zero_below": st.integers(0, 5),
        "split_from": st.integers(0, 3),
        "split_to": st.integers(3, 6),
    }
)
LISTING = st.fixed_dictionaries(
    {
        "available": st.none() | st.integers(0, 30),
        "committed": st.integers(0, 6),
        "open_units": st.integers(0, 6),
        "gone": st.booleans(),
        "drift": st.sampled_from((0, 0, -3, 4)),
        "doubt": st.booleans(),
        "refused_code": st.sampled_from((None, None, 12052393, 12019024)),
        "links": st.dictionaries(st.integers(1, 3), LINK, max_size=2),
    }
)


@MANY
@given(st.tuples(ITEM, ITEM, ITEM), st.lists(LISTING, min_size=1, max_size=4))
def test_sql_and_pure_targets_agree(
    store: Store, items: tuple[dict[str, int], ...], listings: list[dict[str, object]]
) -> None:
    with scratch(store) as connection:
        for number, item in enumerate(items, start=1):
            put(connection, t.Item, id=number, sku=f"I{number}", title="", created_at=1, halted_at=item["halted_at"],
                halted_why="Its books do not add up.", split_at=item["split_at"], split_total=6,
                counted_at=1 if item["counted"] else None)  # fmt: skip
            put(connection, t.Level, item_id=number, location_id=1, on_hand=item["on_hand"], reserved=item["reserved"])
        for number, listing in enumerate(listings):
            sku = f"L{number}"
            put(connection, t.Listing, shop_id=SHOP, sku_id=sku, product_id="P", status="ACTIVATE", seen_at=1,
                available=listing["available"], committed=listing["committed"], open_units=listing["open_units"],
                gone=listing["gone"], refused_code=listing["refused_code"])  # fmt: skip
            for item, link in listing["links"].items():  # type: ignore[attr-defined]
                put(connection, t.Link, shop_id=SHOP, sku_id=sku, item_id=item, created_at=1, **link)
            if listing["drift"]:
                put(connection, t.Drift, shop_id=SHOP, sku_id=sku, found_at=1, expected=0, observed=0,
                    amount=listing["drift"], state="open")  # fmt: skip
            if listing["doubt"]:
                reading = {"read_available": 1, "read_committed": 0, "read_open": 0, "read_shipped": 0}
                put(connection, t.Push, shop_id=SHOP, sku_id=sku, product_id="P", generation=1, target=1, wanted="{}",
                    dirty_at=1, intent_at=1, **reading)  # fmt: skip
        aims.of_items(connection, [1, 2, 3])
        table = {row.sku_id: row for row in reconcile.rows(connection, limit=None)}
        known = facts.load(connection, SHOP, [f"L{n}" for n in range(len(listings))])
        assert table.keys() == {f"L{n}" for n, listing in enumerate(listings) if not listing["gone"]}
        for sku, row in table.items():
            assert row.target == known[sku].target, sku
            assert row.drift == known[sku].drift
            even = row.available is not None and row.available == row.target
            assert (row.state == "even") == (even and not row.drift and not known[sku].halted)
            if row.available is not None and row.target is not None:
                assert row.difference == row.available - row.target
        different = {sku for sku, row in table.items() if row.difference}
        assert set(reconcile.uneven(connection, SHOP)) == different
        counts = reconcile.counts(connection)
        assert counts.listings == len(table) == reconcile.total(connection)
        assert counts.different == len(different)
        assert {sku: reconcile.one(connection, SHOP, sku) for sku in table} == table
        states = Counter(row.state for row in table.values())
        assert counts.even == states["even"]
        assert (counts.drift, counts.unlinked) == (states["drift"], states["unlinked"])
        assert counts.refused == states["refused"] + states["locked"] + states["halted"]
        assert counts.waiting == states["waiting"] + states["unread"]


@pytest.mark.parametrize(
    ("state", "drift", "available", "looked_at"),
    [("idle", 0, 9, True), ("dirty", 0, 9, False), ("claimed", 0, 9, False), ("held", 0, 9, False),
     ("held", 5, 9, True), ("held", -5, 1, False)],
)  # fmt: skip
def test_what_waits_is_left_to_wait_unless_it_offers_too_much_beside_an_open_question(
    store: Store, state: str, drift: int, available: int, looked_at: bool
) -> None:
    with scratch(store) as connection:
        put(connection, t.Item, id=1, sku="I1", title="", created_at=1, counted_at=1)
        put(connection, t.Level, item_id=1, location_id=1, on_hand=4, reserved=0)
        put(connection, t.Listing, shop_id=SHOP, sku_id="L", product_id="P", status="ACTIVATE", seen_at=1,
            available=available, committed=0)  # fmt: skip
        put(connection, t.Link, shop_id=SHOP, sku_id="L", item_id=1, quantity=1, created_at=1)
        put(connection, t.Outbox, shop_id=SHOP, sku_id="L", state=state, dirty_at=1)
        if drift:
            put(connection, t.Drift, shop_id=SHOP, sku_id="L", found_at=1, expected=0, observed=0, amount=drift)
        aims.of_items(connection, [1])
        assert reconcile.uneven(connection, SHOP) == (["L"] if looked_at else [])


def test_a_listing_that_is_gone_holds_no_units_of_its_item(store: Store) -> None:
    with scratch(store) as connection:
        put(connection, t.Item, id=1, sku="I1", title="", created_at=1, counted_at=1)
        put(connection, t.Level, item_id=1, location_id=1, on_hand=4, reserved=0)
        for sku, gone in (("OLD", True), ("NEW", False)):
            put(connection, t.Listing, shop_id=SHOP, sku_id=sku, product_id="P", status="ACTIVATE", seen_at=1,
                available=4, committed=2 if gone else 0, gone=gone)  # fmt: skip
            put(connection, t.Link, shop_id=SHOP, sku_id=sku, item_id=1, quantity=1, created_at=1)
        aims.of_items(connection, [1])
        assert [row.target for row in reconcile.rows(connection)] == [4]
        assert facts.load(connection, SHOP, ["NEW"])["NEW"].target == 4


def test_every_state_has_a_sentence(store: Store) -> None:
    with scratch(store) as connection:
        put(connection, t.Item, id=1, sku="I1", title="", created_at=1)
        put(connection, t.Listing, shop_id=SHOP, sku_id="L", product_id="P", status="ACTIVATE", seen_at=1, available=3)
        put(connection, t.Link, shop_id=SHOP, sku_id="L", item_id=1, quantity=1, created_at=1)
        aims.of_items(connection, [1])
        row = reconcile.rows(connection)[0]
        assert (row.state, row.target) == ("unread", None)
        assert row.sentence == "Never counted: enter how many you have, then Evenstock keeps it even."
        connection.execute(text("UPDATE item SET counted_at = 5"))
        aims.of_items(connection, [1])
        assert reconcile.rows(connection)[0].sentence == "TikTok offers 3 too many."
