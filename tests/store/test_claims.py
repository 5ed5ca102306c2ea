"""Two workers on one listing, and a change in the midst of the work: the cases that chance finds only now and then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.store.engine import Store, open_store
from core.sync import outbox
from tests.store.books import SHOP
from tests.store.test_outbox import _furnished


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store.db").write_bytes(_furnished())
    found = open_store(f"sqlite:///{(tmp_path / 'store.db').as_posix()}")
    with found.write() as connection:
        outbox.mark_items(connection, [1], "a change")
    yield found
    found.close()


def state(store: Store, sku: str) -> str:
    with store.read() as connection:
        return str(connection.execute(text("SELECT state FROM outbox WHERE sku_id = :s"), {"s": sku}).scalar_one())


def test_of_two_workers_that_found_the_same_listing_one_gets_it(store: Store) -> None:
    first = outbox.claim(store, SHOP, "one", 5)
    found_before = [claim.sku_id for claim in first]
    assert found_before
    assert outbox._claim_each(store, outbox._CLAIM, SHOP, "two", found_before) == []


@pytest.mark.parametrize("end", [outbox.settle, lambda c, claims: outbox.hold(c, [(one, "why") for one in claims])])
def test_a_change_in_the_midst_of_the_work_is_due_after_it(store: Store, end: object) -> None:
    claims = outbox.claim(store, SHOP, "one", 5)
    with store.write() as connection:
        outbox.mark_items(connection, [1], "another change")
    with store.write() as connection:
        end(connection, claims)  # type: ignore[operator]
    assert {state(store, claim.sku_id) for claim in claims} == {"dirty"}
