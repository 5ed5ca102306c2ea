"""The explanation of a number is the number: its steps end where the stock table and the sender end."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.store.engine import Store, open_store
from core.sync import aims, explained, reconcile, rules
from core.sync.locks import PROMOTION
from core.sync.rules import Rule, Scope
from tests.store import books
from tests.store.books import SHOP

UNITS = st.integers(0, 40)
ITEMS = {"A": ["I1"], "B": ["I1", "I2"], "C": ["I3"]}
RULE = st.builds(Rule, st.none() | st.integers(0, 6), st.none() | st.integers(0, 100), st.none() | UNITS,
                 st.none() | st.integers(0, 8))  # fmt: skip


@st.composite
def shops(draw: st.DrawFn) -> dict[str, Any]:
    """Stock, rules, shares, orders on their way and locked listings, as they may come together."""
    total = draw(st.integers(0, 9))
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=2, max_size=2)))
    return {
        "levels": {item: (draw(st.integers(-3, 60)), draw(UNITS)) for item in (1, 2, 3)},
        "split": (draw(st.integers(0, 40)), total, cuts),
        "listings": {
            sku: (draw(UNITS), draw(UNITS), draw(UNITS), draw(st.sampled_from((None, None, PROMOTION, 12052037))))
            for sku in "ABC"
        },
        "rules": {key: draw(RULE) for key in draw(st.sets(st.sampled_from(("", "1", "2", "3"))))},
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('explained') / 'evenstock.db'}")
    with opened.write() as connection:
        books.furnish(connection)
    yield opened
    opened.close()


def write(connection: Connection, found: dict[str, Any]) -> None:
    connection.execute(text("DELETE FROM level"))
    connection.execute(text("DELETE FROM rule"))
    for item, (on_hand, reserved) in found["levels"].items():
        given = {"item": item, "on_hand": on_hand, "reserved": reserved}
        connection.execute(text("INSERT INTO level VALUES (:item, 1, :on_hand, :reserved)"), given)
    at, total, (start, stop) = found["split"]
    connection.execute(text("UPDATE item SET split_at = :at, split_total = :total"), {"at": at, "total": total})
    shares = text("UPDATE link SET split_from = :start, split_to = :stop")
    connection.execute(shares, {"start": start, "stop": stop})
    listing = text("""
UPDATE listing SET available = :a, committed = :c, open_units = :o, refused_code = :code, refused_sentence = 'No.'
WHERE sku_id = :sku
""")
    for sku, (available, committed, open_units, code) in found["listings"].items():
        given = {"sku": sku, "a": available, "c": committed, "o": open_units, "code": code}
        connection.execute(listing, given)
    for key, rule in found["rules"].items():
        rules.keep(connection, Scope.ITEM if key else Scope.ALL, key, rule)
    rules.carry(connection)
    aims.of_items(connection, [1, 2, 3])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shops())
def test_the_steps_end_at_the_number_that_the_table_shows(store: Store, found: dict[str, Any]) -> None:
    with store.write() as connection:
        write(connection, found)
        shown = {row.sku_id: row.target for row in reconcile.rows(connection, limit=None)}
        for sku in "ABC":
            why = explained.explain(connection, SHOP, sku)
            assert why is not None
            assert why.facts.target == shown[sku]
            if why.ladder is None:
                assert shown[sku] is None
            else:
                assert why.ladder.target == shown[sku]
            assert [part.sku for part in why.behind.parts] == ITEMS[sku]
            for part, fact in zip(why.behind.parts, why.facts.parts, strict=True):
                assert (part.on_hand, part.reserved, part.quantity) == (fact.on_hand, fact.reserved, fact.quantity)
            for rule, fact in zip(why.rules, why.facts.parts, strict=True):
                assert (rule.buffer, rule.share, rule.cap, rule.zero_below) == (
                    fact.rule.buffer, fact.rule.share, fact.rule.cap, fact.rule.zero_below,
                )  # fmt: skip


def test_there_is_nothing_to_explain_about_a_listing_that_is_not_there(store: Store) -> None:
    with store.read() as connection:
        assert explained.explain(connection, SHOP, "nobody") is None


def test_a_listing_without_an_item_has_no_steps(store: Store) -> None:
    with store.read() as connection:
        why = explained.explain(connection, SHOP, "U")
    assert why is not None
    assert why.ladder is None
    assert why.behind.parts == ()
