"""The Rules page: what a rule would change is told before anything is saved, and each part says where it comes from."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.store.engine import Store
from core.sync import rules
from core.sync.rules import Rule, Scope
from tests.pages import seed
from tests.pages.fake import FakeRuntime

Visit = Callable[..., AppTest]


def words(at: AppTest) -> str:
    return "\n".join(str(each.value) for each in (*at.title, *at.caption, *at.markdown, *at.success, *at.error))


def type_into(at: AppTest, field: str, value: int | None) -> AppTest:
    found = next(each for each in at.number_input if str(each.key).startswith(f"rule_{field}_"))
    return found.set_value(value).run()


@pytest.fixture
def calm(desk: FakeRuntime) -> FakeRuntime:
    """Every listing was even once and shows what it should."""
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE drift SET state = 'explained'")
        connection.exec_driver_sql("UPDATE listing SET settled_at = 1, refused_code = NULL, refused_sentence = NULL")
    return desk


def save(store: Store, scope: Scope, key: str, rule: Rule) -> None:
    with store.write() as connection:
        rules.keep(connection, scope, key, rule)
        rules.refresh(connection)


def test_without_any_rule_everything_that_is_free_is_offered(desk: Any, visit: Visit) -> None:
    at = visit("rules")
    assert at.title[0].value == "Everything that is free"
    assert "The last units are split between your channels" in words(at)
    assert "The rule for everything holds everywhere" in words(at)
    assert at.button(key="rule_review").disabled


def test_the_rule_for_everything_is_told_in_a_sentence(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.ALL, "", Rule(buffer=2, share=50, cap=20, split=False))
    at = visit("rules")
    assert at.title[0].value == "2 kept back, 50% of the rest, at most 20, last units not split"
    assert "every channel shows all of them" in words(at)


def test_typing_a_rule_tells_how_many_changes_it_makes_and_leads_to_their_review(calm: Any, visit: Visit) -> None:
    at = type_into(visit("rules"), "cap", 1)
    button = at.button(key="rule_review")
    assert button.label.startswith("Review ")
    assert calm.asked == []
    many = int(button.label.split()[1])
    at = button.click().run()
    assert calm.asked[-1] == ("propose_rule", Scope.ALL, "", Rule(cap=1))
    with calm.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM plan_row").scalar_one()
    assert rows == many > 10
    assert at.query_params["plan"] == "1", "the review page is open"
    assert "The rule for everything: at most 1. Before: nothing of its own." in words(at).replace("\\", "")


def test_a_rule_that_changes_nothing_on_tiktok_is_saved_at_once_and_said_so(calm: Any, visit: Visit) -> None:
    at = type_into(visit("rules"), "cap", 90_000)
    assert at.button(key="rule_review").label == "Save the rule"
    at.button(key="rule_review").click().run()
    assert "The rule is saved. No number on TikTok changes now." in words(at).replace("\\", "")
    with calm.store.read() as connection:
        assert rules.said(connection, Scope.ALL, "") == Rule(cap=90_000)


def test_a_shop_rule_starts_from_what_is_saved_for_the_shop(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.SHOP, seed.SHOP, Rule(buffer=4))
    at = visit("rules", scope="shop")
    values = {str(each.key).split("_")[1]: each.value for each in at.number_input}
    assert values["buffer"] == 4
    assert values["share"] is None, "what the shop does not say is left to the rule above"


def test_the_rules_that_exist_are_listed_by_what_they_are_for(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.ITEM, "3", Rule(zero_below=2))
    save(desk.store, Scope.GROUP, "soap", Rule(share=80))
    save(desk.store, Scope.SHOP, seed.SHOP, Rule(split=False))
    table = visit("rules").dataframe[0].value
    assert list(table["name"]) == ["Hazel and Thread", "soap", desk.goods[2][1]]
    assert [cell[0] for cell in table["scope"]] == ["Shop", "Group", "Item"]
    assert list(table["split"]) == ["Not split", "", ""]


def test_a_rule_of_an_item_is_taken_into_the_form_by_its_sku(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.ITEM, "3", Rule(zero_below=2))
    at = visit("rules", view="item")
    at.selectbox(key="rules_item").set_value(desk.goods[2][1]).run()
    at.button(key="rule_of_item").click().run()
    assert at.session_state["rules_scope"] == "item"
    assert next(each.value for each in at.number_input if str(each.key).startswith("rule_zero_below")) == 2


def test_an_item_shows_its_rule_in_force_and_where_each_part_comes_from(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.ALL, "", Rule(buffer=2))
    save(desk.store, Scope.SHOP, seed.SHOP, Rule(share=50))
    save(desk.store, Scope.ITEM, "3", Rule(cap=9))
    at = visit("rules", view="item")
    at.selectbox(key="rules_item").set_value(desk.goods[2][1]).run()
    row = at.dataframe[0].value.iloc[0]
    assert row["buffer"] == "2 (everything)"
    assert row["share"] == "50% (the shop)"
    assert row["cap"] == "9 (this item)"
    assert row["zero_below"] == "0 (as usual)"
    assert row["split"] == "split (as usual)"


def test_groups_typed_into_the_table_are_reviewed_and_kept(calm: Any, visit: Visit) -> None:
    at = visit("rules", view="groups")
    key = at.session_state["groups_shown"][0]
    at.session_state[key] = {"edited_rows": {0: {"group": "soap"}, 2: {"group": "soap"}}, "added_rows": [],
                             "deleted_rows": []}  # fmt: skip
    at.run()
    assert at.button(key="groups_review").label == "Review 2 items"
    at.button(key="groups_review").click().run()
    with calm.store.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM item WHERE group_name = 'soap'").scalar_one()
    assert count == 2, "no rule of the group changes a number, so it is saved at once"
    assert "2 items moved. No number on TikTok changes now." in words(at).replace("\\", "")
    only = visit("rules", view="groups", **{"in": "soap"})
    assert len(only.session_state["groups_shown"][1]) == 2


def test_several_marked_items_are_put_into_a_group_at_once(desk: Any, visit: Visit) -> None:
    save(desk.store, Scope.GROUP, "kitchen", Rule(buffer=1))
    at = visit("rules", view="groups")
    key, rows, _ = at.session_state["groups_shown"]
    marked = {"edited_rows": {n: {"pick": True} for n in (0, 1, 4)}, "added_rows": [], "deleted_rows": []}
    at.session_state[key] = marked
    at.run()
    assert at.button(key="groups_put").label == "Put 3 items into it"
    at.selectbox(key="groups_name").set_value("kitchen")
    at.button(key="groups_put").click().run()
    assert at.session_state["groups_draft"] == {rows[n].item_id: "kitchen" for n in (0, 1, 4)}
    assert at.button(key="groups_review").label == "Review 3 items"
    assert list(at.dataframe[0].value["group"])[:5] == ["kitchen", "kitchen", "", "", "kitchen"]


def test_a_window_that_only_reads_cannot_save_a_rule(desk: Any, visit: Visit) -> None:
    desk.owner = False
    at = type_into(visit("rules"), "cap", 1)
    assert at.button(key="rule_review").disabled
    assert desk.asked == []


def test_an_unconnected_desk_says_so(rt: Any, visit: Visit) -> None:
    assert visit("rules").title[0].value == "There is nothing to offer yet"


def test_a_link_opens_the_rule_of_an_item(desk: Any, visit: Visit) -> None:
    sku = desk.goods[4][1]
    save(desk.store, Scope.ITEM, "5", Rule(share=30))
    at = visit("rules", scope="item", item=sku)
    assert at.selectbox(key="rules_item").value == sku
    assert next(each.value for each in at.number_input if str(each.key).startswith("rule_share")) == 30
