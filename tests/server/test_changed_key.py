"""When the key for secrets is lost, Evenstock starts all the same, says so, and a new sign-in puts it right."""

from urllib.parse import urlsplit

import httpx
import pytest

from core.practice import PracticeServer
from core.runtime import Runtime
from core.sync.signin import load_app
from tests.server.conftest import begin, started

LOST = "The saved sign-in cannot be opened"


def on_hand(desk: Runtime) -> int:
    with desk.store.read() as connection:
        return int(connection.exec_driver_sql("SELECT sum(on_hand) FROM level").scalar_one())


def connect(desk: Runtime) -> None:
    answer = httpx.get(f"{begin(desk)}&decision=allow", trust_env=False)
    result = desk.connect_finish(answer.headers["location"])
    assert result.ok, result.sentence


def test_the_practice_desk_signs_in_anew_by_itself_and_keeps_its_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    with started() as desk:
        desk.sync("all")
        sku = "MUG-FER28-MOS"
        desk.record_sale(sku, 1)
        before = on_hand(desk)
    monkeypatch.setenv("EVENSTOCK_KEY", "another made-up key")
    with started() as desk:
        assert desk.sync("all")
        assert on_hand(desk) == before
        assert desk.problems() == []


def test_a_real_shop_says_so_and_can_be_connected_again(real: PracticeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with started() as desk:
        connect(desk)
    monkeypatch.setenv("EVENSTOCK_KEY", "another made-up key")
    with started(loop=True) as desk:
        assert not desk.is_practice
        assert desk.sessions.shops == []
        (problem,) = desk.problems()
        assert problem.sentence.startswith(LOST)
        assert problem.outcome == "sign in again"
        connect(desk)
        assert desk.problems() == []
        assert len(desk.sessions.shops) == 1
        app = load_app(desk.vault, "main")
        assert app is not None
        assert urlsplit(app.api_base).port == real.port
