"""The Ledger page: what moved and why, what was left, the proof, and the way to the order behind a movement."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core.sync import proof

Visit = Callable[..., AppTest]


def table(at: AppTest):
    return at.dataframe[0].value


def told(at: AppTest) -> str:
    return "\n".join(each.value for each in at.markdown)


def test_every_movement_is_told_in_plain_words(desk, visit: Visit) -> None:
    at = visit("ledger")
    assert not at.exception
    rows = table(at)
    assert set(rows["reason"]) <= {"Promised to an order", "Counted"}
    promised = rows[rows["reason"] == "Promised to an order"].iloc[0]
    assert promised["reference"].startswith("Order 5769")
    assert promised["promised"] == 1
    assert promised["open"] == "Open"
    assert promised["origin"] == "TikTok"


def test_filters_are_taken_from_the_address_and_kept_in_it(desk, visit: Visit) -> None:
    at = visit("ledger", reason="count", find="MUG-")
    rows = table(at)
    assert set(rows["reason"]) == {"Counted"}
    assert all(sku.startswith("MUG-") for sku in rows["sku"])
    assert (rows["balance"] == rows["on_hand"]).all()
    at.selectbox(key="ledger_reason").select("order").run()
    assert at.query_params["reason"] == "order"
    assert set(table(at)["reason"]) == {"Promised to an order"}


def test_a_filter_that_nothing_matches_says_so(desk, visit: Visit) -> None:
    at = visit("ledger", find="nowhere")
    assert "No movement matches" in told(at)
    assert not at.dataframe
    assert not at.get("download_button")


def test_the_page_says_when_the_ledger_was_proven_and_how_it_ended(desk, visit: Visit) -> None:
    at = visit("ledger")
    assert "not proven yet" in at.title[0].value
    proof.prove(desk.store, "owner")
    at.run()
    assert at.title[0].value.startswith("Yes, all ")
    assert "Proven" in told(at)
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE level SET on_hand = on_hand + 1 WHERE item_id = 1")
    proof.prove(desk.store, "owner")
    at.run()
    assert at.title[0].value == "No, it does not add up"
    assert "LINEN" in told(at)


def test_proving_is_asked_of_the_loop(desk, visit: Visit) -> None:
    at = visit("ledger")
    at.button(key="prove").click().run()
    assert ("prove_now",) in desk.asked
    assert "being added up" in at.success[0].value


def test_an_order_behind_a_movement_is_one_click_away(desk, visit: Visit) -> None:
    at = visit("ledger", reason="order")
    order = table(at).iloc[0]["reference"].removeprefix("Order ")
    at.session_state["go_target"] = f"order:{order}"
    at.run()
    assert not at.exception
    assert at.query_params["order"] == order


def test_what_matches_can_be_downloaded(desk, visit: Visit) -> None:
    assert visit("ledger").get("download_button")[0].label == "Export"
