"""Each order line is applied exactly once, whatever arrives, how often, and in which order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core import clock
from core.analytics.rollups import recount
from core.store.engine import Store, open_store
from core.sync import catalog, ledger
from core.sync.ingest import Ingested, ingest
from core.tiktok.orders import Order
from core.tiktok.reading import Unreadable
from tests.store.books import COUNTED_AT, DAY_ZERO, SHOP, books, furnish, line, shop, sums, version

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = open_store(f"sqlite:///{(tmp_path_factory.mktemp('books') / 'store.db').as_posix()}")
    with found.write() as connection:
        furnish(connection)
    yield found
    found.close()


@contextmanager
def scratch(store: Store) -> Iterator[Connection]:
    """A transaction that leaves nothing behind."""
    with store.writer.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def c(store: Store) -> Iterator[Connection]:
    with scratch(store) as connection:
        yield connection


def take(connection: Connection, *versions: Order) -> Ingested:
    return ingest(connection, shop(), versions, "poll")


def level(connection: Connection, item: int) -> tuple[int, int]:
    query = "SELECT coalesce(sum(on_hand), 0), coalesce(sum(reserved), 0) FROM level WHERE item_id = :item"
    found = connection.execute(text(query), {"item": item}).one()
    return found[0], found[1]


# Lives of orders: each step leads from one version to the next, as the documents of order states allow.

STEPS = ("pay", "release", "ship one", "ship", "collect", "deliver", "complete", "cancel one", "cancel", "touch")


@st.composite
def lives(draw: st.DrawFn, number: int) -> list[Order]:
    """All versions of one order, oldest first; several may share a second."""
    goods = draw(
        st.lists(
            st.sampled_from([("A", ""), ("B", ""), ("C", ""), ("U", ""), ("V", "A*2,C*1")]), min_size=1, max_size=3
        )
    )
    state = [["UNPAID", None] for _ in goods]
    status, at = "UNPAID", DAY_ZERO + number
    versions: list[Order] = []

    def keep() -> None:
        lines = [
            line(f"{number}-{n}", sku, state[n][0], state[n][1], parts)  # type: ignore[arg-type]
            for n, (sku, parts) in enumerate(goods)
        ]
        versions.append(version(f"9{number}", status, at, lines))

    keep()
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=7)):
        moved = _turn(step, state, at + 5)
        if not moved:
            continue
        at += draw(st.sampled_from((0, 5, 60)))
        left = [one for one, _ in state if one != "CANCELLED"]
        status = min(left, key=_rank) if left else "CANCELLED"
        if any(one == "AWAITING_SHIPMENT" for one in left) and any(_rank(one) > 3 for one in left):
            status = "PARTIALLY_SHIPPING"
        keep()
    return versions


def _rank(status: str) -> int:
    from core.sync.booking import RANK

    return RANK[status]


def _turn(step: str, state: list[list[object]], at: int) -> bool:
    before = [list(one) for one in state]
    chosen = state[:1] if step.endswith("one") else state
    to = {
        "pay": ("UNPAID", "ON_HOLD"), "release": ("ON_HOLD", "AWAITING_SHIPMENT"),
        "collect": ("AWAITING_COLLECTION", "IN_TRANSIT"), "deliver": ("IN_TRANSIT", "DELIVERED"),
        "complete": ("DELIVERED", "COMPLETED"),
    }  # fmt: skip
    for one in chosen:
        if step.startswith("cancel") and one[0] not in ("CANCELLED", "COMPLETED", "DELIVERED"):
            one[0] = "CANCELLED"
        elif step.startswith("ship") and one[0] == "AWAITING_SHIPMENT":
            one[0], one[1] = "AWAITING_COLLECTION", at
        elif step in to and one[0] == to[step][0]:
            one[0] = to[step][1]
    return state != before


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Order], list[list[Order]]]:
    """Every version in its right order, and pages of the same versions in any order, some of them again."""
    told = [draw(lives(number)) for number in range(draw(st.integers(1, 3)))]
    versions = [one for life in told for one in life]
    again = draw(st.lists(st.sampled_from(versions), max_size=6))
    mixed = draw(st.permutations(versions + again))
    cuts = sorted(draw(st.lists(st.integers(0, len(mixed)), max_size=4)))
    pages = [list(mixed[a:b]) for a, b in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]
    return versions, pages


@MANY
@given(arrivals())
def test_any_order_of_arrival_with_repetition_gives_the_same_books(
    store: Store, told: tuple[list[Order], list[list[Order]]]
) -> None:
    versions, pages = told
    with scratch(store) as connection:
        for one in versions:
            take(connection, one)
        right = books(connection)
    with scratch(store) as connection:
        for page in pages:
            take(connection, *page)
        assert books(connection) == right


@MANY
@given(arrivals())
def test_sums_and_levels_are_what_a_recount_gives_and_a_replay_writes_nothing(
    store: Store, told: tuple[list[Order], list[list[Order]]]
) -> None:
    versions, pages = told
    with scratch(store) as connection:
        for page in pages:
            take(connection, *page)
        kept = sums(connection)
        recount(connection)
        assert sums(connection) == kept
        assert ledger.prove(connection).broken == ()
        raw = connection.connection.driver_connection
        before = raw.total_changes  # type: ignore[union-attr]
        replayed = take(connection, *versions)
        assert (replayed.new, replayed.changed, replayed.movements) == (0, 0, 0)
        assert raw.total_changes == before  # type: ignore[union-attr]


@MANY
@given(arrivals(), st.integers(0, 30))
def test_links_made_later_book_what_waited_for_them(
    store: Store, told: tuple[list[Order], list[list[Order]]], moment: int
) -> None:
    _, pages = told
    versions = [one for page in pages for one in page]
    with scratch(store) as connection:
        take(connection, *versions)
        right = books(connection)
    with scratch(store) as connection:
        rows = connection.execute(text("SELECT sku_id, item_id, quantity, '' FROM link")).all()
        connection.execute(text("DELETE FROM link"))
        take(connection, *versions[:moment])
        catalog.link(connection, SHOP, [tuple(row) for row in rows])  # type: ignore[misc]
        take(connection, *versions[moment:])
        assert books(connection) == right


def test_an_order_reserves_and_a_shipment_takes_off(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
    assert level(c, 1) == (0, 1)
    take(c, version("1", "IN_TRANSIT", DAY_ZERO + 9, [line("11", "A", "IN_TRANSIT", DAY_ZERO + 8)]))
    assert level(c, 1) == (-1, 0)


def test_a_bundle_of_ours_moves_each_of_its_items(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "B", "AWAITING_SHIPMENT")]))
    assert (level(c, 1), level(c, 2)) == ((0, 2), (0, 1))


def test_a_virtual_bundle_of_tiktok_moves_its_components(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "V", "AWAITING_SHIPMENT", parts="A*2,C*1")]))
    assert (level(c, 1), level(c, 3)) == ((0, 2), (0, 1))
    opened = c.execute(text("SELECT sku_id, open_units FROM listing WHERE open_units > 0 ORDER BY 1")).all()
    assert [tuple(row) for row in opened] == [("A", 2), ("C", 1)]


def test_components_that_only_a_later_reading_names_move_the_stock_to_them(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO + 1, [line("11", "A", "AWAITING_SHIPMENT", parts="C*3")]))
    assert (level(c, 1), level(c, 3)) == ((0, 0), (0, 3))
    opened = c.execute(text("SELECT sku_id, open_units FROM listing WHERE open_units > 0")).all()
    assert [tuple(row) for row in opened] == [("C", 3)]


def test_orders_that_tiktok_fulfils_move_nothing_of_ours(c: Connection) -> None:
    lines = [line("11", "A", "AWAITING_SHIPMENT")]
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, lines, fulfilment="FULFILLMENT_BY_TIKTOK"))
    assert level(c, 1) == (0, 0)
    assert c.execute(text("SELECT sum(open_units) FROM listing")).scalar() == 0
    assert c.execute(text("SELECT sum(units) FROM sales_day")).scalar() == 1, "but they are sales"


def test_an_order_that_turns_out_to_be_fulfilled_by_tiktok_is_released(c: Connection) -> None:
    lines = [line("11", "A", "AWAITING_SHIPMENT")]
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, lines, fulfilment=""))
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO + 1, lines, fulfilment="FULFILLMENT_BY_TIKTOK"))
    assert level(c, 1) == (0, 0)
    assert c.execute(text("SELECT sum(open_units) FROM listing")).scalar() == 0


def test_one_cancelled_line_of_an_order_on_its_way_stays_on_the_shelf(c: Connection) -> None:
    sent, off = line("11", "A", "CANCELLED", DAY_ZERO + 3), line("12", "C", "CANCELLED")
    take(c, version("1", "CANCELLED", DAY_ZERO + 9, [sent, off]))
    assert level(c, 1) == (-1, 0), "lost on its way"
    assert level(c, 3) == (0, 0), "never left"


def test_a_relinked_listing_moves_its_open_orders_to_the_new_item(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
    c.execute(text("DELETE FROM link WHERE sku_id = 'A'"))
    catalog.link(c, SHOP, [("A", 3, 1, "test")])
    assert (level(c, 1), level(c, 3)) == ((0, 0), (0, 1))


def test_a_unit_that_left_under_the_old_link_is_not_taken_off_under_the_new_one(c: Connection) -> None:
    take(c, version("1", "IN_TRANSIT", DAY_ZERO + 5, [line("11", "A", "IN_TRANSIT", DAY_ZERO + 4)]))
    c.execute(text("DELETE FROM link WHERE sku_id = 'A'"))
    catalog.link(c, SHOP, [("A", 3, 1, "test")])
    assert (level(c, 1), level(c, 3)) == ((-1, 0), (0, 0))


def test_what_a_link_changes_is_reviewed_again_before_it_is_sent(c: Connection) -> None:
    c.execute(text("UPDATE listing SET settled_at = 5, base_available = 3, base_open = 0, base_shipped = 0"))
    catalog.link(c, SHOP, [("A", 3, 1, "test")])
    row = c.execute(text("SELECT settled_at, base_available FROM listing WHERE sku_id = 'A'")).one()
    assert tuple(row) == (None, None)


def test_a_count_between_two_versions_of_an_order_is_not_undone_by_it(c: Connection) -> None:
    with clock.turned(DAY_ZERO + 1_000):
        take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
        ledger.count(c, [(1, 6)], actor="owner", origin="store", reference="")
    take(c, version("1", "IN_TRANSIT", DAY_ZERO + 2_000, [line("11", "A", "IN_TRANSIT", DAY_ZERO + 500)]))
    assert level(c, 1) == (6, 0), "it had left before the shelf was counted"


def test_an_unreadable_order_is_set_aside_once_and_blocks_no_other(c: Connection) -> None:
    bad = Unreadable("order", "77", "no id", "an excerpt")
    good = version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")])
    for _ in range(3):
        ingest(c, shop(), [good], "poll", [bad])
    assert c.execute(text("SELECT count(*) FROM quarantine")).scalar() == 1
    assert level(c, 1) == (0, 1)


def test_every_listing_of_a_moved_item_becomes_dirty_in_the_same_transaction(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
    dirty = {row.sku_id for row in c.execute(text("SELECT sku_id FROM outbox WHERE state = 'dirty'"))}
    assert dirty == {"A", "B"}


def test_the_ledger_is_never_changed_only_added_to(c: Connection) -> None:
    take(c, version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")]))
    for statement in ("UPDATE movement SET on_hand = 9", "DELETE FROM movement"):
        with pytest.raises(Exception, match="never changed, only added to"):
            c.execute(text(statement))


def test_a_statement_with_very_many_lines_stays_within_what_the_database_takes(c: Connection, tmp_path: Path) -> None:
    assert COUNTED_AT
    lines = [{"id": f"L{n}", "order_id": "1", "sku_id": "A", "components": "", "status": "AWAITING_SHIPMENT",
              "shipped": False, "shipped_time": None} for n in range(40_000)]  # fmt: skip
    booked = ledger.book_lines(c, SHOP, {"1": {"fulfillment_type": ""}}, lines)
    assert booked.movements == 40_000


def test_an_order_keeps_the_warehouse_that_it_leaves_from(c: Connection) -> None:
    order = version("1", "AWAITING_SHIPMENT", DAY_ZERO, [line("11", "A", "AWAITING_SHIPMENT")])
    take(c, replace(order, warehouse_id="W2"))
    assert c.execute(text("SELECT warehouse_id FROM orders WHERE id = '1'")).scalar_one() == "W2"
