"""Two real processes on one data folder: one works, the other only reads; and keys are renewed once, whoever asks."""

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from core import connect
from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from core.runtime import NotOwner, Runtime
from core.settings import Settings
from core.store.engine import open_store
from core.store.vault import Vault
from core.sync.signin import KeptTokens
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, exchange_code
from core.tiktok.transport import Transport

KEY = bytes(range(32))
ROUNDS = 3
SPAWN = multiprocessing.get_context("spawn")


def dashboard(folder: str, says: Any, go: Any) -> None:
    """One start of Evenstock on this folder; tells what it may do, and stays until it is told to go."""
    runtime = Runtime(Settings(evenstock_data_dir=Path(folder), evenstock_practice_orders=10))
    runtime.start(loop=True)
    try:
        says.put((os.getpid(), runtime.owner, _may_write(runtime), runtime.owner_note))
        go.wait(60)
    finally:
        runtime.stop()


def _may_write(runtime: Runtime) -> bool:
    try:
        runtime.record_count(_any_sku(runtime), 7)
    except NotOwner:
        return False
    return True


def _any_sku(runtime: Runtime) -> str:
    with runtime.store.read() as connection:
        return str(connection.execute(text("SELECT sku FROM item ORDER BY sku LIMIT 1")).scalar_one())


def start(target: Any, *given: Any) -> BaseProcess:
    process: BaseProcess = SPAWN.Process(target=target, args=given)
    process.start()
    return process


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENSTOCK_KEY", "made-up key of the tests")
    # Page tests leave a page as the main program, which a new process would run first.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.mark.slow
def test_the_second_dashboard_on_a_folder_reads_and_takes_over_only_when_the_first_is_gone(tmp_path: Path) -> None:
    says, go, never = SPAWN.Queue(), SPAWN.Event(), SPAWN.Event()
    first = start(dashboard, str(tmp_path), says, never)
    number, owner, may_write, note = says.get(timeout=60)
    assert (owner, may_write, note) == (True, True, "")
    second = start(dashboard, str(tmp_path), says, go)
    _, owner, may_write, note = says.get(timeout=60)
    assert (owner, may_write) == (False, False)
    assert note == "Evenstock is already running on this data folder. This window reads, the other one works."
    os.kill(number, signal.SIGKILL)
    first.join(30)
    third = start(dashboard, str(tmp_path), says, go)
    _, owner, may_write, _ = says.get(timeout=60)
    assert (owner, may_write) == (True, True), "a killed owner leaves nothing locked"
    go.set()
    for process in (second, third):
        process.join(60)
        assert process.exitcode == 0


def app_at(base: str) -> App:
    return App(CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, api_base=base, auth_base=base)


def kept(folder: Path) -> tuple[Any, KeptTokens]:
    store = open_store(f"sqlite:///{(folder / 'evenstock.db').as_posix()}")
    return store, KeptTokens(Vault(store, KEY), "practice", folder)


def call_in_rounds(base: str, folder: str, barrier: Any, results: Any) -> None:
    """In every round the access token has expired, and both processes call at once."""
    store, tokens = kept(Path(folder))
    with Transport(app_at(base), tokens) as transport:
        for _ in range(ROUNDS):
            barrier.wait(30)  # the test has expired the tokens
            barrier.wait(30)
            results.put(len(ShopApi(transport).authorized_shops()))
    store.close()


@pytest.fixture
def practice() -> Any:
    shop = PracticeShop(products=2, orders=0)
    with serve(shop) as server:
        yield server
    shop.close()


@pytest.mark.slow
def test_two_processes_with_one_vault_renew_their_keys_once(practice: PracticeServer, tmp_path: Path) -> None:
    store, tokens = kept(tmp_path)
    app = app_at(practice.base_url)
    given = exchange_code(app, practice.shop.authorise())
    connect.keep_connection(store, Vault(store, KEY), "practice", app, given, tmp_path, practice=True)
    barrier, results = SPAWN.Barrier(3), SPAWN.Queue()
    processes = [start(call_in_rounds, practice.base_url, str(tmp_path), barrier, results) for _ in range(2)]
    for _ in range(ROUNDS):
        barrier.wait(60)
        practice.shop.parts.auth.expire_access_tokens()
        barrier.wait(60)
        assert [results.get(timeout=60) for _ in range(2)] == [1, 1]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    asked = practice.shop.parts.journal.report()["by_endpoint"]
    assert asked["GET /api/v2/token/refresh"] == ROUNDS
    assert tokens.refreshing() is None
    store.close()
