"""The pacer: evenly spaced turns, urgent callers first, slower after a 429 and soon back; on a clock turned by hand."""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import clock
from core.tiktok.budget import Budget
from core.tiktok.errors import RateLimited, Stopped

PATH = "/product/202309/products/{id}/inventory/update"


@pytest.fixture
def time() -> Iterator[clock.Turned]:
    with clock.turned() as turned:
        yield turned


def paced(time: clock.Turned, rate: float = 50.0, reserve: float = 0.0) -> Budget:
    """A budget whose waiting turns the clock."""

    def wait(seconds: float) -> bool:
        time.turn(seconds)
        return False

    return Budget(rate, reserve=reserve, wait=wait)


def starts(budget: Budget, time: clock.Turned, calls: int, *, work: float = 0.0, urgent: bool = False) -> list[float]:
    """When each of a row of calls started, in seconds from now."""
    begin, found = time(), []
    for _ in range(calls):
        budget.acquire("shop", PATH, urgent=urgent)
        found.append(time() - begin)
        time.turn(work)
    return found


def test_there_is_no_burst_not_even_at_the_start(time: clock.Turned) -> None:
    found = starts(paced(time), time, 100)
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert found[0] == 0
    assert min(gaps) == pytest.approx(0.02, abs=0.001)
    assert found[-1] == pytest.approx(99 / 50, abs=0.01)


def test_a_pause_saves_up_no_turns(time: clock.Turned) -> None:
    budget = paced(time)
    starts(budget, time, 10)
    time.turn(60)
    found = starts(budget, time, 10)
    assert found[-1] == pytest.approx(9 / 50, abs=0.01)


def test_a_caller_who_is_a_little_late_does_not_slow_the_rest_down(time: clock.Turned) -> None:
    found = starts(paced(time), time, 500, work=0.019)
    assert found[-1] <= 499 / 50 + 0.02


def test_each_shop_and_each_endpoint_has_turns_of_its_own(time: clock.Turned) -> None:
    budget = paced(time, rate=1)
    begin = time()
    for shop, path in (("a", "/x"), ("b", "/x"), ("a", "/y")):
        budget.acquire(shop, path)
    assert time() == begin
    budget.acquire("a", "/x")
    assert time() == pytest.approx(begin + 1)


def test_a_mass_push_leaves_a_fifth_for_urgent_work(time: clock.Turned) -> None:
    budget = paced(time, reserve=0.2)
    assert starts(budget, time, 500, urgent=True)[-1] == pytest.approx(10.0, rel=0.01)
    assert starts(budget, time, 401)[-1] == pytest.approx(10.0, rel=0.01)


def test_a_mass_push_uses_the_whole_rate_while_nothing_urgent_comes(time: clock.Turned) -> None:
    budget = paced(time, reserve=0.2)
    assert starts(budget, time, 501)[-1] == pytest.approx(10.0, rel=0.01)
    starts(budget, time, 1, urgent=True)
    time.turn(10.0)
    assert starts(budget, time, 501)[-1] == pytest.approx(10.0, rel=0.01)


def test_urgent_and_mass_together_stay_within_the_rate(time: clock.Turned) -> None:
    budget = paced(time, reserve=0.2)
    begin = time()
    for n in range(500):
        budget.acquire("shop", PATH, urgent=n % 5 == 0)
    assert time() - begin == pytest.approx(10.0, rel=0.02)


def test_after_a_429_with_advice_nobody_asks_until_then(time: clock.Turned) -> None:
    budget = paced(time)
    starts(budget, time, 10)
    budget.throttled("shop", PATH, 7.0)
    assert budget.rate_now("shop", PATH) == 0
    assert starts(budget, time, 1)[0] == pytest.approx(7.0)


def test_after_a_429_without_advice_it_starts_at_half_speed(time: clock.Turned) -> None:
    budget = paced(time)
    starts(budget, time, 10)
    budget.throttled("shop", PATH)
    found = starts(budget, time, 2)
    assert found[0] == pytest.approx(0.5)
    assert found[1] - found[0] == pytest.approx(0.04, rel=0.1)


@pytest.mark.parametrize("lasting", [0.0, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("advice", [None, 1.0])
def test_it_is_back_to_full_speed_within_three_seconds_after_the_throttling(
    time: clock.Turned, lasting: float, advice: float | None
) -> None:
    budget = paced(time)
    starts(budget, time, 100)
    end = time() + lasting
    budget.throttled("shop", PATH, advice)
    while True:
        budget.acquire("shop", PATH)
        if time() >= end:
            break
        budget.throttled("shop", PATH, advice)
    time.turn(max(0.0, end + 3 - time()))
    found = starts(budget, time, 96)
    assert found[-1] <= 2.0, "96 turns in two seconds is 95 % of 50 a second"
    assert budget.rate_now("shop", PATH) >= 0.95 * 50


def test_many_429_of_calls_that_were_on_their_way_count_once(time: clock.Turned) -> None:
    budget = paced(time)
    for _ in range(20):
        budget.throttled("shop", PATH)
    time.turn(0.5)
    assert budget.rate_now("shop", PATH) == pytest.approx(25, rel=0.01)


def rejections(time: clock.Turned, limit: float, seconds: float) -> tuple[int, int]:
    """Calls and rejections against a service that really allows only `limit` a second."""
    budget = paced(time)
    level, at, calls, rejected = limit, time(), 0, 0
    end = time() + seconds
    while time() < end:
        budget.acquire("shop", PATH)
        level, at = min(limit, level + (time() - at) * limit), time()
        calls += 1
        if level >= 1:
            level -= 1
            budget.served("shop", PATH)
        else:
            rejected += 1
            budget.throttled("shop", PATH)
    return calls, rejected


@pytest.mark.parametrize("limit", [1, 5, 10, 30, 45])
def test_a_limit_that_is_lower_than_we_thought_is_learnt(time: clock.Turned, limit: float) -> None:
    calls, rejected = rejections(time, limit, seconds=1200)
    assert rejected < 300
    assert calls - rejected > 1200 * limit * 0.5


def test_a_limit_that_is_as_we_thought_is_never_exceeded(time: clock.Turned) -> None:
    calls, rejected = rejections(time, limit=50, seconds=60)
    assert rejected == 0
    assert calls >= 0.99 * 3000


def test_a_very_long_advice_is_passed_on_instead_of_slept_through(time: clock.Turned) -> None:
    budget = paced(time)
    budget.throttled("shop", PATH, 3600)
    with pytest.raises(RateLimited) as caught:
        budget.acquire("shop", PATH)
    assert caught.value.retry_after == pytest.approx(3600)


def test_a_stop_ends_the_waiting_and_gives_the_turn_back(time: clock.Turned) -> None:
    stop = threading.Event()
    stop.set()
    budget = Budget(1, wait=stop.wait)
    budget.acquire("shop", PATH)
    with pytest.raises(Stopped):
        budget.acquire("shop", PATH)
    time.turn(1)
    budget.acquire("shop", PATH)


@pytest.mark.parametrize(("rate", "reserve"), [(0, 0), (-1, 0), (1, 1), (1, -0.1)])
def test_a_budget_that_makes_no_sense_is_refused(rate: float, reserve: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Budget(rate, reserve=reserve)


def test_an_urgent_caller_overtakes_everybody_who_waits() -> None:
    budget = Budget(rate=20)
    order: list[str] = []
    lock = threading.Lock()

    def ask(name: str, urgent: bool) -> None:
        budget.acquire("shop", PATH, urgent=urgent)
        with lock:
            order.append(name)

    budget.acquire("shop", PATH)
    threads = [threading.Thread(target=ask, args=(f"mass {n}", False)) for n in range(8)]
    for thread in threads:
        thread.start()
    lane = budget._lanes["shop", PATH]
    while len(lane.patient) + len(order) < 8:
        threading.Event().wait(0.001)
    threads.append(threading.Thread(target=ask, args=("sale", True)))
    threads[-1].start()
    for thread in threads:
        thread.join(5)
    assert order.index("sale") <= 2, order
    assert len(order) == 9


def test_twenty_threads_share_the_rate_without_losing_turns() -> None:
    budget = Budget(rate=200)
    begin = clock.monotonic()
    with ThreadPoolExecutor(20) as pool:
        for _ in range(200):
            pool.submit(budget.acquire, "shop", PATH)
    took = clock.monotonic() - begin
    # Never faster than the rate; slower only by what a busy test machine takes.
    assert 199 / 200 * 0.98 <= took <= 2.0
    assert not budget._lanes["shop", PATH].patient
