"""The cast of the client tests: an app, tokens, a wire that answers as told, and a clock turned by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx

from core import clock
from core.tiktok.api import ShopApi
from core.tiktok.auth import App
from core.tiktok.budget import Budget
from core.tiktok.models import ShopInfo
from core.tiktok.requestlog import RequestLine
from core.tiktok.transport import Transport
from tests.client.stores import MemoryStore, tokens

API = "https://api.shop.example"
AUTH = "https://auth.shop.example"
APP = App(key="made-up-key", secret="made-up-secret", service_id="71", api_base=API, auth_base=AUTH)
SHOP = ShopInfo("7495540735365770001", "Demo", "IT", "LOCAL", "ROW_made_up_cipher+/=", "ITLC")


def envelope(data: object = None, code: int = 0, message: str = "Success", request_id: str = "r-1") -> dict[str, Any]:
    return {"code": code, "message": message, "data": data, "request_id": request_id}


def reply(
    data: object = None, code: int = 0, message: str = "Success", status: int = 200, **headers: str
) -> httpx.Response:
    """An answer in TikTok's envelope with the time of the (turned) clock."""
    date = format_datetime(datetime.fromtimestamp(clock.now(), UTC), usegmt=True)
    names = {"date": date} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=envelope(data, code, message), headers=names)


@pytest.fixture
def time() -> Iterator[clock.Turned]:
    with clock.turned() as turned:
        yield turned


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(tokens(1))


@pytest.fixture
def lines() -> list[RequestLine]:
    return []


@pytest.fixture
def rests() -> list[float]:
    """Seconds that were waited, in order."""
    return []


@pytest.fixture
def wait(time: clock.Turned, rests: list[float]) -> Callable[[float], bool]:
    def turn(seconds: float) -> bool:
        rests.append(seconds)
        time.turn(seconds)
        return False

    return turn


@pytest.fixture
def transport(
    time: clock.Turned, store: MemoryStore, lines: list[RequestLine], wait: Callable[[float], bool]
) -> Iterator[Transport]:
    with Transport(APP, store, Budget(wait=wait), lines.append, wait=wait) as found:
        yield found


@pytest.fixture
def shop(transport: Transport, wire: respx.MockRouter) -> ShopApi:
    return ShopApi(transport, SHOP)
