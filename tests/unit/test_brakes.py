"""Stop-loss: what one run may do without the owner."""

from core.settings import Choices
from core.sync.brakes import SoFar, stopped

LIMITS = Choices(stop_zero_percent=20, stop_zero_count=50, stop_touch_count=100)


def to_zero(count: int, start: int = 0) -> dict[str, int]:
    return {f"sku{number}": 0 for number in range(start, start + count)}


def shown(changes: dict[str, int]) -> dict[str, int | None]:
    return dict.fromkeys(changes, 7)


def test_a_few_listings_may_sell_out() -> None:
    changes = to_zero(5)
    assert stopped(changes, shown(changes), 10, LIMITS, SoFar()) == ([], "")


def test_many_listings_to_zero_wait_for_the_owner_and_the_others_go_on() -> None:
    changes = to_zero(21) | {"other": 4}
    held, sentence = stopped(changes, shown(changes), 100, LIMITS, SoFar())
    assert set(held) == set(to_zero(21))
    assert sentence == "Stopped: 21 listings would go to zero at once. Review them on the Stock page."


def test_a_listing_that_shows_nothing_already_is_not_emptied() -> None:
    changes = to_zero(60)
    assert stopped(changes, dict.fromkeys(changes, 0), 100, LIMITS, SoFar()) == ([], "")


def test_the_lower_of_share_and_number_counts() -> None:
    changes = to_zero(51)
    assert stopped(changes, shown(changes), 10_000, LIMITS, SoFar())[0]
    changes = to_zero(50)
    assert not stopped(changes, shown(changes), 10_000, LIMITS, SoFar())[0]


def test_too_many_changes_of_any_kind_wait() -> None:
    changes = {f"sku{number}": 3 for number in range(101)}
    held, sentence = stopped(changes, shown(changes), 1_000, LIMITS, SoFar())
    assert len(held) == 101
    assert "101 listings would change at once" in sentence


def test_the_limit_holds_for_the_whole_run_and_not_for_each_batch() -> None:
    so_far = SoFar()
    first, second = to_zero(15), to_zero(15, start=15)
    assert stopped(first, shown(first), 100, LIMITS, so_far) == ([], "")
    held, sentence = stopped(second, shown(second), 100, LIMITS, so_far)
    assert set(held) == set(second)
    assert "30 listings would go to zero" in sentence
