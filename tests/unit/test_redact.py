"""No secret reaches a log, by name or by value."""

import io
import logging
from collections.abc import Iterator

import pytest

from core import redact as module
from core.redact import HIDDEN, Redactor, install, redact, register_secret


@pytest.mark.parametrize(
    "text",
    [
        "GET https://auth.example/api/v2/token/get?app_key=k&app_secret=TOPSECRET&auth_code=x",
        "https://desk.example/callback?code=TOPSECRET&state=abc",
        "https://desk.example/callback?state=TOPSECRET",
        "/order/202309/orders?sign=TOPSECRET&timestamp=1",
        '{"access_token": "TOPSECRET", "other": 1}',
        "{'refresh_token': 'TOPSECRET'}",
        '{\\"refresh_token\\":\\"TOPSECRET\\"}',
        "x-tts-access-token: TOPSECRET",
        "Authorization: Bearer TOPSECRET",
        "App(secret='x', app_secret='TOPSECRET')",
        "password=TOPSECRET",
        "shop_cipher=TOPSECRET&page_size=5",
        "TIKTOK_SHOP_APP_SECRET=TOPSECRET",
        "b'x-tts-access-token': b'TOPSECRET'",
    ],
)
def test_a_secret_is_hidden_by_its_name(text: str) -> None:
    assert "TOPSECRET" not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "TikTok refused this with code 12052097.",
        '{"code": 0, "message": "Success"}',
        "POST /order/202309/orders/search shop=7495 http=200 code=0 request=20260920 12 ms attempt 1",
        "the state of the order: AWAITING_SHIPMENT",
        "signed by hand",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_a_registered_value_is_hidden_wherever_it_is_also_percent_encoded() -> None:
    register_secret("p+q/r=made-up")
    assert "made-up" not in redact("odd p+q/r=made-up, and p%2Bq%2Fr%3Dmade-up in an address")


def test_the_longer_of_two_overlapping_values_is_hidden_whole() -> None:
    register_secret("made-up-value")
    register_secret("made-up-value-and-more")
    assert redact("x made-up-value-and-more y") == f"x {HIDDEN} y"


def test_a_value_too_short_to_be_a_secret_hides_nothing() -> None:
    register_secret("of")
    register_secret("")
    assert redact("the end of the day") == "the end of the day"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    logger = logging.getLogger("test.redact")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.propagate = False
    install(logger)
    install(logger)
    assert len([found for found in handler.filters if isinstance(found, Redactor)]) == 1
    yield logger, stream
    logger.removeHandler(handler)


def test_arguments_and_tracebacks_are_cleaned_too(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    register_secret("made-up-token-123456")
    try:
        raise RuntimeError("refused made-up-token-123456")
    except RuntimeError:
        logger.exception("asked %s", "?auth_code=ROW_secret", stack_info=True)
    text = stream.getvalue()
    assert "RuntimeError" in text
    assert "made-up-token" not in text
    assert "ROW_secret" not in text


def test_a_broken_log_call_is_cleaned_and_kept(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.warning("%d of %s", "app_secret=TOPSECRET")
    assert "TOPSECRET" not in stream.getvalue()
    assert "%d of %s" in stream.getvalue()


@pytest.fixture(autouse=True)
def _forget_values() -> Iterator[None]:
    before = module._values.copy(), module._pattern
    yield
    module._values.clear()
    module._values.update(before[0])
    module._pattern = before[1]
