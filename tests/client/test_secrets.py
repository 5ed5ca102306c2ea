"""Canary secrets never turn up in logs, errors, tracebacks or reprs, whatever goes wrong."""

import io
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from core import redact
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, Tokens, exchange_code
from core.tiktok.budget import Budget
from core.tiktok.errors import TikTokError
from core.tiktok.models import ShopInfo
from core.tiktok.transport import Transport
from tests.client.conftest import API, AUTH, reply
from tests.client.stores import MemoryStore

CANARIES = ["CANARYappsecret", "CANARYaccess", "CANARYrefresh", "CANARYcode", "CANARYcipher", "CANARYbody"]
APP = App("app-key", CANARIES[0], api_base=API, auth_base=AUTH)
STORE = MemoryStore(Tokens(CANARIES[1], 1_800_000_000, CANARIES[2], 1_900_000_000))
SHOP = ShopInfo("7495", "Demo", "IT", "LOCAL", CANARIES[4], "")

PROBLEMS = [
    lambda _: reply(None, 36009003, f"internal, app_secret={CANARIES[0]}", 500),
    lambda _: reply(None, 105002, "expired", 401),
    lambda _: reply(None, 99887766, f"unknown header x-tts-access-token: {CANARIES[1]}"),
    lambda _: httpx.Response(200, text=f"<html>{CANARIES[1]}</html>"),
    httpx.ConnectError(f"cannot reach {AUTH}/api/v2/token/refresh?app_secret={CANARIES[0]}"),
    httpx.ReadTimeout("slow"),
    httpx.InvalidURL(f"bad {CANARIES[0]}"),
]


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """The whole log at its most talkative, through the filter that the product installs."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    redact.install()
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_canary_leaves_through_logs_or_errors(
    wire: respx.MockRouter, everything_logged: io.StringIO, problem: Any
) -> None:
    wire.route().mock(side_effect=problem)
    told = []
    with Transport(APP, STORE, Budget(wait=lambda _: False), wait=lambda _: False) as transport:
        shop = ShopApi(transport, SHOP)
        for act in (
            lambda: shop.set_stock("1", {"2": {CANARIES[5]: 3}}),
            lambda: shop.order_page(1, 2),
            lambda: exchange_code(APP, CANARIES[3]),
        ):
            try:
                act()
            except TikTokError as error:
                logging.getLogger("evenstock").exception("failed")
                told += [str(error), repr(error), *traceback.format_exception(error)]
    told.append(repr(APP) + repr(STORE.held))
    written = everything_logged.getvalue()
    assert "/inventory/update" in written
    for canary in CANARIES:
        assert canary not in written
    # What the error itself says may quote TikTok, so it goes through the filter like everything shown.
    shown = redact.redact("\n".join(told))
    for canary in CANARIES:
        assert canary not in shown


def test_an_error_holds_nothing_of_the_http_library(wire: respx.MockRouter) -> None:
    """The library's exceptions carry the request, and the request carries secrets."""
    wire.route().mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(TikTokError) as caught:
        exchange_code(APP, CANARIES[3])
    error: BaseException | None = caught.value
    while error is not None:
        assert not hasattr(error, "request")
        assert CANARIES[0] not in "".join(traceback.format_exception(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
