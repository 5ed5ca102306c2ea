"""The owner's rules on the links: each link carries what is in force for it, and only what differs is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.store import tables as t
from core.store.engine import Store, open_store
from core.sync import aims, approval, catalog, rule_plans, rules, runs
from core.sync.rules import Rule, Scope
from core.sync.targets import MOST
from tests.store.books import put

SHOPS, GROUPS, ITEMS = ("A", "B"), ("", "soap", "linen"), (1, 2, 3, 4)
UNITS = st.none() | st.integers(0, 9)
SAYS = st.builds(Rule, UNITS, st.none() | st.integers(0, 100), UNITS, UNITS, st.none() | st.booleans())
PLACES = st.sampled_from(
    [(Scope.ALL, ""), *((Scope.SHOP, shop) for shop in SHOPS), *((Scope.GROUP, name) for name in GROUPS[1:]),
     *((Scope.ITEM, str(item)) for item in ITEMS)]
)  # fmt: skip
BOOKS = st.dictionaries(PLACES, SAYS, max_size=9)
MEMBERS = st.fixed_dictionaries({item: st.sampled_from(GROUPS) for item in ITEMS})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two shops that each sell four items, and a bundle of two of them."""
    folder: Path = tmp_path_factory.mktemp("rules")
    opened = open_store(f"sqlite:///{folder / 'evenstock.db'}")
    with opened.write() as connection:
        for item in ITEMS:
            put(connection, t.Item, id=item, sku=f"I{item}", title="", created_at=1, counted_at=1)
        for shop in SHOPS:
            put(connection, t.Shop, id=shop, auth="a", name=shop, region="GB", currency="GBP", timezone="UTC",
                connected_at=1)  # fmt: skip
            for item in ITEMS:
                put(connection, t.Listing, shop_id=shop, sku_id=f"{shop}{item}", product_id="P", seen_at=1)
                put(connection, t.Link, shop_id=shop, sku_id=f"{shop}{item}", item_id=item, created_at=1)
            put(connection, t.Listing, shop_id=shop, sku_id=f"{shop}set", product_id="P", seen_at=1)
            for item in (1, 2):
                put(connection, t.Link, shop_id=shop, sku_id=f"{shop}set", item_id=item, quantity=2, created_at=1)
    yield opened
    opened.close()


def links(connection: Connection) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    query = text("SELECT shop_id, sku_id, item_id, buffer, share, cap, zero_below FROM link")
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in connection.execute(query)}


def expected(connection: Connection, book: dict[Any, Rule], members: dict[int, str]) -> dict[Any, rules.InForce]:
    return {
        (shop, sku, item): rules.effective(
            book.get((Scope.ALL, "")), book.get((Scope.SHOP, shop)), book.get((Scope.GROUP, members[item])),
            book.get((Scope.ITEM, str(item))),
        )
        for shop, sku, item in links(connection)
    }  # fmt: skip


def write(connection: Connection, book: dict[Any, Rule], members: dict[int, str]) -> None:
    connection.execute(text("DELETE FROM rule"))
    for (scope, key), rule in book.items():
        rules.keep(connection, scope, key, rule)
    rules.put_into(connection, members)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BOOKS, MEMBERS)
def test_every_link_carries_exactly_the_rule_in_force(store: Store, book: Any, members: Any) -> None:
    with store.write() as connection:
        before = links(connection)
        write(connection, book, members)
        connection.execute(text("DELETE FROM outbox"))
        changed = rules.refresh(connection)
        wanted = expected(connection, book, members)
        after = links(connection)
        assert after == {key: (one.buffer, one.share, one.cap, one.zero_below) for key, one in wanted.items()}
        assert rules.split_off(connection) == {key for key, one in wanted.items() if not one.split}
        differing = {key for key in after if before[key] != after[key]}
        assert changed == len(differing), "only links that differ are written"
        marked = {(row[0], row[1]) for row in connection.execute(text("SELECT shop_id, sku_id FROM outbox"))}
        assert marked == {(shop, sku) for shop, sku, _ in differing}
        assert rules.refresh(connection) == 0, "and a second time nothing is left to write"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BOOKS, MEMBERS, st.sets(st.sampled_from(ITEMS)))
def test_the_rules_of_some_items_are_refreshed_alone(store: Store, book: Any, members: Any, some: set[int]) -> None:
    with store.write() as connection:
        before = links(connection)
        write(connection, book, members)
        rules.refresh(connection, item_ids=some)
        wanted, after = expected(connection, book, members), links(connection)
        for key, one in wanted.items():
            now = (one.buffer, one.share, one.cap, one.zero_below)
            assert after[key] == (now if key[2] in some else before[key])


def test_a_rule_that_says_nothing_is_forgotten(store: Store) -> None:
    with store.write() as connection:
        rules.keep(connection, Scope.SHOP, "A", Rule(buffer=3, split=False))
        assert rules.said(connection, Scope.SHOP, "A") == Rule(buffer=3, split=False)
        rules.keep(connection, Scope.SHOP, "A", Rule())
        assert rules.said(connection, Scope.SHOP, "A") == Rule()
        query = text("SELECT count(*) FROM rule WHERE scope = 'shop' AND key = 'A'")
        assert connection.execute(query).scalar_one() == 0


def test_the_rules_of_one_shop_leave_the_other_alone(store: Store) -> None:
    with store.write() as connection:
        write(connection, {(Scope.ALL, ""): Rule(buffer=0)}, dict.fromkeys(ITEMS, ""))
        rules.refresh(connection)
        rules.keep(connection, Scope.ALL, "", Rule(buffer=7))
        rules.refresh(connection, shop_id="B")
        found = {key[0]: value[0] for key, value in links(connection).items()}
        assert found == {"A": 0, "B": 7}


def test_a_new_link_carries_its_rule_from_the_start(store: Store) -> None:
    with store.write() as connection:
        write(connection, {(Scope.ALL, ""): Rule(buffer=2), (Scope.ITEM, "3"): Rule(cap=5)}, dict.fromkeys(ITEMS, ""))
        put(connection, t.Listing, shop_id="A", sku_id="new", product_id="P", seen_at=1)
        catalog.link(connection, "A", [("new", 3, 1, "you")])
        assert links(connection)[("A", "new", 3)] == (2, 100, 5, 0)
        assert connection.execute(text("SELECT reason FROM outbox WHERE sku_id = 'new'")).scalar_one() == "newly linked"
        connection.execute(text("DELETE FROM link WHERE sku_id = 'new'"))


def test_what_holds_above_a_place_leaves_its_own_rule_out_and_what_the_shops_differ_in(store: Store) -> None:
    with store.write() as connection:
        write(
            connection,
            {(Scope.ALL, ""): Rule(buffer=2), (Scope.SHOP, "A"): Rule(share=50), (Scope.GROUP, "soap"): Rule(cap=7),
             (Scope.ITEM, "3"): Rule(buffer=9, cap=1)},
            {1: "", 2: "", 3: "soap", 4: ""},
        )  # fmt: skip
        assert rules.above(connection, Scope.ALL, "") == Rule(0, 100, MOST, 0, True)
        assert rules.above(connection, Scope.SHOP, "A") == Rule(2, 100, MOST, 0, True)
        assert rules.above(connection, Scope.ITEM, "3") == Rule(2, None, 7, 0, True), "the shops differ in the share"
        assert rules.above(connection, Scope.GROUP, "soap") == Rule(2, None, MOST, 0, True)


def furnish(store: Store) -> None:
    """Both shops are live, every listing was even, and every item has ten units."""
    with store.write() as connection:
        write(connection, {}, dict.fromkeys(ITEMS, ""))
        rules.refresh(connection)
        for query in (
            "DELETE FROM level", "INSERT INTO level SELECT id, 1, 10, 0 FROM item", "UPDATE shop SET mode = 'live'",
            "UPDATE listing SET available = 10, committed = 0, settled_at = 1", "DELETE FROM outbox",
            "UPDATE listing SET available = 5 WHERE sku_id LIKE '%set'",
        ):  # fmt: skip
            connection.execute(text(query))
        aims.of_items(connection, ITEMS)


def plan_rows(store: Store, plan_id: int) -> dict[str, tuple[str, str, str]]:
    query = text("SELECT entity, old, new, state FROM plan_row WHERE plan_id = :p")
    with store.read() as connection:
        return {row.entity: (row.old, row.new, row.state) for row in connection.execute(query, {"p": plan_id})}


def test_a_rule_for_everything_is_one_plan_for_all_shops(store: Store) -> None:
    furnish(store)
    plan = rule_plans.propose(store, Scope.ALL, "", Rule(buffer=4), actor="test")
    singles = {f"{shop}{item}": ("10", "6", "proposed") for shop in SHOPS for item in ITEMS}
    assert plan_rows(store, plan.id) == singles | {f"{shop}set": ("5", "3", "proposed") for shop in SHOPS}
    with store.read() as connection:
        head = connection.execute(text("SELECT shop_id FROM plan WHERE id = :p"), {"p": plan.id}).scalar_one()
    assert head == "", "it belongs to no one shop"


def test_a_rule_of_a_shop_is_a_plan_of_that_shop(store: Store) -> None:
    furnish(store)
    plan = rule_plans.propose(store, Scope.SHOP, "B", Rule(cap=3), actor="test")
    assert {sku[0] for sku in plan_rows(store, plan.id)} == {"B"}
    with store.read() as connection:
        assert connection.execute(text("SELECT shop_id FROM plan WHERE id = :p"), {"p": plan.id}).scalar_one() == "B"


def test_rows_of_a_shop_that_is_not_connected_are_not_sent_and_the_rule_holds_all_the_same(store: Store) -> None:
    furnish(store)
    plan = rule_plans.propose(store, Scope.ALL, "", Rule(buffer=4), actor="test")
    approval.approve(store, plan.id, confirmed_rows=plan.rows)
    running = runs.Running(store, "rules", "", "owner")
    with runs.carry_on(running):
        rule_plans.run(store, [], plan.id, running)
    assert running.status == "stopped"
    assert running.sentence.startswith("The rule is in force.")
    with store.read() as connection:
        assert rules.said(connection, Scope.ALL, "") == Rule(buffer=4)
        due = connection.execute(text("SELECT count(*) FROM outbox WHERE state = 'dirty' AND due_at = 0")).scalar_one()
    assert due == 10, "the loop sends them once the shop is there"


def test_a_shop_that_is_only_watched_is_not_in_the_plan(store: Store) -> None:
    furnish(store)
    with store.write() as connection:
        connection.execute(text("UPDATE shop SET mode = 'watch' WHERE id = 'A'"))
    plan = rule_plans.propose(store, Scope.ALL, "", Rule(buffer=4), actor="test")
    assert {sku[0] for sku in plan_rows(store, plan.id)} == {"B"}
    with store.read() as connection:
        assert connection.execute(text("SELECT shop_id FROM plan WHERE id = :p"), {"p": plan.id}).scalar_one() == "B"


def test_more_than_a_plan_can_hold_is_refused_before_anything_happens(store: Store) -> None:
    with pytest.raises(rules.BadRule, match="in parts"):
        rule_plans.propose_groups(store, dict.fromkeys(range(rule_plans.MOST_ITEMS + 1), "x"), actor="test")
    with pytest.raises(rules.BadRule, match="60 characters"):
        rule_plans.propose_groups(store, {1: "x" * 61}, actor="test")
