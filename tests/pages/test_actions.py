"""What buttons do: they ask the runtime, tell how it went, and lead to where the result can be read."""

from collections.abc import Callable
from types import SimpleNamespace

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.connect import ConnectResult
from core.settings import Choices
from core.sync.ledger import UnknownItem
from tests.pages import seed

Visit = Callable[..., AppTest]


def words(at: AppTest) -> str:
    """What a person reads on the page, without the marks that keep foreign text plain."""
    kinds = ("title", "caption", "markdown", "error", "warning", "info", "success", "text")
    return read("\n".join(str(each.value) for kind in kinds for each in at.get(kind)))


def read(text: str) -> str:
    return text.replace("\u2060", "").replace("\\", "")


def pick(at: AppTest, *rows: int) -> AppTest:
    """Choose rows of the stock table, as a click on their boxes does."""
    key = f"stock_{at.session_state.get('stock_round', 0)}"
    at.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return at.run()


def test_sync_now_asks_for_everything(desk, visit: Visit) -> None:
    visit("overview").button(key="sync_now").click().run()
    assert ("sync_now", "all") in desk.asked


def test_the_overview_leads_to_the_differences(desk, visit: Visit) -> None:
    at = visit("overview").button(key="see").click().run()
    assert "Does TikTok show what you can sell?" in words(at)
    assert at.query_params["show"] == "different"


def test_what_needs_attention_is_listed_with_its_number_and_a_link(desk, visit: Visit) -> None:
    at = visit("overview")
    assert ":red-badge[1] number on TikTok that nothing explains" in words(at)
    assert ":orange-badge[1] run failed today" in words(at)
    assert {"Decide", "See what to do", "See them"} <= {link.label for link in at.get("page_link")}


def test_the_measured_delays_stand_on_the_overview(desk, visit: Visit) -> None:
    labels = {metric.label: metric for metric in visit("overview").metric}
    assert labels["Our change on TikTok"].value.endswith(" s")
    assert "95 of 100 in" in labels["Our change on TikTok"].delta
    assert labels["TikTok sale known here"].value.endswith(" s")


def test_reviewing_everything_makes_a_plan_and_opens_it(desk, visit: Visit) -> None:
    with desk.store.write() as connection:
        desk.plan_id = seed.plan(connection, desk.goods)
    at = visit("stock").button(key="review_all").click().run()
    assert ("propose_resync", seed.SHOP, None) in desk.asked
    assert at.title[0].value == "3 changes to send"
    assert at.query_params["plan"] == str(desk.plan_id)


def test_chosen_rows_bring_up_a_bar_and_only_they_are_reviewed(desk, visit: Visit) -> None:
    at = pick(visit("stock"), 0, 2)
    shown = at.session_state["stock_ids"]
    assert "**2 chosen**" in words(at)
    assert at.button(key="review_chosen").label == "Review 2 changes"
    at.button(key="review_chosen").click().run()
    assert ("propose_resync", seed.SHOP, [shown[0], shown[2]]) in desk.asked


def test_chosen_rows_stay_chosen_when_other_rows_come_in(desk, visit: Visit) -> None:
    at = pick(visit("stock"), 1)
    chosen = at.session_state["stock_ids"][1]
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE listing SET available = available + 900 WHERE sku_id = '1729000020'")
    at.run()
    assert at.session_state["stock_ids"][0] == "1729000020", "the largest difference comes first"
    assert at.session_state["stock_chosen"] == [chosen]


def test_a_row_explains_its_number_step_by_step(desk, visit: Visit) -> None:
    at = visit("stock", sku="1729000003")
    ladder = at.table[0].value
    steps = list(ladder["Step"])
    assert steps[:2] == ["On hand", "Promised to open orders"]
    assert "**TikTok should show**" in steps
    assert "Last movements" in words(at)


def test_a_hostile_title_is_shown_as_written_in_the_explanation(desk, visit: Visit) -> None:
    at = visit("stock", sku="1729000005")
    assert any(each.value.startswith("[free](http://evil.example)") for each in at.text)
    assert "](http" not in "\n".join(each.value for each in at.markdown)


def test_a_change_can_be_reviewed_from_its_explanation(desk, visit: Visit) -> None:
    at = visit("stock", sku="1729000003").button(key="review_one").click().run()
    assert ("propose_resync", seed.SHOP, ["1729000003"]) in desk.asked
    assert not at.exception


def test_a_search_on_the_stock_page_finds_skus_and_products(desk, visit: Visit) -> None:
    at = visit("stock", find="apron")
    assert set(at.session_state["stock_ids"]) == {"1729000013", "1729000014"}
    at = visit("stock", find="no such thing")
    assert "No listing matches" in words(at)


def test_a_filter_in_the_address_that_does_not_exist_shows_everything(desk, visit: Visit) -> None:
    at = visit("stock", show="nonsense", sort="nonsense", page="99")
    assert not at.exception
    assert len(at.session_state["stock_ids"]) == 24


def test_sending_a_plan_asks_the_runtime(desk, visit: Visit) -> None:
    with desk.store.write() as connection:
        plan = seed.plan(connection, desk.goods)
    at = visit("plan", plan=str(plan))
    assert at.button(key="send").label == "Send 3 changes"
    at.button(key="send").click().run()
    assert ("start_plan", plan, None) in desk.asked


def test_a_plan_above_the_limits_waits_for_the_typed_number(desk, visit: Visit) -> None:
    with desk.store.write() as connection:
        plan = seed.plan(connection, desk.goods, warning="Stopped: 3 listings would go to zero.")
    at = visit("plan", plan=str(plan))
    assert at.button(key="send").disabled
    at.number_input(key="typed").set_value(2).run()
    assert at.button(key="send").disabled
    at.number_input(key="typed").set_value(3).run()
    at.button(key="send").click().run()
    assert ("start_plan", plan, 3) in desk.asked


def test_a_running_plan_shows_how_far_it_is_and_can_be_stopped(desk, visit: Visit) -> None:
    with desk.store.write() as connection:
        run = seed.put(connection, seed.t.Run, kind="resync", shop_id=seed.SHOP, started_at=1, done=1, total=3)
        plan = seed.plan(connection, desk.goods, state="running")
        connection.exec_driver_sql("UPDATE plan SET run_id = ? WHERE id = ?", (run, plan))
        connection.exec_driver_sql("UPDATE plan_row SET state = 'done' WHERE entity = ?", (desk.goods[2][0],))
    at = visit("plan", plan=str(plan))
    assert at.title[0].value == "Sending: 1 of 3"
    at.button(key="stop").click().run()
    assert ("stop_run", run) in desk.asked


def test_a_finished_plan_stays_readable_with_the_result_of_each_row(desk, visit: Visit) -> None:
    with desk.store.write() as connection:
        told = {"status": "done", "sentence": "3 changes sent and read back."}
        run = seed.put(connection, seed.t.Run, kind="resync", shop_id=seed.SHOP, started_at=1, ended_at=2, **told)
        plan = seed.plan(connection, desk.goods, state="done")
        connection.exec_driver_sql("UPDATE plan SET run_id = ? WHERE id = ?", (run, plan))
        connection.exec_driver_sql("UPDATE plan_row SET state = 'done', result = 'Sent, and read back on TikTok.'")
    at = visit("plan", plan=str(plan))
    assert at.title[0].value == "3 of 3 changes done"
    assert "3 changes sent and read back" in at.success[0].value
    assert set(at.dataframe[0].value["result"]) == {"Sent, and read back on TikTok."}


def test_a_plan_that_does_not_exist_is_said_so(desk, visit: Visit) -> None:
    for number in ("77", "x", ""):
        assert "There is no such plan" in words(visit("plan", plan=number))


def test_a_sale_in_the_own_store_is_recorded(desk, visit: Visit) -> None:
    at = visit("stock")
    at.session_state["stock_record"] = "A sale in your store"
    at.run()
    at.selectbox(key="record_sku").set_value("BOWL-MOSS").run()
    at.number_input(key="sale_units").set_value(2).run()
    at.text_input(key="record_note").set_value("market day").run()
    at.button(key="record_go").click().run()
    assert ("record_sale", "BOWL-MOSS", 2, "market day") in desk.asked
    assert "Recorded: 2 units of BOWL-MOSS sold" in words(at)


def test_a_count_starts_from_what_is_known(desk, visit: Visit) -> None:
    at = visit("stock")
    at.session_state["stock_record"] = "A count"
    at.run()
    at.selectbox(key="record_sku").set_value("JAM-STD").run()
    known = at.number_input(key="count_units_JAM-STD").value
    with desk.store.read() as connection:
        query = "SELECT on_hand FROM level JOIN item ON item.id = item_id WHERE sku = 'JAM-STD'"
        assert known == connection.exec_driver_sql(query).scalar_one()
    at.number_input(key="count_units_JAM-STD").set_value(41).run()
    at.button(key="record_go").click().run()
    assert ("record_count", "JAM-STD", 41, "") in desk.asked


def test_a_refusal_is_told_in_its_own_words(desk, visit: Visit) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise UnknownItem("JAM-STD")

    desk.record_sale = refuse
    at = visit("stock")
    at.session_state["stock_record"] = "A sale in your store"
    at.run()
    at.button(key="record_go").click().run()
    assert "There is no item with the SKU" in at.error[0].value


def test_an_order_opens_with_its_lines_its_times_and_what_it_did_to_the_stock(desk, visit: Visit) -> None:
    with desk.store.read() as connection:
        query = "SELECT id FROM orders WHERE status = 'AWAITING_SHIPMENT' ORDER BY create_time DESC LIMIT 1"
        order = connection.exec_driver_sql(query).scalar_one()
    at = visit("orders", order=order)
    counts, times = (table.value for table in at.table)
    assert {"Sample", "Shipped by TikTok"} <= set(counts.index), "how orders count"
    assert {"Placed", "Paid", "Known here"} <= set(times.index)
    assert "What it did to your stock" in words(at)
    assert any("promised" in frame.value.columns for frame in at.dataframe)


def test_an_order_that_is_not_here_is_said_so(desk, visit: Visit) -> None:
    assert "There is no order 123 in this store" in words(visit("orders", order="123"))


def test_orders_are_found_by_number_and_by_sku(desk, visit: Visit) -> None:
    first = visit("orders").dataframe[0].value["order"][0]
    found = visit("orders", find=first).dataframe[0].value
    assert list(found["order"]) == [first]
    found = visit("orders", find="throw-fern", period="0").dataframe[0].value
    assert len(found) > 0
    assert "No order matches" in words(visit("orders", find="zzz"))


def test_orders_can_be_narrowed_to_those_still_to_ship(desk, visit: Visit) -> None:
    shown = visit("orders", show="ship").dataframe[0].value
    assert {state for states in shown["state"] for state in states} <= {"To ship", "Partly shipped", "Packed"}


def test_a_failed_run_says_what_to_do_and_can_be_tried_again(desk, visit: Visit) -> None:
    at = visit("activity")
    assert at.title[0].value == "1 thing did not"
    retry = next(button for button in at.button if button.label == "Try again")
    retry.click().run()
    assert [call for call in desk.asked if call[0] == "retry_run"]


def test_a_run_opens_with_what_it_did_to_each_entity(desk, visit: Visit) -> None:
    with desk.store.read() as connection:
        run = connection.exec_driver_sql("SELECT id FROM run WHERE status = 'failed'").scalar_one()
    at = visit("activity", run=str(run))
    assert "code 36009002" in str(at.table[0].value)
    assert "LINEN-SLATE" in list(at.dataframe[-1].value["name"])


def test_problems_alone_can_be_shown(desk, visit: Visit) -> None:
    shown = visit("activity", only="problems").dataframe[0].value
    assert list(shown["state"]) == [["Failed"]]


def test_saved_settings_tell_what_changed(desk, visit: Visit) -> None:
    at = visit("settings")
    at.number_input(key="keep_log_days").set_value(30)
    at.toggle(key="paused").set_value(True)
    at.button(key="save").click().run()
    assert ("save_choices", Choices(keep_log_days=30, paused=True)) in desk.asked
    assert "Saved: the loop is paused and runs kept for 30 days" in words(at)
    assert at.title[0].value == "It is paused"


def test_saving_without_a_change_changes_nothing(desk, visit: Visit) -> None:
    at = visit("settings").button(key="save").click().run()
    assert "Nothing was changed" in words(at)
    assert not [call for call in desk.asked if call[0] == "save_choices"]


def test_an_interval_from_the_environment_is_told_and_cannot_be_changed_here(desk, visit: Visit) -> None:
    desk.settings = desk.settings.model_copy(update={"tiktok_shop_sync_interval": 90})
    at = visit("settings")
    assert "every 1 min 30 s" in at.title[0].value
    assert "TIKTOK_SHOP_SYNC_INTERVAL" in words(at)


def test_connecting_asks_for_what_is_missing_by_name(desk, visit: Visit) -> None:
    at = visit("connection")
    at.text_input(key="app_key").set_value("made-up-key")
    at.button(key="begin").click().run()
    assert "Still empty: app secret, service ID" in words(at)
    assert not desk.asked


def test_connecting_makes_the_link_and_forgets_the_secret(desk, visit: Visit) -> None:
    at = visit("connection")
    at.text_input(key="app_key").set_value(" made-up-key ")
    at.text_input(key="app_secret").set_value("made-up-secret")
    at.text_input(key="service_id").set_value("made-up-service")
    at.button(key="begin").click().run()
    assert ("connect_begin", "made-up-key", "made-up-secret", "made-up-service", "GB") in desk.asked
    assert at.get("link_button")[0].proto.url.startswith("https://services.example/")
    assert at.text_input(key="app_secret").value == ""


def test_a_pasted_address_that_does_not_work_says_why(desk, visit: Visit) -> None:
    desk.connected = ConnectResult(False, "There is no code in this.", "Copy the whole address.")
    at = visit("connection")
    at.text_input(key="pasted").set_value("http://127.0.0.1:8501/")
    at.button(key="finish").click().run()
    assert ("connect_finish", "http://127.0.0.1:8501/") in desk.asked
    assert "There is no code in this. Copy the whole address." in words(at)


def test_coming_back_from_tiktok_tells_how_it_ended(desk, visit: Visit) -> None:
    assert "The shop is connected" in words(visit("connection", connected="1"))
    at = visit("connection", problem="The code is too old. [x](http://evil.example)", next="Start again.")
    assert "The code is too old" in at.error[0].value
    assert "](http" not in at.error[0].value


def test_analytics_shows_sales_with_the_period_before(desk, visit: Visit) -> None:
    at = visit("analytics", span="7")
    assert "in 7 days" in at.title[0].value
    labels = [metric.label for metric in at.metric]
    assert labels == ["Sales", "Orders", "Units", "Average order", "Cancelled"]
    assert all("7 days before" in metric.proto.delta_description for metric in at.metric)
    assert len(at.get("plotly_chart")) == 2


def test_charts_have_a_name_for_those_who_cannot_see_them(desk, visit: Visit) -> None:
    for chart in visit("analytics").get("plotly_chart"):
        assert "Sales" in chart.proto.alt or "sales" in chart.proto.alt


def test_charts_take_their_colours_from_the_theme(desk, visit: Visit) -> None:
    specs = [chart.proto.spec for chart in visit("analytics").get("plotly_chart")]
    assert '"color":"#000001"' in specs[0].replace(" ", "")
    assert "#636efa" not in specs[0], "plotly's own blue means that the theme was not used"


def test_the_catalogue_marks_what_differs(desk, visit: Visit) -> None:
    shown = visit("catalog").dataframe[0].value.set_index("sku")
    assert shown.loc["BOWL-CREAM", "marks"] == ["Price"]
    assert shown.loc["MUG-MOSS", "marks"] == ["Title"]
    assert "Only here" in shown.loc["GIFT-CARD", "marks"]


def test_the_catalogue_shows_what_is_not_linked(desk, visit: Visit) -> None:
    shown = visit("catalog", view="unlinked").dataframe[0].value
    assert list(shown["sku"]) == ["SOAP-CEDAR"]


def test_importing_a_file_shows_what_it_would_do_and_waits(desk, visit: Visit) -> None:
    at = visit("catalog").button(key="open_import").click().run()
    at.file_uploader(key="csv").upload(
        "goods.csv", b"sku,title,price,currency,stock\nNEW-1,New thing,12.50,GBP,4\n"
    ).run()
    assert at.button(key="import").label == "Import 1 item"
    with desk.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM item WHERE sku = 'NEW-1'").scalar_one() == 0
    at.button(key="import").click().run()
    assert "Imported goods.csv: 1 new" in words(at)
    with desk.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM item WHERE sku = 'NEW-1'").scalar_one() == 1


def test_a_file_with_errors_names_row_and_column_and_imports_nothing_by_itself(desk, visit: Visit) -> None:
    at = visit("catalog").button(key="open_import").click().run()
    at.file_uploader(key="csv").upload("goods.csv", b"sku,price,currency\nA-1,abc,GBP\nA-2,3.50,GBP\n").run()
    findings = at.dataframe[-1].value if "row" in at.dataframe[-1].value else at.dataframe[-2].value
    assert (findings["row"][0], findings["field"][0]) == (2, "price")
    assert at.button(key="import").disabled
    at.checkbox(key="partial").check().run()
    assert not at.button(key="import").disabled


def test_a_file_that_is_no_table_says_so(desk, visit: Visit) -> None:
    at = visit("catalog").button(key="open_import").click().run()
    at.file_uploader(key="csv").upload("goods.csv", b"\x00\x01\x02").run()
    assert at.error
    assert not [button for button in at.button if button.key == "import"]


def test_the_practice_panel_buys_as_a_customer(desk, visit: Visit) -> None:
    class Panel:
        def state(self, **_more: object) -> SimpleNamespace:
            return SimpleNamespace(troubles=[{"kind": "slow"}])

        def buy(self, sku: str, units: int) -> str:
            desk.asked.append(("buy", sku, units))
            return "1"

        def __getattr__(self, name: str) -> object:
            return lambda *args, **more: desk.asked.append((name, *args, more))

    desk.practice = Panel()
    at = visit("connection")
    at.session_state["practice_panel"] = True
    at.run()
    assert "Slow answers" in words(at)
    at.number_input(key="practice_units").set_value(3).run()
    at.button(key="practice_buy").click().run()
    assert [call for call in desk.asked if call[0] == "buy" and call[2] == 3]
    at.selectbox(key="practice_trouble").set_value("rate_limit").run()
    at.button(key="practice_make").click().run()
    assert ("trouble", "rate_limit", {"retry_after": 5, "times": 1}) in desk.asked


def test_a_practice_shop_that_is_gone_says_so(desk, visit: Visit) -> None:
    from core.practice.desk import PracticeUnavailable

    class Gone:
        def state(self, **_more: object) -> None:
            raise PracticeUnavailable("The practice shop does not answer. It may be closed; start it again.")

    desk.practice = Gone()
    at = visit("connection")
    at.session_state["practice_panel"] = True
    at.run()
    assert "The practice shop does not answer" in at.warning[0].value


def test_new_data_redraws_the_page_unless_rows_are_chosen(desk, visit: Visit) -> None:
    at = visit("stock")
    assert at.session_state["live_held"] is False
    assert pick(at, 0).session_state["live_held"] is True


def test_a_number_changed_by_hand_on_tiktok_is_asked_about_in_its_explanation(desk, visit: Visit) -> None:
    with desk.store.read() as connection:
        sku_id = connection.execute(text("SELECT sku_id FROM drift WHERE state = 'open'")).scalar_one()
    at = visit("stock", sku=sku_id)
    assert any("Which number is right" in str(link.proto) for link in at.get("page_link"))
