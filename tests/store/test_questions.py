"""Questions as the page reads them: filtered, sorted, counted, and what each answer would do, told beforehand."""

from dataclasses import replace
from typing import Any

import pytest

from core.store.engine import Store
from core.store.queries import drift as kept
from core.store.tables import Drift, Item, Level, Link, Listing, Movement, Shop
from core.sync import catalog, decisions, drift_answers
from core.sync.decisions import Choice
from core.sync.drift_answers import Answer
from core.sync.facts import Facts
from core.sync.targets import Part, Rule
from core.tiktok.models import Product, Sku
from tests.store.rows import SHOP, put, shop, store

__all__ = ["store"]

ASKED = kept.Question(
    id=1, shop_id=SHOP, shop="Hazel", sku_id="1", product_id="p", seller_sku="MUG", title="Mug", variant="Moss",
    state="open", amount=3, expected=12, observed=15, available=15, committed=0, open_units=0, found_at=1,
    cause="hand", evidence="", decision="", decided_at=None, actor="", mode="live", parts=1, sharing=0, quantity=1,
    item_id=1, item_sku="MUG", on_hand=12, units=0,
)  # fmt: skip


def facts(*, on_hand: int = 12, available: int = 15, **more: Any) -> Facts:
    plain: dict[str, Any] = {"unexplained": 3, "stirred": True, "doubt": False, "settled": True} | more
    committed = plain.pop("committed", 0)
    parts = plain.pop("parts", [Part(on_hand, 0, 0)])
    return Facts("1", "p", available, committed, 0, 0, parts=parts, **plain)


def answer(choice: Choice, number: int | None = None, *, asked: kept.Question = ASKED, **known: Any) -> Answer:
    return drift_answers.answer(asked, facts(**known), choice, number)


def test_keeping_ours_says_what_tiktok_goes_back_to() -> None:
    told = answer("ours")
    assert (told.units, told.shows) == (0, 12)
    assert told.sentence == "Keep 12: TikTok goes back to 12, and nothing is booked."


def test_keeping_ours_where_it_was_lowered_already_sends_nothing() -> None:
    told = answer("ours", asked=replace(ASKED, available=12), available=12)
    assert told.sentence == "Keep 12: TikTok shows 12 already, and nothing is booked."


def test_taking_theirs_says_which_line_is_booked() -> None:
    told = answer("theirs")
    assert (told.units, told.shows) == (3, 15)
    booked = 'TikTok shows 15 already, and +3 is booked as "taken over from TikTok", so you have 15 units.'
    assert told.sentence == f"Take 15: {booked}"


def test_a_rule_of_the_owner_counts_in_what_is_shown_after() -> None:
    told = answer("theirs", parts=[Part(12, 0, 0, rule=Rule(buffer=2))])
    assert told.shows == 13
    assert told.sentence.startswith("Take 13: TikTok goes to 13")


def test_a_count_says_what_it_books() -> None:
    assert answer("count", 10).sentence == 'A count of 10: TikTok goes to 10, and -2 is booked as "count".'
    assert "as your records say" in answer("count", 12).sentence
    assert (answer("count", 10).units, answer("count", 10).shows) == (-2, 10)


def test_a_shop_that_is_only_watched_is_told_of_no_change() -> None:
    told = answer("ours", asked=replace(ASKED, mode="watch"))
    assert told.sentence == "Keep 12: nothing is booked. The shop is only watched, so nothing is sent."


def test_a_locked_listing_says_that_nothing_can_be_set() -> None:
    refusal = (12052141, 1, "The stock of this SKU is kept elsewhere.")
    assert "TikTok takes no number at the moment: The stock of this SKU" in answer("ours", refusal=refusal).sentence


def test_a_raise_waits_for_what_is_under_way() -> None:
    asked = replace(ASKED, amount=-4, observed=8, available=8)
    assert "raised once everything" in answer("ours", asked=asked, available=8, doubt=True).sentence
    assert "raised once everything" in answer("ours", asked=asked, available=8, committed=2).sentence
    assert "raised once everything" not in answer("ours", asked=asked, available=8).sentence


def test_other_listings_of_the_item_follow() -> None:
    asked = replace(ASKED, sharing=2)
    assert answer("theirs", asked=asked).sentence.endswith("2 other listings of the item follow.")
    assert "follow" not in answer("ours", asked=asked).sentence


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parts": 2}, "sells several units together"), ({"quantity": 2}, "sells several units together"),
        ({"parts": 0}, "not linked"), ({"cause": "backorder"}, "no goods came"), ({"cause": "refill"}, "no goods came"),
        ({"amount": -13}, "13 cannot be missing"),
    ],
)  # fmt: skip
def test_theirs_is_not_offered_where_it_cannot_mean_goods(change: dict[str, Any], why: str) -> None:
    told = answer("theirs", asked=replace(ASKED, **change))
    assert (told.possible, why in told.sentence) == (False, True)
    assert answer("ours", asked=replace(ASKED, **change)).possible


def test_the_stock_of_an_item_behind_a_pair_can_still_be_counted() -> None:
    assert answer("count", 3, asked=replace(ASKED, quantity=2)).possible
    assert not answer("count", 3, asked=replace(ASKED, parts=2)).possible


@pytest.mark.parametrize(
    ("change", "doubtful", "settled", "choice"),
    [
        ({}, False, True, "theirs"), ({"mode": "watch"}, False, True, None), ({}, True, True, None),
        ({}, False, False, None), ({"sharing": 1}, False, True, None), ({"parts": 2}, False, True, None),
        ({"quantity": 2}, False, True, None), ({"cause": "tool"}, False, True, None),
        ({"cause": "backorder"}, False, True, None), ({"cause": "campaign"}, False, True, None),
        ({"amount": -13}, False, True, None),
    ],
)  # fmt: skip
def test_the_rule_takes_theirs_only_in_the_plainest_case(
    change: dict[str, Any], doubtful: bool, settled: bool, choice: str | None
) -> None:
    asked = replace(ASKED, **change)
    assert decisions.by_rule(asked, "theirs", doubtful=doubtful, settled=settled) == choice
    ours = "ours" if asked.mode == "live" and settled else None
    assert decisions.by_rule(asked, "ours", doubtful=doubtful, settled=settled) == ours
    assert decisions.by_rule(asked, "ask", doubtful=doubtful, settled=settled) is None


@pytest.fixture
def filled(store: Store) -> Store:
    """Four questions: two open, one lowered, one being checked; two decided ones; one of a listing that is gone."""
    goods = [("MUG", "Stoneware mug"), ("BOWL", "Bowl 100%"), ("SOAP", "Soap_bar"), ("JAM", "Jam")]
    put(store, Listing, *(
        {"shop_id": SHOP, "sku_id": str(place), "product_id": "p", "seller_sku": sku, "title": title, "seen_at": 1,
         "available": 5, "committed": 2, "open_units": 2}
        for place, (sku, title) in enumerate(goods, 1)
    ))  # fmt: skip
    put(store, Listing, {"shop_id": SHOP, "sku_id": "9", "product_id": "p", "seller_sku": "OLD", "seen_at": 1,
                         "gone": True})  # fmt: skip
    put(store, Item, {"sku": "MUG", "title": "Mug", "created_at": 1}, {"sku": "BOWL", "title": "B", "created_at": 1})
    put(store, Level, {"item_id": 1, "location_id": 1, "on_hand": 7}, {"item_id": 2, "location_id": 1, "on_hand": 4})
    put(store, Link, *({"shop_id": SHOP, "sku_id": sku, "item_id": item, "created_at": 1}
                       for sku, item in (("1", 1), ("2", 1), ("2", 2))))  # fmt: skip
    states = [("1", 30, 3, "open", "hand"), ("2", 20, -9, "lowered", "tool"), ("3", 10, 5, "open", "hand"),
              ("4", 40, 1, "suspected", ""), ("9", 50, 1, "open", "hand"), ("1", 5, 2, "decided", "hand"),
              ("2", 6, 2, "undone", "lost")]  # fmt: skip
    put(store, Drift, *(
        {"shop_id": SHOP, "sku_id": sku, "found_at": at, "expected": 5 - amount, "observed": 5, "amount": amount,
         "state": state, "cause": cause, "decided_at": at if state in ("decided", "undone") else None,
         "decision": "theirs" if state in ("decided", "undone") else ""}
        for sku, at, amount, state, cause in states
    ))  # fmt: skip
    put(store, Movement, {"item_id": 1, "location_id": 1, "on_hand": 2, "reason": "taken over from TikTok",
                          "origin": "owner", "reference": "drift:6", "at": 5})  # fmt: skip
    return store


def found(store: Store, sort: str = "since", limit: int = 50, offset: int = 0, **wanted: str) -> list[str]:
    with store.read() as connection:
        page = kept.page(connection, kept.Wanted(**wanted), sort=sort, limit=limit, offset=offset)
    return [each.seller_sku for each in page]


def test_questions_are_the_newest_first_and_those_of_gone_listings_are_left_out(filled: Store) -> None:
    assert found(filled) == ["MUG", "BOWL", "SOAP"]
    assert found(filled, view="checking") == ["JAM"]
    assert found(filled, "decided", view="decided") == ["BOWL", "MUG"]


def test_they_can_be_sorted_and_paged(filled: Store) -> None:
    assert found(filled, "amount") == ["BOWL", "SOAP", "MUG"]
    assert found(filled, "sku") == ["BOWL", "MUG", "SOAP"]
    assert found(filled, "sku", limit=1, offset=1) == ["MUG"]


def test_they_can_be_searched_and_filtered_by_cause_and_shop(filled: Store) -> None:
    assert found(filled, search="stone") == ["MUG"]
    assert found(filled, search="100%") == ["BOWL"]
    assert found(filled, search="p_b") == ["SOAP"]
    assert found(filled, cause="tool") == ["BOWL"]
    assert found(filled, shop_id=SHOP, cause="hand") == ["MUG", "SOAP"]
    assert found(filled, shop_id="another") == []
    assert found(filled, "decided", view="decided", search="bowl") == ["BOWL"]


def test_they_are_counted(filled: Store) -> None:
    with filled.read() as connection:
        assert kept.counts(connection) == kept.Counts(3, 1, 2)
        assert kept.counts(connection, "another") == kept.Counts(0, 0, 0)
        assert kept.causes(connection, kept.Wanted()) == {"hand": 2, "tool": 1}
        assert kept.total(connection, kept.Wanted(search="nothing")) == 0


def test_a_question_knows_the_items_behind_it_and_what_was_booked(filled: Store) -> None:
    with filled.read() as connection:
        mug, bowl, decided = kept.these(connection, [1, 2, 6])
        assert kept.these(connection, [99]) == []
    assert (mug.parts, mug.sharing, mug.on_hand, mug.expected) == (1, 1, 7, 2)
    assert (bowl.parts, bowl.sharing) == (2, 1)
    assert decided.units == 2


def test_orders_on_their_way_are_named_while_it_is_checked(filled: Store) -> None:
    def cause() -> str:
        with filled.read() as connection:
            return kept.page(connection, kept.Wanted("checking"))[0].cause

    assert cause() == "checking"
    with filled.write() as connection:
        connection.exec_driver_sql("UPDATE listing SET committed = 4 WHERE sku_id = '4'")
    assert cause() == "unseen"


def test_units_on_backorder_are_kept_until_a_complete_scan_tells_otherwise(store: Store) -> None:
    def scan(backorder: int, *, full: bool) -> int:
        sku = Sku("1", "p", "MUG", 100, "GBP", "", "NORMAL", {}, backorder, "", ())
        with store.write() as connection:
            catalog.store(connection, SHOP, [Product("p", "Mug", "ACTIVATE", 1, 1, (sku,))], full=full)
            return int(connection.exec_driver_sql("SELECT backorder FROM listing").scalar_one())

    assert [scan(20, full=False), scan(0, full=False), scan(30, full=False), scan(0, full=True)] == [20, 20, 30, 0]


def test_a_rule_is_kept_per_shop(store: Store) -> None:
    put(store, Shop, shop(id="other", name="Other"))
    decisions.set_rule(store, SHOP, "ours")
    with store.read() as connection:
        assert (decisions.rule_of(connection, SHOP), decisions.rule_of(connection, "other")) == ("ours", "ask")
