"""TikTok's clock, learned from its answers."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from core import clock
from core.tiktok.skew import ServerClock


def date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


@pytest.mark.parametrize("off", [-600, -40, 0, 31, 600])
def test_the_first_answer_tells_how_far_our_clock_is_off(off: int) -> None:
    with clock.turned() as time:
        server = ServerClock()
        assert server.skew == 0
        server.learn(date(time() + off))
        assert server.skew == pytest.approx(off, abs=1)
        assert server.now() == pytest.approx(time() + off, abs=1)


def test_one_slow_answer_does_not_move_the_clock() -> None:
    with clock.turned() as time:
        server = ServerClock()
        for late in (0, 0, 4, 0, 0):
            server.learn(date(time() - late))
        assert abs(server.skew) < 1


def test_a_clock_that_is_set_is_followed_at_once() -> None:
    with clock.turned() as time:
        server = ServerClock()
        for _ in range(9):
            server.learn(date(time()))
        time.turn(600)
        server.learn(date(time() - 600))
        assert server.skew == pytest.approx(-600, abs=1)


@pytest.mark.parametrize("nonsense", [None, "", "yesterday", "Thu, 99 Foo 2026 10:00:00 GMT", "0"])
def test_a_missing_or_broken_date_teaches_nothing(nonsense: str | None) -> None:
    server = ServerClock()
    assert server.learn(nonsense) is None
    assert server.skew == 0


def test_the_time_of_the_answer_is_told_in_milliseconds() -> None:
    assert ServerClock().learn("Sun, 20 Sep 2026 10:15:30 GMT") == 1789899330000
