"""What leaves this computer, and what an answer is taken for."""

import threading
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from core import clock
from core.tiktok.errors import (
    BadAnswer,
    ClockOff,
    MissingScope,
    QuotaUsedUp,
    RateLimited,
    Refused,
    ServiceDown,
    Stopped,
    TikTokError,
    WrongCredentials,
)
from core.tiktok.requestlog import RequestLine
from core.tiktok.signing import sign
from core.tiktok.transport import Transport
from tests.client.conftest import API, APP, reply

PATH = "/order/202309/orders/search"
CIPHER = "ROW_made_up_cipher+/="


def decoded(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))


def test_the_bytes_that_are_signed_are_the_bytes_that_are_sent(wire: respx.MockRouter, transport: Transport) -> None:
    route = wire.post(url__startswith=API).mock(return_value=reply())
    token = "6AsP/N5M1k+H==YcZ mtè"
    transport.call("POST", PATH, query={"page_token": token}, body={"note": "già spedito"}, cipher=CIPHER)
    request = route.calls.last.request
    query = decoded(request)
    assert query["page_token"] == token
    assert query["shop_cipher"] == CIPHER
    assert b"%2B" in request.url.query
    assert b"%2F" in request.url.query
    assert request.content == '{"note":"già spedito"}'.encode()
    assert query["sign"] == sign(APP.secret, PATH, query, request.content)
    assert request.headers["x-tts-access-token"] == "ROW_made_up_access_1"
    assert request.headers["content-type"] == "application/json"


def test_lists_are_joined_and_empty_values_left_out(wire: respx.MockRouter, transport: Transport) -> None:
    route = wire.get(url__startswith=API).mock(return_value=reply())
    transport.call("GET", PATH, query={"ids": ["1", "2"], "page_token": "", "none": None, "empty": [], "yes": True})
    query = decoded(route.calls.last.request)
    assert query.keys() == {"ids", "yes", "app_key", "timestamp", "sign"}
    assert (query["ids"], query["yes"]) == ("1,2", "true")


@pytest.mark.parametrize("body", [None, {}, []])
def test_without_a_filter_no_body_is_sent(wire: respx.MockRouter, transport: Transport, body: object) -> None:
    route = wire.post(url__startswith=API).mock(return_value=reply())
    transport.call("POST", PATH, body=body)
    assert route.calls.last.request.content == b""


def test_an_answer_carries_data_request_id_and_times(
    wire: respx.MockRouter, transport: Transport, time: clock.Turned
) -> None:
    def slow(_: httpx.Request) -> httpx.Response:
        time.turn(0.25)
        return reply({"orders": []})

    wire.post(url__startswith=API).mock(side_effect=slow)
    answer = transport.call("POST", PATH)
    assert (answer.data, answer.request_id) == ({"orders": []}, "r-1")
    assert answer.duration_ms == pytest.approx(250, abs=1)
    assert answer.server_ms == clock.now() * 1000


CLASSES: list[tuple[int, int, str, type[TikTokError]]] = [
    (200, 105005, "no scope", MissingScope),
    (403, 105005, "no scope", MissingScope),
    (200, 106001, "sign invalid", WrongCredentials),
    (400, 36009004, "the `app_key` is invalid", WrongCredentials),
    (429, 36009037, "hourly quota", QuotaUsedUp),
    (404, 36009009, "unknown path", Refused),
    (200, 36009002, "too many requests", RateLimited),
    (200, 36009003, "internal", ServiceDown),
    (429, 36009003, "internal", ServiceDown),
    (500, 12052031, "no such product", Refused),
    (500, 77777777, "new", ServiceDown),
    (429, 77777777, "new", RateLimited),
    (200, 77777777, "new", Refused),
]


@pytest.mark.parametrize(("status", "code", "message", "kind"), CLASSES)
def test_the_code_decides_and_the_status_only_where_the_code_says_nothing(
    wire: respx.MockRouter, transport: Transport, status: int, code: int, message: str, kind: type[TikTokError]
) -> None:
    wire.get(url__startswith=API).mock(side_effect=lambda _: reply(None, code, message, status))
    with pytest.raises(kind) as caught:
        transport.call("GET", PATH)
    assert (caught.value.code, caught.value.request_id) == (code, "r-1")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, "<html>Service Unavailable</html>", ServiceDown),
        (502, "", ServiceDown),
        (429, "slow down", RateLimited),
        (200, '{"code":0,"data":{"orders":[', BadAnswer),
        (200, "<html>Please log in to the hotel network</html>", BadAnswer),
        (302, "", BadAnswer),
        (403, "Forbidden", BadAnswer),
        (200, '{"message":"no code"}', BadAnswer),
        (200, "[]", BadAnswer),
    ],
)
def test_without_an_envelope_the_status_decides(
    wire: respx.MockRouter, transport: Transport, status: int, body: str, kind: type[TikTokError]
) -> None:
    wire.get(url__startswith=API).mock(side_effect=lambda _: httpx.Response(status, text=body))
    with pytest.raises(kind) as caught:
        transport.call("GET", PATH)
    assert caught.value.code is None


@pytest.mark.parametrize("off", [-600, -301, -40, 40, 600])
def test_a_clock_that_is_off_works_after_the_first_answer(
    wire: respx.MockRouter, transport: Transport, time: clock.Turned, lines: list[RequestLine], off: int
) -> None:
    """`off` is how far ours is ahead; the server takes -300 to +30 seconds around its own time."""

    def check(request: httpx.Request) -> httpx.Response:
        there = time() - off
        stamp = int(decoded(request)["timestamp"])
        with clock.turned(there):
            if there - 300 <= stamp <= there + 30:
                return reply({"fine": True})
            return reply(None, 36009004, "The 'timestamp' query parameter is not acceptable", 400)

    wire.get(url__startswith=API).mock(side_effect=check)
    assert transport.call("GET", PATH, write=True).data == {"fine": True}
    assert transport.clock_skew == pytest.approx(-off, abs=1)
    for _ in range(20):
        time.turn(7.3)
        transport.call("GET", PATH)
    assert [line.code for line in lines].count(36009004) <= 1


def test_a_clock_that_cannot_be_corrected_is_named_as_the_cause(
    wire: respx.MockRouter, transport: Transport, time: clock.Turned
) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        with clock.turned(time() - 600):
            return reply(None, 36009004, "The 'timestamp' query parameter is too far in the future", 400)

    route = wire.get(url__startswith=API).mock(side_effect=refuse)
    with pytest.raises(ClockOff, match="10 minutes ahead of TikTok") as caught:
        transport.call("GET", PATH)
    assert "clock" in caught.value.next_step
    assert route.call_count == 2


def test_a_page_of_a_proxy_does_not_teach_the_time(wire: respx.MockRouter, transport: Transport) -> None:
    page = httpx.Response(503, text="busy", headers={"date": "Sun, 20 Sep 2020 10:15:30 GMT"})
    wire.get(url__startswith=API).mock(return_value=page)
    with pytest.raises(ServiceDown):
        transport.call("GET", PATH)
    assert transport.clock_skew == 0


def test_one_line_is_logged_for_each_attempt(
    wire: respx.MockRouter, transport: Transport, lines: list[RequestLine]
) -> None:
    wire.post(url__startswith=API).mock(side_effect=[reply(None, 36009003, "internal", 500), reply({})])
    transport.call("POST", PATH, cipher=CIPHER, shop="7495")
    first, second = map(str, lines)
    assert first.startswith(f"POST {PATH} shop=7495 http=500 code=36009003 request=r-1 ")
    assert first.endswith("attempt 1 ServiceDown")
    assert second.endswith("attempt 2")
    assert "made" not in first + second


def test_a_stop_ends_the_waiting_between_attempts(wire: respx.MockRouter, time: clock.Turned) -> None:
    stop = threading.Event()
    stop.set()
    route = wire.get(url__startswith=API).mock(return_value=reply(None, 36009003, "internal"))
    with Transport(APP, None, wait=stop.wait) as transport, pytest.raises(Stopped):
        transport.call("GET", PATH)
    assert route.call_count == 1


def test_twenty_threads_share_one_transport(wire: respx.MockRouter, transport: Transport) -> None:
    wire.get(url__startswith=API).mock(side_effect=lambda _: reply({"n": 1}))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(transport.call("GET", PATH).data)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [{"n": 1}] * 20
