"""Every trouble of the practice shop hits a poll and a push; what the owner is told, and that all agrees afterwards."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.jobs import Loop
from core.tiktok.errors import ClockOff, MissingScope, SignInAgain, TikTokError
from tests.simulation.desk import Desk

UPDATE, SEARCH, ORDERS = "/inventory/update", "/inventory/search", "/orders/search"


@dataclass(frozen=True)
class Case:
    """A trouble, whether one round of work gets through it, and words that the owner is told when not."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    through: bool = True
    told: str = ""

    def __str__(self) -> str:
        return "-".join([self.kind, *(f"{key}{value}".replace("/", "") for key, value in self.settings.items())])


POLL = [
    Case("rate_limit", {"times": 3}),
    Case("rate_limit", {"times": 2, "retry_after": 7}),
    Case("rate_limit", {"times": 1, "retry_after": 600}, through=False, told="TikTok"),
    Case("server_error", {"times": 2}),
    Case("server_error", {"times": 2, "status": 502}),
    Case("server_error", {"times": 9}, through=False, told="TikTok"),
    Case("unavailable_html", {"times": 2}),
    Case("unavailable_html", {"times": 9}, through=False, told="TikTok"),
    Case("timeout_before", {"times": 2}),
    Case("timeout_after", {"times": 2}),
    Case("timeout_before", {"times": 9}, through=False, told="connection"),
    Case("timeout_before", {"times": 1, "stall": 1.0}),
    Case("expired_token"),
    Case("expired_token", {"status": 200}),
    Case("expired_token", {"status": 401}),
    Case("missing_scope", {"times": 1}, through=False, told="permission"),
    Case("slow", {"times": 1, "delay": 0.1}),
    Case("wrong_clock", {"offset": -600.0}),
    Case("wrong_clock", {"offset": 600.0}),
    Case("garbage", {"times": 2}),
    Case("garbage", {"times": 9}, through=False, told="TikTok"),
    Case("empty_page", {"times": 1, "path": ORDERS}),
]
PUSH = [
    *(case for case in POLL if case.kind not in ("garbage", "empty_page", "server_error", "unavailable_html", "slow")
      and not case.kind.startswith("timeout")),
    Case("slow", {"times": 2, "delay": 0.1}),
    Case("server_error", {"times": 1, "path": UPDATE}),
    Case("unavailable_html", {"times": 1, "path": UPDATE}),
    Case("garbage", {"times": 1, "path": UPDATE}),
    Case("timeout_before", {"times": 1, "path": UPDATE}),
    Case("timeout_after", {"times": 1, "path": UPDATE}),
    Case("timeout_before", {"times": 1, "path": UPDATE, "stall": 1.0}),
    Case("timeout_after", {"times": 1, "path": UPDATE, "stall": 1.0}),
    Case("timeout_before", {"times": 9, "path": SEARCH}, through=False, told="connection"),
    Case("server_error", {"times": 9, "path": SEARCH}, through=False, told="TikTok"),
    Case("garbage", {"times": 9, "path": SEARCH}, through=False, told="TikTok"),
    Case("partial_errors", {"times": 1, "path": UPDATE, "code": 12052990}),
    Case("partial_errors", {"times": 1, "path": UPDATE, "code": 12052308}),
    Case("empty_page", {"times": 1, "path": SEARCH}),
]  # fmt: skip


@pytest.fixture
def hasty(desk: Desk) -> Desk:
    """A client that waits for an answer for a third of a second only."""
    desk.read_seconds = 0.3
    desk.restart()
    return desk


def check(case: Case, work: Callable[[], object]) -> None:
    """The work goes through, or ends in a sentence and a next step."""
    if case.through:
        work()
        return
    with pytest.raises(TikTokError) as caught:
        work()
    assert case.told in caught.value.sentence + caught.value.next_step
    assert caught.value.next_step


def recovered(desk: Desk) -> None:
    desk.practice.clear_trouble()
    desk.time.turn(3_700)
    desk.settle(rounds=3)
    desk.check_books()
    desk.check_even()
    assert desk.rows("SELECT problem FROM shop WHERE problem IS NOT NULL") == []


@pytest.mark.parametrize("case", POLL, ids=str)
def test_a_poll_goes_through_or_says_why_and_loses_nothing(hasty: Desk, sku: str, case: Case) -> None:
    order = hasty.practice.buy(sku)
    hasty.practice.trouble(case.kind, **case.settings)
    check(case, hasty.poll)
    if case.through and case.kind != "empty_page":
        assert hasty.rows("SELECT id FROM orders WHERE id = :id", id=order)
    recovered(hasty)


@pytest.mark.parametrize("case", PUSH, ids=str)
def test_a_push_goes_through_or_says_why_and_doubles_nothing(hasty: Desk, sku: str, case: Case) -> None:
    hasty.practice.trouble(case.kind, **case.settings)
    hasty.sell(sku, 2)
    check(case, hasty.push)
    applied = [body for _, body in hasty.updates()]
    hasty.practice.buy(sku)
    recovered(hasty)
    if case.kind.startswith("timeout_after"):
        assert len(hasty.updates()) == len(applied) == 1


def test_a_revoked_authorisation_is_told_once_and_asked_no_more(desk: Desk, sku: str) -> None:
    desk.practice.trouble("revoked")
    desk.sell(sku)
    loop = Loop(desk.store, [desk.shop], desk.folder, 0)
    for _ in range(3):
        desk.time.turn(300)
        assert not loop.sync(desk.shop.shop_id, "all", "timer")
    with pytest.raises(SignInAgain):
        desk.push()
    problem = desk.rows("SELECT problem, problem_next, problem_outcome FROM shop")[0]
    assert problem.problem_outcome == "sign in again"
    assert "sign in" in problem.problem_next.lower() or "connect" in problem.problem_next.lower()
    assert desk.one("SELECT count(*) FROM run WHERE status = 'failed' AND kind = 'sync all'") == 1
    desk.sent.clear()
    desk.time.turn(300)
    loop.sync(desk.shop.shop_id, "all", "timer")
    assert len(desk.sent) <= 3, "no storm of requests while the owner is away"
    desk.practice.clear_trouble()
    desk.sign_in()
    recovered(desk)


def test_a_missing_permission_needs_a_person(desk: Desk) -> None:
    desk.practice.trouble("missing_scope", times=1)
    with pytest.raises(MissingScope) as caught:
        desk.sync("all")
    assert caught.value.outcome == "needs a person"
    row = desk.rows("SELECT status, outcome, sentence, next_step FROM run ORDER BY id DESC LIMIT 1")[0]
    assert (row.status, row.outcome) == ("failed", "needs a person")
    assert row.sentence
    assert row.next_step


def test_a_clock_that_cannot_be_corrected_is_named_as_the_cause(desk: Desk) -> None:
    """Requests keep this computer's own time, as if something between us and TikTok undid the correction."""
    desk.practice.trouble("wrong_clock", offset=-600)
    desk.transport._clock.now = lambda: int(desk.time.seconds)  # type: ignore[method-assign]
    with pytest.raises(ClockOff, match="clock is 10 minutes ahead of TikTok's"):
        desk.poll()


def test_a_clock_that_is_set_right_while_we_run_is_followed(desk: Desk, sku: str) -> None:
    desk.practice.trouble("wrong_clock", offset=-600)
    desk.sell(sku)
    desk.push()
    desk.practice.clear_trouble()
    desk.sell(sku)
    desk.push()
    recovered(desk)


def test_trouble_that_passes_is_over_for_the_owner_too(desk: Desk) -> None:
    loop = Loop(desk.store, [desk.shop], desk.folder, 0)
    desk.practice.trouble("server_error")
    assert not loop.sync(desk.shop.shop_id, "all", "timer")
    assert desk.rows("SELECT problem FROM shop WHERE problem IS NOT NULL")
    desk.practice.clear_trouble()
    desk.time.turn(300)
    assert loop.sync(desk.shop.shop_id, "all", "timer")
    assert desk.rows("SELECT problem FROM shop WHERE problem IS NOT NULL") == []


def test_a_full_disk_stops_a_sync_with_a_sentence_and_it_goes_on_once_there_is_room(desk: Desk, sku: str) -> None:
    loop = Loop(desk.store, [desk.shop], desk.folder, 0)
    raw = desk.store.writer.raw_connection()
    disk: Any = raw.driver_connection
    raw.close()
    for _ in range(60):
        desk.time.turn(1)
        if desk.shown(sku):
            desk.practice.buy(sku, paid=False)
    disk.execute("VACUUM")
    disk.execute(f"PRAGMA max_page_count = {disk.execute('PRAGMA page_count').fetchone()[0]}")
    assert not loop.sync(desk.shop.shop_id, "all", "timer")
    assert loop.state().jobs[0].note == "The disk is full, so nothing could be saved. Nothing was lost."
    disk.execute("PRAGMA max_page_count = 1000000")
    assert loop.sync(desk.shop.shop_id, "all", "timer")
    assert loop.state().jobs[0].note == ""
    recovered(desk)


def test_a_store_locked_by_another_program_stops_a_sync_with_a_sentence(desk: Desk, sku: str) -> None:
    loop = Loop(desk.store, [desk.shop], desk.folder, 0)
    raw = desk.store.writer.raw_connection()
    raw.driver_connection.execute("PRAGMA busy_timeout = 20")  # type: ignore[union-attr]
    raw.close()
    desk.practice.buy(sku)
    with closing(sqlite3.connect(desk.folder / "evenstock.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not loop.sync(desk.shop.shop_id, "all", "timer")
        assert "Another program is using the store file" in loop.state().jobs[0].note
    recovered(desk)
