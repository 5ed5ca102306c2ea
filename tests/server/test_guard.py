"""Foreign names reach the webhook and the callback and nothing else; every answer carries safe headers."""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.runtime import Runtime
from tests.server.conftest import Dashboard

FOREIGN = (
    "evil.example", "evil.example:8501", "localhost.evil.example", "127.0.0.1.evil.example:8501", "evil.example:local",
    "localhost@evil.example", "", "0.0.0.0:8501", "[::]",
)  # fmt: skip
SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/", "/health", "/connection", "/_stcore/health", "/hooks/", "/hooks/other", "/oauth/"]
)
def test_a_foreign_name_finds_nothing(web: TestClient, host: str, path: str) -> None:
    answer = web.get(path, headers={"Host": host})
    assert (answer.status_code, answer.text) == (404, "Not found")


def test_a_foreign_name_reaches_the_webhook_and_the_callback_with_their_one_method(web: TestClient) -> None:
    host = {"Host": "hooks.shop.example"}
    assert web.post("/hooks/tiktok", headers=host).status_code == 401
    assert web.get("/oauth/callback", headers=host).status_code == 303
    assert web.get("/hooks/tiktok", headers=host).status_code == 404
    assert web.post("/oauth/callback", headers=host).status_code == 404


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:9000", "[::1]:8501", "[::1]"])
def test_names_of_this_computer_are_let_in(web: TestClient, host: str) -> None:
    assert web.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "localhost:8501", "Origin": "http://evil.example"}]
)
def test_a_live_connection_from_elsewhere_is_refused(web: TestClient, headers: dict[str, str]) -> None:
    for path in ("/_stcore/stream", "/hooks/tiktok"):
        with pytest.raises(WebSocketDisconnect) as refused, web.websocket_connect(path, headers=headers):
            pass
        assert refused.value.code == 1008


@pytest.mark.parametrize(
    ("path", "host"), [("/health", "localhost"), ("/health", "evil.example"), ("/no", "localhost")]
)
def test_every_answer_carries_safe_headers(web: TestClient, path: str, host: str) -> None:
    headers = web.get(path, headers={"Host": host}).headers
    assert {name: headers.get(name) for name in SAFE} == SAFE


def test_health_tells_whether_the_loop_lives(desk: Runtime, web: TestClient) -> None:
    assert web.get("/health").json() == {"ok": False, "beat_at": None, "paused": False}


def test_the_real_dashboard_is_guarded_as_a_whole(dashboard: Callable[[], Dashboard]) -> None:
    running = dashboard()

    def ask(path: str, **headers: str) -> tuple[int, dict[str, str]]:
        line = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
        line.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    status, headers = ask("/")
    assert status == 200
    assert {name: headers.get(name) for name in SAFE} == SAFE
    assert ask("/health")[0] == 200
    for path in (
        "/",
        "/health",
        "/_stcore/health",
        "/hooks/x",
        "/hooks/../health",
        "/hooks/%2e%2e/health",
        "/static/x",
    ):
        assert ask(path, Host="evil.example")[0] in (400, 404), path
    upgrade = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    assert ask("/_stcore/stream", Host="evil.example", **upgrade)[0] == 403
    assert ask("/_stcore/stream", Origin="http://evil.example", **upgrade)[0] == 403
    assert "external IP" not in running.end()  # a foreign page must not make us ask the outside who we are
