"""The sign-in callback: one state, one use, ten minutes; what went wrong is told on the Connection page."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from core import clock
from core.practice import CREDENTIALS, PracticeServer
from core.runtime import Runtime
from tests.server.conftest import begin


def come_back(link: str, decision: str = "allow") -> str:
    """Where the consent page sends the owner: path and query of our callback."""
    address = urlsplit(httpx.get(f"{link}&decision={decision}", trust_env=False).headers["location"])
    return f"{address.path}?{address.query}"


def told(web: TestClient, path: str) -> dict[str, str]:
    """What the callback hands to the Connection page."""
    answer = web.get(path)
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert (address.netloc, address.path) == ("", "/connection")
    return {name: values[0] for name, values in parse_qs(address.query).items()}


# The order matters: `real` sets the addresses before the desk reads them.
@pytest.fixture
def desk(real: PracticeServer, desk: Runtime) -> Runtime:
    return desk


def test_agreeing_connects_the_shop_and_changes_over_to_it(desk: Runtime, web: TestClient) -> None:
    assert desk.is_practice
    assert told(web, come_back(begin(desk))) == {"connected": "1"}
    assert not desk.is_practice
    assert [shop.practice for shop in desk.sessions.shops] == [False]


def test_neither_code_nor_state_stays_in_the_address(desk: Runtime, web: TestClient) -> None:
    path = come_back(begin(desk))
    code, state = (parse_qs(urlsplit(path).query)[name][0] for name in ("code", "state"))
    location = web.get(path).headers["location"]
    assert code not in location
    assert state not in location


def test_refusing_is_told_and_the_practice_shop_stays(desk: Runtime, web: TestClient) -> None:
    assert "refused" in told(web, come_back(begin(desk), "refuse"))["problem"]
    assert desk.is_practice


def test_a_foreign_state_is_refused(desk: Runtime, web: TestClient) -> None:
    path = come_back(begin(desk)).replace("state=", "state=x")
    assert "does not belong" in told(web, path)["problem"]
    assert desk.is_practice


def test_a_code_without_a_state_is_refused(desk: Runtime, web: TestClient) -> None:
    path = come_back(begin(desk)).partition("&state=")[0]
    assert "does not belong" in told(web, path)["problem"]


def test_an_address_works_once(desk: Runtime, web: TestClient) -> None:
    path = come_back(begin(desk))
    assert "connected" in told(web, path)
    assert told(web, path)["problem"] == "No sign-in was started here."


def test_without_a_sign_in_nothing_is_taken(desk: Runtime, web: TestClient) -> None:
    assert told(web, "/oauth/callback?code=made-up&state=made-up")["problem"] == "No sign-in was started here."


def test_after_ten_minutes_it_must_be_started_again(
    desk: Runtime, web: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = come_back(begin(desk))
    monkeypatch.setattr(clock, "_wall", lambda: time.time() + 601)
    assert "more than ten minutes ago" in told(web, path)["problem"]


def test_a_wrong_secret_is_told_without_showing_it(desk: Runtime, web: TestClient) -> None:
    found = told(web, come_back(begin(desk, "made-up-wrong-secret")))
    assert "secret" in found["problem"]
    assert "made-up-wrong-secret" not in str(found)
    assert CREDENTIALS.app_secret not in str(found)


def test_a_page_that_comes_with_no_code_is_told(desk: Runtime, web: TestClient) -> None:
    begin(desk)
    assert "no code" in told(web, "/oauth/callback")["problem"]
