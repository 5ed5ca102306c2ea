"""Tokens are renewed in time, once, and never lost, whatever fails in between."""

import threading
from collections.abc import Callable, Iterator

import pytest

from core import clock
from core.tiktok.auth import Tokens, fingerprint
from core.tiktok.errors import (
    BadAnswer,
    ServiceDown,
    SignInAgain,
    TikTokError,
    TryLater,
    Unreachable,
    WrongCredentials,
)
from core.tiktok.tokens import TokenKeeper
from tests.client.stores import MemoryStore, tokens

NOW = 1_790_000_000
HOUR = 3600
OVER = SignInAgain("TikTok knows no such authorisation.", "Sign in again.", code=36004005)


@pytest.fixture(autouse=True)
def time() -> Iterator[clock.Turned]:
    with clock.turned(NOW) as turned:
        yield turned


class AuthHost:
    """Hands out numbered pairs, or raises what it is told to."""

    def __init__(self, *problems: TikTokError, life: int = 7 * 24 * HOUR) -> None:
        self.problems = list(problems)
        self.asked: list[str] = []
        self.life = life

    def __call__(self, refresh_token: str) -> Tokens:
        self.asked.append(refresh_token)
        if self.problems:
            raise self.problems.pop(0)
        return tokens(len(self.asked) + 1, access_ends=clock.now() + self.life)


def keeper(host: AuthHost, left: float = 100 * HOUR, **changes: int) -> tuple[TokenKeeper, MemoryStore]:
    store = MemoryStore(tokens(1, access_ends=int(NOW + left), **changes))
    return TokenKeeper(store, host), store


def lost(*, sent: bool) -> Unreachable:
    error = Unreachable("No answer.")
    error.sent = sent
    return error


def test_tokens_with_days_left_are_used_as_they_are() -> None:
    host = AuthHost()
    kept, _ = keeper(host)
    assert kept.current() == kept.current()
    assert host.asked == []


def test_tokens_with_less_than_a_day_left_are_renewed_before_use() -> None:
    host = AuthHost()
    kept, store = keeper(host, left=23 * HOUR)
    assert kept.current().access_token == "ROW_made_up_access_2"
    assert store.held is not None
    assert store.held.refresh_token == "ROW_made_up_refresh_2"
    assert store.events == ["mark", "save"]
    kept.current()
    assert len(host.asked) == 1


def test_tokens_that_live_for_an_hour_are_renewed_at_half_time(time: clock.Turned) -> None:
    host = AuthHost(life=HOUR)
    kept, _ = keeper(host, left=HOUR)
    for _ in range(6):
        kept.current()
        time.turn(10 * 60)
    assert len(host.asked) == 2


def test_an_authorisation_about_to_end_is_not_renewed_over_and_over() -> None:
    host = AuthHost()
    kept, _ = keeper(host, left=5 * HOUR, ends=NOW + 5 * HOUR)
    for _ in range(10):
        kept.current()
    assert host.asked == []


def test_an_authorisation_that_has_ended_asks_for_a_sign_in_without_asking_tiktok() -> None:
    host = AuthHost()
    kept, _ = keeper(host, left=-1, ends=NOW - 1)
    with pytest.raises(SignInAgain, match="run out"):
        kept.current()
    assert host.asked == []


def test_without_a_shop_the_owner_is_told_to_connect_one() -> None:
    kept = TokenKeeper(MemoryStore(), AuthHost())
    with pytest.raises(SignInAgain, match="No TikTok Shop is connected"):
        kept.current()


def test_somebody_elses_fresh_tokens_are_used_instead_of_asking() -> None:
    host = AuthHost()
    kept, store = keeper(host)
    used = kept.current().access_token
    store.held = tokens(9)
    assert kept.renew(used).access_token == "ROW_made_up_access_9"
    assert kept.current().access_token == "ROW_made_up_access_9"
    assert host.asked == []


def test_fifty_threads_with_expired_tokens_make_one_refresh() -> None:
    host = AuthHost()
    kept, _ = keeper(host, left=-1)
    ready, found = threading.Barrier(50), []

    def use() -> None:
        ready.wait()
        found.append(kept.current().access_token)

    run_all(use, 50)
    assert host.asked == ["ROW_made_up_refresh_1"]
    assert found == ["ROW_made_up_access_2"] * 50


def run_all(work: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


@pytest.mark.parametrize("problem", [OVER, ServiceDown("Down."), lost(sent=True), WrongCredentials("Wrong secret.")])
def test_fifty_threads_and_a_failing_refresh_make_no_storm(problem: TikTokError) -> None:
    host = AuthHost(*[problem] * 50)
    kept, _ = keeper(host, left=-1)
    ready, failed = threading.Barrier(50), []

    def use() -> None:
        ready.wait()
        try:
            kept.current()
        except TikTokError as error:
            failed.append(type(error))

    run_all(use, 50)
    assert failed == [type(problem)] * 50
    assert len(host.asked) == 1


def test_a_dead_authorisation_fails_fast_until_the_owner_signs_in_again() -> None:
    host = AuthHost(OVER)
    kept, store = keeper(host, left=-1)
    for _ in range(5):
        with pytest.raises(SignInAgain, match="no such authorisation"):
            kept.current()
    assert len(host.asked) == 1
    store.held = tokens(5)
    assert kept.current().access_token == "ROW_made_up_access_5"


def test_a_refresh_that_fails_for_now_leaves_good_tokens_in_use(time: clock.Turned) -> None:
    host = AuthHost(ServiceDown("Down."))
    kept, _ = keeper(host, left=HOUR)
    for _ in range(5):
        assert kept.current().access_token == "ROW_made_up_access_1"
    assert len(host.asked) == 1
    time.turn(16)
    assert kept.current().access_token == "ROW_made_up_access_3"


def test_expired_tokens_and_no_connection_is_for_later() -> None:
    kept, store = keeper(AuthHost(lost(sent=False)), left=-1)
    with pytest.raises(TryLater):
        kept.current()
    assert store.mark is None, "nothing left this computer, so nothing can have been lost"


def test_a_crash_between_answer_and_save_is_named_when_the_old_keys_are_dead() -> None:
    kept, store = keeper(AuthHost(OVER), left=-1)
    assert store.held is not None
    store.mark_refreshing(fingerprint(store.held.refresh_token))  # what the killed process left behind
    with pytest.raises(SignInAgain, match="answer with new keys was lost") as caught:
        kept.current()
    assert "sign in" in caught.value.next_step
    with pytest.raises(SignInAgain, match="answer with new keys was lost"):
        kept.current()


def test_a_crash_is_forgotten_when_the_old_keys_still_work() -> None:
    kept, store = keeper(AuthHost(), left=-1)
    assert store.held is not None
    store.mark_refreshing(fingerprint(store.held.refresh_token))
    assert kept.current().access_token == "ROW_made_up_access_2"
    assert store.mark is None


@pytest.mark.parametrize("problem", [lost(sent=True), BadAnswer("Cut off.")])
def test_a_lost_answer_is_tried_once_more_and_named_when_that_is_refused(
    problem: TikTokError, time: clock.Turned
) -> None:
    host = AuthHost(problem, OVER)
    kept, _ = keeper(host, left=-1)
    with pytest.raises(type(problem)):
        kept.current()
    time.turn(16)
    with pytest.raises(SignInAgain, match="answer with new keys was lost"):
        kept.current()
    for _ in range(5):
        with pytest.raises(SignInAgain):
            kept.current()
    assert len(host.asked) == 2


class FullDisk(MemoryStore):
    """Cannot save the first time."""

    full = True

    def save(self, tokens: Tokens) -> None:
        if self.full:
            raise OSError("no space left")
        super().save(tokens)


def test_a_pair_that_cannot_be_saved_is_not_used_and_not_lost() -> None:
    host = AuthHost()
    store = FullDisk(tokens(1, access_ends=NOW - 1))
    kept = TokenKeeper(store, host)
    for _ in range(3):
        with pytest.raises(OSError, match="no space"):
            kept.current()
    store.full = False
    assert kept.current().access_token == "ROW_made_up_access_2"
    assert store.held is not None
    assert store.held.access_token == "ROW_made_up_access_2"
    assert len(host.asked) == 1


def test_an_unsaved_pair_gives_way_to_a_new_sign_in() -> None:
    store = FullDisk(tokens(1, access_ends=NOW - 1))
    kept = TokenKeeper(store, AuthHost())
    with pytest.raises(OSError, match="no space"):
        kept.current()
    store.full = False
    store.held = tokens(7)
    assert kept.renew("ROW_made_up_access_1").access_token == "ROW_made_up_access_7"
    assert store.held.access_token == "ROW_made_up_access_7"


def test_fresh_tokens_that_are_refused_as_well_end_the_matter() -> None:
    host = AuthHost()
    kept, _ = keeper(host)
    kept.give_up(kept.current().access_token, OVER)
    for _ in range(3):
        with pytest.raises(SignInAgain):
            kept.current()
    assert host.asked == []
