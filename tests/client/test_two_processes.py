"""Two processes share one authorisation whose refresh tokens work once: neither ever loses it."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, Tokens, exchange_code
from core.tiktok.errors import SignInAgain
from core.tiktok.transport import Transport
from tests.client.stores import FileStore

ROUNDS = 4


def app_at(base: str) -> App:
    return App(CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, api_base=base, auth_base=base)


def call_in_rounds(base: str, folder: str, barrier: Any, results: Any) -> None:
    """What each process does: in every round the tokens have expired, and all call at once."""
    with Transport(app_at(base), FileStore(Path(folder))) as transport:
        for _ in range(ROUNDS):
            barrier.wait(30)  # the test has expired the tokens
            barrier.wait(30)
            results.put(len(ShopApi(transport).authorized_shops()))


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    shop = PracticeShop(products=2, orders=0)
    with serve(shop) as server:
        yield server
    shop.close()


def test_two_processes_refresh_once_a_round_and_never_lose_the_authorisation(
    practice: PracticeServer, tmp_path: Path
) -> None:
    store = FileStore(tmp_path)
    store.save(exchange_code(app_at(practice.base_url), practice.shop.authorise()))
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    arguments = (practice.base_url, str(tmp_path), barrier, results)
    processes: list[BaseProcess] = [context.Process(target=call_in_rounds, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for _ in range(ROUNDS):
        barrier.wait(30)
        practice.shop.parts.auth.expire_access_tokens()
        barrier.wait(30)
        assert [results.get(timeout=30) for _ in range(2)] == [1, 1]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    asked = practice.shop.parts.journal.report()["by_endpoint"]
    assert asked["GET /api/v2/token/refresh"] == ROUNDS


def test_a_process_killed_between_answer_and_save_is_named(practice: PracticeServer, tmp_path: Path) -> None:
    """The kill is played exactly at the gap: the answer has been received and nothing has been written."""

    class Killed(BaseException):
        pass

    class DiesBeforeSaving(FileStore):
        def save(self, tokens: Tokens) -> None:
            raise Killed

    app = app_at(practice.base_url)
    store = FileStore(tmp_path)
    store.save(exchange_code(app, practice.shop.authorise()))
    practice.shop.parts.auth.expire_access_tokens()
    with Transport(app, DiesBeforeSaving(tmp_path)) as transport, pytest.raises(Killed):
        ShopApi(transport).authorized_shops()
    with Transport(app, store) as transport:
        for _ in range(5):
            with pytest.raises(SignInAgain, match="answer with new keys was lost"):
                ShopApi(transport).authorized_shops()
