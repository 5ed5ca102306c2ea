"""Reads are repeated, writes only when it is certain that nothing happened."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
import respx

from core import clock
from core.tiktok.errors import (
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    ServiceDown,
    SignInAgain,
    TikTokError,
    Unreachable,
)
from core.tiktok.requestlog import RequestLine
from core.tiktok.transport import Transport
from tests.client.conftest import API, reply
from tests.client.stores import MemoryStore, tokens

PATH = "/product/202309/products/1729600000000000001/inventory/update"

NEVER_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
MAYBE_SENT = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]
UNCLEAR: list[Callable[[], httpx.Response]] = [
    lambda: reply(None, 36009003, "internal", 500),
    lambda: reply(None, 36009007, "gateway timeout", 200),
    lambda: httpx.Response(503, text="<html>busy</html>"),
    lambda: httpx.Response(502, text=""),
    lambda: httpx.Response(200, text='{"code":0,"da'),
]


def answering(wire: respx.MockRouter, *answers: httpx.Response | Exception) -> respx.Route:
    return wire.post(url__startswith=API).mock(side_effect=list(answers))


@pytest.mark.parametrize("problem", [*NEVER_SENT, *MAYBE_SENT], ids=lambda found: type(found).__name__)
def test_a_read_is_repeated_after_a_lost_connection(
    wire: respx.MockRouter, transport: Transport, problem: Exception
) -> None:
    route = answering(wire, problem, problem, reply({"fine": True}))
    assert transport.call("POST", PATH).data == {"fine": True}
    assert route.call_count == 3


@pytest.mark.parametrize("make", UNCLEAR)
def test_a_read_is_repeated_after_an_unclear_answer(
    wire: respx.MockRouter, transport: Transport, make: Callable[[], httpx.Response]
) -> None:
    route = answering(wire, make(), make(), reply({"fine": True}))
    assert transport.call("POST", PATH).data == {"fine": True}
    assert route.call_count == 3


def test_a_read_is_not_repeated_for_ever(wire: respx.MockRouter, transport: Transport, rests: list[float]) -> None:
    route = wire.post(url__startswith=API).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable, match="did not answer in time"):
        transport.call("POST", PATH)
    assert route.call_count == 3
    assert 3.0 <= sum(rests) <= 4.5, "1 and 2 seconds, each with up to half a second of chance"


@pytest.mark.parametrize("problem", MAYBE_SENT, ids=lambda found: type(found).__name__)
def test_a_write_whose_answer_was_lost_is_never_sent_again(
    wire: respx.MockRouter, transport: Transport, problem: Exception
) -> None:
    route = wire.post(url__startswith=API).mock(side_effect=problem)
    with pytest.raises(OutcomeUnknown, match="may have happened"):
        transport.call("POST", PATH, body={"skus": []}, write=True)
    assert route.call_count == 1


@pytest.mark.parametrize("make", UNCLEAR)
def test_a_write_with_an_unclear_answer_is_never_sent_again(
    wire: respx.MockRouter, transport: Transport, make: Callable[[], httpx.Response]
) -> None:
    route = wire.post(url__startswith=API).mock(side_effect=lambda _: make())
    with pytest.raises(OutcomeUnknown):
        transport.call("POST", PATH, write=True)
    assert route.call_count == 1


@pytest.mark.parametrize("problem", NEVER_SENT, ids=lambda found: type(found).__name__)
def test_a_write_that_never_left_is_sent_again(
    wire: respx.MockRouter, transport: Transport, problem: Exception
) -> None:
    route = answering(wire, problem, problem, reply({"fine": True}))
    assert transport.call("POST", PATH, write=True).data == {"fine": True}
    assert route.call_count == 3


def test_a_write_that_can_never_leave_is_unreachable_and_not_unknown(
    wire: respx.MockRouter, transport: Transport
) -> None:
    wire.post(url__startswith=API).mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="no connection to api"):
        transport.call("POST", PATH, write=True)


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("status", [200, 429])
def test_a_429_is_waited_out_for_reads_and_writes(
    wire: respx.MockRouter, transport: Transport, rests: list[float], status: int, write: bool
) -> None:
    busy = reply(None, 36009002, "too many requests", status)
    route = answering(wire, busy, busy, busy, busy, reply({"fine": True}))
    assert transport.call("POST", PATH, write=write).data == {"fine": True}
    assert route.call_count == 5
    assert 15 <= sum(rests) <= 18, "1, 2, 4 and 8 seconds and some chance"


def test_after_five_tries_a_429_is_for_later(wire: respx.MockRouter, transport: Transport) -> None:
    route = wire.post(url__startswith=API).mock(side_effect=lambda _: reply(None, 36009002, "too many", 429))
    with pytest.raises(RateLimited):
        transport.call("POST", PATH)
    assert route.call_count == 5


def test_retry_after_in_seconds_is_obeyed(
    wire: respx.MockRouter, transport: Transport, rests: list[float], time: clock.Turned
) -> None:
    answering(wire, reply(None, 36009002, "too many", 429, retry_after="7"), reply({}))
    begin = time()
    transport.call("POST", PATH)
    assert time() - begin == pytest.approx(7, abs=0.1)


def test_retry_after_as_a_date_is_obeyed(wire: respx.MockRouter, transport: Transport, time: clock.Turned) -> None:
    until = format_datetime(datetime.fromtimestamp(clock.now() + 9, UTC), usegmt=True)
    answering(wire, httpx.Response(503, text="busy", headers={"retry-after": until}), reply({}))
    begin = time()
    transport.call("POST", PATH)
    assert time() - begin == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "Thu, 99 Foo"])
def test_nonsense_in_retry_after_is_no_advice(wire: respx.MockRouter, transport: Transport, nonsense: str) -> None:
    answering(wire, reply(None, 36009002, "too many", 429, retry_after=nonsense), reply({"fine": True}))
    assert transport.call("POST", PATH).data == {"fine": True}


def test_advice_beyond_a_minute_is_passed_on(wire: respx.MockRouter, transport: Transport, rests: list[float]) -> None:
    route = wire.post(url__startswith=API).mock(return_value=reply(None, 36009002, "too many", 429, retry_after="600"))
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            transport.call("POST", PATH)
        assert caught.value.retry_after == pytest.approx(600, abs=5)
    assert route.call_count == 1, "nobody asks again before the time"
    assert sum(rests) < 1


def test_a_refusal_is_not_repeated(wire: respx.MockRouter, transport: Transport) -> None:
    route = wire.post(url__startswith=API).mock(return_value=reply(None, 12052031, "no such product"))
    with pytest.raises(TikTokError):
        transport.call("POST", PATH)
    assert route.call_count == 1


# ---- expired tokens


def refreshing(wire: respx.MockRouter, number: int = 2) -> respx.Route:
    data = {
        "access_token": f"ROW_made_up_access_{number}",
        "access_token_expire_in": 1_791_000_000,
        "refresh_token": f"ROW_made_up_refresh_{number}",
        "refresh_token_expire_in": 1_821_536_000,
    }
    return wire.get(path="/api/v2/token/refresh").mock(side_effect=lambda _: reply(data, message="success"))


def by_token(good: str) -> Callable[[httpx.Request], httpx.Response]:
    def check(request: httpx.Request) -> httpx.Response:
        if request.headers["x-tts-access-token"] == good:
            return reply({"fine": True})
        return reply(None, 105002, "access token is expired, please refresh it", 401)

    return check


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    "expired",
    [
        reply(None, 105002, "access token is expired", 200),
        reply(None, 105002, "access token is expired", 401),
        reply(None, 105001, "authorisation expired", 200),
        reply(None, 36009004, "The 'x-tts-access-token' header is invalid.", 400),
    ],
)
def test_an_expired_token_is_renewed_and_the_call_replayed_once(
    wire: respx.MockRouter, transport: Transport, store: MemoryStore, expired: httpx.Response, write: bool
) -> None:
    refresh = refreshing(wire)
    route = answering(wire, expired, reply({"fine": True}))
    assert transport.call("POST", PATH, write=write).data == {"fine": True}
    assert refresh.call_count == 1
    assert store.events == ["mark", "save"]
    assert route.calls.last.request.headers["x-tts-access-token"] == "ROW_made_up_access_2"


def test_tokens_that_are_refused_again_end_in_a_sign_in_and_no_loop(
    wire: respx.MockRouter, transport: Transport
) -> None:
    refresh = refreshing(wire)
    route = wire.post(url__startswith=API).mock(side_effect=lambda _: reply(None, 105002, "expired", 401))
    for _ in range(4):
        with pytest.raises(SignInAgain):
            transport.call("POST", PATH)
    assert refresh.call_count == 1
    assert route.call_count == 2


def test_a_withdrawn_authorisation_is_noticed_and_later_calls_fail_fast(
    wire: respx.MockRouter, transport: Transport, store: MemoryStore, lines: list[RequestLine]
) -> None:
    gone = reply(None, 36004005, "can not find related auth record")
    refresh = wire.get(path="/api/v2/token/refresh").mock(return_value=gone)
    route = wire.post(url__startswith=API).mock(side_effect=by_token("ROW_made_up_access_3"))
    for _ in range(5):
        with pytest.raises(SignInAgain, match="withdrawn"):
            transport.call("POST", PATH)
    assert (refresh.call_count, route.call_count) == (1, 1)
    assert "refresh_token" not in " ".join(map(str, lines))
    store.held = tokens(3)
    assert transport.call("POST", PATH).data == {"fine": True}


def test_somebody_elses_renewal_is_used(wire: respx.MockRouter, transport: Transport, store: MemoryStore) -> None:
    refresh = refreshing(wire)
    wire.post(url__startswith=API).mock(side_effect=by_token("ROW_made_up_access_3"))
    with pytest.raises(SignInAgain):
        transport.call("POST", PATH)  # the pair that this refresh gives is not the good one
    store.held = tokens(3)
    assert transport.call("POST", PATH).data == {"fine": True}
    assert refresh.call_count == 1


def test_an_auth_host_that_is_down_is_for_later(wire: respx.MockRouter, transport: Transport) -> None:
    down = wire.get(path="/api/v2/token/refresh").mock(return_value=httpx.Response(503, text="busy"))
    wire.post(url__startswith=API).mock(side_effect=by_token("never"))
    for kind in (ServiceDown, ServiceDown):
        with pytest.raises(kind):
            transport.call("POST", PATH)
    assert down.call_count == 1


def test_a_page_in_place_of_tokens_is_a_bad_answer(wire: respx.MockRouter, transport: Transport) -> None:
    wire.get(path="/api/v2/token/refresh").mock(return_value=httpx.Response(200, text="<html>log in</html>"))
    wire.post(url__startswith=API).mock(side_effect=by_token("never"))
    with pytest.raises(BadAnswer, match="did not come from TikTok"):
        transport.call("POST", PATH)
