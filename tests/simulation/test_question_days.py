"""Random days on which people type numbers on TikTok: nothing is raised before an answer, nothing booked twice."""

import random

import pytest

from core.practice.answers import NotPossible
from core.store.queries import drift as kept
from core.sync import decisions, ledger, rules
from core.sync.decisions import Asked
from tests.simulation.desk import Desk


class Day:
    """A shop in which anything happens in any order, with an owner who answers now and then."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.chance = random.Random(seed)
        self.skus = [one for one in desk.skus() if len(desk.practice.truth(one).warehouses) == 1][:3]
        self.orders: list[str] = []
        self.told: list[str] = []
        with desk.store.write() as connection:  # the last units are not divided, so that one number is the right one
            rules.keep(connection, rules.Scope.ALL, "", rules.Rule(split=False))
            rules.refresh(connection)

    def work(self, steps: int) -> None:
        acts = [self.buy, self.buy, self.follow, self.sell, self.type_number, self.type_number, self.answer,
                self.answer, self.undo, self.change_rule, self.read, self.read]  # fmt: skip
        for _ in range(steps):
            act = self.chance.choice(acts)
            self.told.append(act.__name__)
            act()

    def questions(self, view: str = "open") -> list[kept.Question]:
        with self.desk.store.read() as connection:
            return kept.page(connection, kept.Wanted(view))

    def sku(self) -> str:
        return self.chance.choice(self.skus)

    def buy(self) -> None:
        try:
            self.orders.append(self.desk.practice.buy(self.sku(), self.chance.randint(1, 2)))
        except NotPossible:
            return

    def follow(self) -> None:
        if self.orders:
            try:
                self.desk.practice.act(self.chance.choice(self.orders), self.chance.choice(("cancel", "ship")))
            except NotPossible:
                return

    def sell(self) -> None:
        self.desk.sell(self.sku())

    def type_number(self) -> None:
        sku = self.sku()
        self.desk.practice.set_stock(sku, max(0, self.desk.shown(sku) + self.chance.choice((-3, -1, 2, 5))))

    def answer(self) -> None:
        """The owner decides some of what is open."""
        found = self.questions()
        asked = [Asked(each.id, each.amount) for each in found if self.chance.random() < 0.7]
        decisions.decide(self.desk.store, asked, self.chance.choice(("ours", "theirs")), actor="owner")

    def undo(self) -> None:
        for each in self.questions("decided")[:1]:
            try:
                decisions.undo(self.desk.store, each.id, actor="owner")
            except decisions.CannotUndo:
                return

    def change_rule(self) -> None:
        decisions.set_rule(self.desk.store, self.desk.shop.shop_id, self.chance.choice(("ask", "ours", "theirs")))

    def read(self) -> None:
        """Time passes and the loop runs; where a question stays open, no write of ours raised anything."""
        before = {each.sku_id: each.id for each in self.questions()}
        last = self.desk.one("SELECT coalesce(max(id), 0) FROM push")
        self.desk.settle(rounds=1, seconds=self.chance.choice((20.0, 120.0, 400.0)))
        still = {each.sku_id for each in self.questions() if before.get(each.sku_id) == each.id}
        raised = self.desk.rows("SELECT sku_id FROM push WHERE id > :last AND target > read_available", last=last)
        assert not still & {row.sku_id for row in raised}, self.told

    def end(self) -> None:
        """Everything arrives, and the owner keeps their own numbers."""
        decisions.set_rule(self.desk.store, self.desk.shop.shop_id, "ask")
        for _ in range(3):
            self.desk.settle(rounds=3)
            asked = [Asked(each.id, each.amount) for each in self.questions()]
            decisions.decide(self.desk.store, asked, "ours", actor="owner")
        self.desk.time.turn(3_700)
        self.desk.settle(rounds=2)

    def check_lines(self) -> None:
        """Each decision has the line in the ledger that it says, and each undone one its inverse."""
        for each in self.questions("decided"):
            lines = self.desk.rows(
                "SELECT on_hand FROM movement WHERE reference = :r ORDER BY id", r=f"drift:{each.id}"
            )
            booked = [row.on_hand for row in lines]
            wanted = [each.amount] if each.decision == "theirs" else []
            assert booked == (wanted + [-units for units in wanted] if each.state == "undone" else wanted), each


@pytest.mark.parametrize("seed", range(6))
def test_a_random_day_of_typed_numbers_ends_even_with_every_line_booked_once(desk: Desk, seed: int) -> None:
    day = Day(desk, seed)
    day.work(45)
    day.end()
    assert day.questions() == [], day.told
    day.check_lines()
    desk.check_books()
    desk.check_even()
    with desk.store.read() as connection:
        assert ledger.prove(connection).broken == ()
