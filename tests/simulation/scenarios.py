"""Twelve pieces of work that must survive the failure of any of their steps, each on a world of its own."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from core.store.errors import StoreProblem
from core.sync import adopt, decisions, kinds, orders, plans, rule_plans, runs, start_plans
from core.sync.rules import Rule, Scope
from core.sync.starting import Choice, Wish
from tests.simulation.desk import Desk, Killed
from tests.simulation.world import FRESH, World

_OPEN = "SELECT id, amount FROM drift WHERE state IN ('open', 'lowered')"
Work = Callable[[World], None]


def _nothing(world: World) -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """`prepare` what is to be done, `work` on it while a step fails, and `heal` what only the owner can."""

    name: str
    work: Work
    prepare: Work = _nothing
    heal: Work = _nothing
    kind: str = "plain"


def desk(world: World) -> Desk:
    return world.desks[0]


def skus(world: World) -> list[str]:
    return [sku for side, sku in world.focus if side == 0]


def own_sale(world: World, sku: str, units: int = 1) -> None:
    desk(world).sell(sku, units)
    world.shelf[world.parts[0, sku][0][0]] -= units


def counted(world: World, sku: str, more: int) -> None:
    """So many units more lie on the shelf, and are counted."""
    item = world.parts[0, sku][0][0]
    world.shelf[item] += more
    desk(world).count(sku, world.shelf[item])


def shipped(world: World, sku: str, order: str) -> None:
    desk(world).practice.ship(order)
    world.shelf[world.parts[0, sku][0][0]] -= 1


def approve(world: World, plan: plans.Proposed, send: Callable[[runs.Running], None]) -> None:
    """The owner's yes, and the run that follows."""
    plans.approve(desk(world).store, plan.id, confirmed_rows=plan.rows)
    running = runs.Running(desk(world).store, "plan", desk(world).shop.shop_id, "owner")
    with runs.carry_on(running):
        send(running)


# What happens before the work


def new_orders(world: World) -> None:
    practice, (one, two, _) = desk(world).practice, skus(world)
    shipped(world, one, practice.buy(one))
    practice.cancel(practice.buy(two))
    practice.buy(two, 2, paid=False)
    world.time.turn(5)


def own_sales(world: World) -> None:
    for sku in skus(world):
        own_sale(world, sku, 2)
    desk(world).practice.buy(skus(world)[0])


def goods_everywhere(world: World) -> None:
    for sku in desk(world).skus():
        counted(world, sku, 3)


def typed(world: World) -> None:
    """Numbers are typed on TikTok, and it is certain that no order explains them."""
    for sku in skus(world)[:2]:
        first = desk(world).practice.truth(sku).warehouses[0]
        desk(world).practice.set_stock(sku, first.available - 1, first.warehouse_id)
    for _ in range(2):
        world.time.turn(60)
        desk(world).sync("all")


def expired(world: World) -> None:
    new_orders(world)
    own_sale(world, skus(world)[0])
    desk(world).practice.trouble("expired_token", times=1, after=1)


def read_once(world: World) -> None:
    desk(world).sync("all")
    world.learn()


# The work


def sync(world: World) -> None:
    desk(world).sync("all")


def push(world: World) -> None:
    desk(world).push()


def backfill(world: World) -> None:
    """The first reading, in several windows at once although the shop is small."""
    few, orders.FEW = orders.FEW, 2
    try:
        desk(world).sync("all")
    finally:
        orders.FEW = few


def hear(world: World) -> None:
    for number, order in enumerate(list(desk(world).practice_orders())[-3:]):
        desk(world).hear(order, number)


def resync(world: World) -> None:
    desk(world).resync()


def take_over(world: World) -> None:
    """TikTok's numbers are taken for our counts: the goods are really gone."""
    plan = adopt.propose(desk(world).store, desk(world).shop.shop_id, skus(world), actor="test")
    approve(world, plan, lambda running: adopt.run(desk(world).store, plan.id, running))
    push(world)


def follow_the_ledger(world: World) -> None:
    """What the owner's decision booked is what they found on the shelf; a decision that failed is made again."""
    for _ in range(2):
        for row in desk(world).rows(_OPEN):
            decisions.decide(desk(world).store, [decisions.Asked(row.id, row.amount)], "theirs", actor="test")
    for sku in skus(world)[:2]:
        item = world.parts[0, sku][0][0]
        choices = (world.shelf[item], world.shelf[item] - 1)
        assert world.have(item)[0] in choices, "booked once or not at all"
        world.shelf[item] = world.have(item)[0]


def decide(world: World) -> None:
    asked = [decisions.Asked(row.id, row.amount) for row in desk(world).rows(_OPEN)]
    assert asked
    decisions.decide(desk(world).store, asked, "theirs", actor="test")
    push(world)


def change_rule(world: World) -> None:
    plan = rule_plans.propose(desk(world).store, Scope.ALL, "", Rule(buffer=1), actor="test")
    approve(world, plan, lambda running: kinds.run("rules", desk(world).store, [desk(world).shop], plan.id, running))


def sync_and_push(world: World) -> None:
    sync(world)
    push(world)


def count_while_pushing(world: World) -> None:
    """While a number is on its way, the owner counts that very item."""
    sku = skus(world)[0]
    item = world.parts[0, sku][0][0]

    def count(path: str) -> None:
        if path.endswith("/inventory/update"):
            world.shops[0].meanwhile = lambda path: None
            with suppress(StoreProblem, Killed):  # the page says so, and the owner looks whether it was kept
                desk(world).count(sku, world.shelf[item] + 4)
            if desk(world).rows("SELECT 1 FROM movement WHERE item_id = :i AND on_hand = 4", i=item):
                world.shelf[item] += 4

    world.shops[0].meanwhile = count
    push(world)


def first_link(world: World) -> None:
    plan = start_plans.propose(desk(world).store, desk(world).shop.shop_id, Wish(everything=Choice.OURS))
    approve(world, plan, lambda running: start_plans.run(desk(world).shop, plan.id, running))


# What only the owner can do afterwards


def review(world: World) -> None:
    """What was not sent is reviewed again."""
    for row in desk(world).rows(_OPEN):
        decisions.decide(desk(world).store, [decisions.Asked(row.id, row.amount)], "ours", actor="test")
    resync(world)


def go_live(world: World) -> None:
    world.learn()
    desk(world).resync()


SCENARIOS = (
    Scenario("poll with new orders", sync, new_orders),
    Scenario("backfill", backfill, heal=go_live, kind=FRESH),
    Scenario("webhook order", hear, new_orders),
    Scenario("own sale push", push, own_sales),
    Scenario("mass push", push, goods_everywhere),
    Scenario("plan run", resync, typed, review),
    Scenario("adopt plan", take_over, typed, follow_the_ledger),
    Scenario("rule change", change_rule, _nothing, review),
    Scenario("drift decision", decide, typed, follow_the_ledger),
    Scenario("token refresh in the middle", sync_and_push, expired),
    Scenario("count while pushing", count_while_pushing, own_sales),
    Scenario("first link of a shop", first_link, read_once, go_live, FRESH),
)
