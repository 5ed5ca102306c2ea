"""What the overview says of delays, waiting listings and trouble."""

from typing import Any

from core.store.engine import Store
from core.store.queries import activity, health, shops
from core.store.tables import Hook, Order, Outbox, Push, Quarantine, Run, Shop
from tests.store.rows import SHOP, order, put, shop, store

__all__ = ["store"]
DAY = 86_400_000


def push(took: int, at: int, **more: Any) -> dict[str, Any]:
    what = {"shop_id": SHOP, "sku_id": "k", "product_id": "p", "generation": 1, "target": 1, "wanted": "{}"}
    was = {"read_available": 1, "read_committed": 0, "read_open": 0, "read_shipped": 0, "outcome": "confirmed"}
    return what | was | {"dirty_at": at, "intent_at": at, "confirmed_at": at + took} | more


def run(kind: str, status: str, at: int, shop: str = "s") -> dict[str, Any]:
    return {"kind": kind, "shop_id": shop, "status": status, "started_at": at, "ended_at": at + 5}


def test_the_delay_out_is_the_median_of_confirmed_changes_of_this_shop(store: Store) -> None:
    put(store, Push, *(push(took, DAY + place) for place, took in enumerate((100, 200, 300, 400, 9_000))))
    put(store, Push, push(50_000, DAY, shop_id="other"), push(50_000, DAY, outcome="refused"), push(50_000, 5))
    with store.read() as connection:
        found = health.delay_out(connection, "s", since=DAY)
        assert health.delay_out(connection, "nobody", since=0) is None
    assert found is not None
    assert (found.samples, found.median_ms, found.p95_ms) == (5, 300, 9_000)
    assert found.recent == (100, 200, 300, 400, 9_000), "oldest first, as a curve is drawn"


def test_the_delay_in_leaves_out_orders_from_before_the_shop_was_connected(store: Store) -> None:
    put(store, Order, order("1", "UNPAID", 50, first_seen_at=500_000))
    seen = ((200, 203_000), (300, 305_000), (400, 399_000))
    put(store, Order, *(order(str(at), "UNPAID", at, first_seen_at=known) for at, known in seen))
    with store.read() as connection:
        found = health.delay_in(connection, "s", connected_at=100_000, since=0)
    assert found is not None
    assert (found.samples, found.median_ms) == (3, 3_000)
    assert min(found.recent) == 0, "a clock that is a little off is no negative delay"


def test_a_busy_shop_does_not_crowd_out_the_delay_of_a_quiet_one(store: Store) -> None:
    put(store, Order, order("quiet", "UNPAID", 200, first_seen_at=204_000))
    many = [
        order(f"b{n}", "UNPAID", 300 + n, first_seen_at=300_000 + n * 1000) | {"shop_id": "busy"} for n in range(2_500)
    ]
    put(store, Order, *many)
    with store.read() as connection:
        quiet = health.delay_in(connection, "s", connected_at=0, since=0)
        busy = health.delay_in(connection, "busy", connected_at=0, since=0)
    assert quiet is not None
    assert (quiet.samples, quiet.median_ms) == (1, 4_000)
    assert busy is not None
    assert busy.samples == 500, "the last five hundred"


def test_the_slow_end_is_what_95_of_100_stay_within(store: Store) -> None:
    put(store, Push, *(push(took, DAY + took) for took in range(1, 101)))
    with store.read() as connection:
        found = health.delay_out(connection, "s", since=DAY)
    assert found is not None
    assert sum(took <= found.p95_ms for took in range(1, 101)) >= 95
    assert sum(took <= found.median_ms for took in range(1, 101)) in (50, 51)


def test_what_waits_and_what_is_held_are_counted_apart(store: Store) -> None:
    rows = [("dirty", 900), ("claimed", 700), ("held", 100), ("idle", 50)]
    put(
        store,
        Outbox,
        *({"shop_id": "s", "sku_id": str(n), "state": state, "dirty_at": at} for n, (state, at) in enumerate(rows)),
    )
    with store.read() as connection:
        assert health.backlog(connection, "s") == health.Backlog(2, 1, 700)
        assert health.backlog(connection, "nobody") == health.Backlog(0, 0, None)


def test_a_failure_counts_until_the_same_work_was_done_again(store: Store) -> None:
    put(store, Run, run("sync orders", "failed", 100), run("push", "failed", 110), run("sync stock", "failed", 120))
    put(store, Run, run("push", "done", 200), run("push", "done", 90))
    with store.read() as connection:
        assert health.trouble(connection, since=0).failed_runs == 2
        assert [each.kind for each in activity.unsolved(connection, 0)] == ["sync stock", "sync orders"]
    put(store, Run, run("sync all", "done", 300))
    with store.read() as connection:
        assert health.trouble(connection, since=0).failed_runs == 0
        assert activity.unsolved(connection, 0) == []


def test_the_success_of_another_shop_makes_nothing_good(store: Store) -> None:
    put(store, Run, run("sync all", "failed", 100), run("sync all", "done", 200, shop="other"))
    with store.read() as connection:
        assert len(activity.unsolved(connection, 0)) == 1


def test_lost_answers_and_unreadable_records_are_counted_since_a_moment(store: Store) -> None:
    put(store, Push, push(1, 500, outcome="unknown"), push(1, 5, outcome="unknown"))
    put(
        store,
        Quarantine,
        {"source": "orders", "reason": "no id", "at": 500},
        {"source": "orders", "reason": "x", "at": 5},
    )
    with store.read() as connection:
        found = health.trouble(connection, since=100)
    assert (found.unknown_pushes, found.unreadable) == (1, 1)


def test_runs_can_be_paged_filtered_and_counted(store: Store) -> None:
    put(store, Run, *(run("push" if n % 3 else "sync all", "failed" if n % 5 == 0 else "done", n) for n in range(30)))
    with store.read() as connection:
        everything = activity.runs(connection, limit=100)
        assert [each.started_at for each in everything] == list(range(29, -1, -1))
        paged = [each.id for skip in (0, 10, 20) for each in activity.runs(connection, limit=10, offset=skip)]
        assert paged == [each.id for each in everything]
        assert activity.count(connection, kinds=("push",)) == 20
        assert activity.count(connection, kinds=("push",), failed_only=True) == 4
        assert {each.status for each in activity.runs(connection, failed_only=True)} == {"failed"}
        assert activity.one(connection, 99_999) is None


def test_messages_from_tiktok_are_summed_up(store: Store) -> None:
    with store.read() as connection:
        assert shops.heard(connection) == shops.Heard(0, 0, None)
    put(
        store,
        Hook,
        *({"id": str(n), "type": 1, "body": "{}", "received_at": n, "state": "new" if n else "done"} for n in range(3)),
    )
    with store.read() as connection:
        assert shops.heard(connection) == shops.Heard(3, 2, 2)


def test_real_shops_come_before_the_practice_shop(store: Store) -> None:
    put(store, Shop, shop(id="1", name="Practice", practice=True, connected_at=0))
    with store.read() as connection:
        found = shops.shops(connection)
    assert [(each.name, each.practice) for each in found] == [("Hazel", False), ("Practice", True)]
