"""The explanation of a number on screen: its steps add up, and it says what keeps a number from being sent."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from core.sync import rules
from core.sync.locks import PROMOTION
from core.sync.rules import Rule, Scope
from core.ui.text import DASH

Visit = Callable[..., AppTest]
SKU, ITEM = "1729000003", 3


def words(at: AppTest) -> str:
    told = (*at.caption, *at.markdown, *at.error, *at.warning)
    return "\n".join(str(each.value) for each in told).replace("\\", "")


def whole(cell: str) -> int:
    plain = cell.strip("*").replace("\N{MINUS SIGN}", "-").replace(",", "")
    return 0 if plain in ("", DASH) else int(plain)


def steps(at: AppTest) -> list[tuple[str, int, str]]:
    table = at.table[0].value
    rows = zip(table["Step"], table["Units"], table["Left"], strict=True)
    return [(str(step), whole(str(units)), str(left)) for step, units, left in rows]


def change(desk: Any, *statements: str) -> None:
    with desk.store.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_steps_on_screen_add_up_to_the_number_below_them(desk: Any, visit: Visit) -> None:
    with desk.store.write() as connection:
        rules.keep(connection, Scope.ITEM, str(ITEM), Rule(buffer=2, share=60, cap=5))
        rules.refresh(connection)
    found = steps(visit("stock", sku=SKU))
    end = next(place for place, step in enumerate(found) if step[0] == "**TikTok should show**")
    total = 0
    for name, units, left in found[:end]:
        total += units
        assert whole(left) == total, name
    assert whole(found[end][2]) == total <= 5
    assert [name for name, _, _ in found[2:end]] == [
        "Kept back :small[:gray[rule of this item]]", "60% of that :small[:gray[rule of this item]]",
        "At most 5 :small[:gray[rule of this item]]",
    ]  # fmt: skip


def test_each_item_of_a_bundle_has_its_steps_and_the_scarcest_decides(desk: Any, visit: Visit) -> None:
    change(desk, f"INSERT INTO link (shop_id, sku_id, item_id, quantity, origin, created_at) "
                 f"SELECT shop_id, sku_id, 4, 3, 'you', 1 FROM link WHERE sku_id = '{SKU}'")  # fmt: skip
    names = [name for name, _, _ in steps(visit("stock", sku=SKU))]
    assert names.count("On hand") == 2
    assert sum("decides, for it is the scarcest" in name for name in names) == 1


def test_the_split_of_the_last_units_is_told_with_its_figures(desk: Any, visit: Visit) -> None:
    change(desk, f"UPDATE item SET split_at = 1000, split_total = 10 WHERE id = {ITEM}",
           f"UPDATE link SET split_from = 4, split_to = 10 WHERE item_id = {ITEM}")  # fmt: skip
    at = visit("stock", sku=SKU)
    assert any(name.startswith("Left to your other channels") for name, _, _ in steps(at))
    assert "These are the last units" in words(at)
    channels = next(each.value for each in at.dataframe if "weight" in each.value)
    assert sorted(channels["weight"]) == ["4 of 10", "6 of 10"]
    assert "Your own store" in list(channels["name"])


def test_a_lock_of_tiktoks_and_a_halt_are_told(desk: Any, visit: Visit) -> None:
    change(desk, f"UPDATE listing SET available = 900, refused_code = {PROMOTION}, refused_at = {2**52}, "
                 f"refused_sentence = 'A campaign holds it.' WHERE sku_id = '{SKU}'",
           f"UPDATE item SET halted_at = 1, halted_why = 'Its books do not add up.' WHERE id = {ITEM}")  # fmt: skip
    told = words(visit("stock", sku=SKU))
    assert "A campaign holds it." in told
    assert "Its books do not add up." in told


def test_when_it_was_sent_and_when_it_is_looked_at_again_is_told(desk: Any, visit: Visit) -> None:
    told = words(visit("stock", sku=SKU))
    assert "Last sent" in told
    assert "Last confirmed" in told
    assert "Change 4 waits to be sent" in told
    assert "TikTok is read again in" in told


def test_a_listing_that_was_never_even_says_that_nothing_is_sent(desk: Any, visit: Visit) -> None:
    change(desk, "UPDATE listing SET settled_at = NULL")
    assert "nothing is sent by itself" in words(visit("stock", sku=SKU))
