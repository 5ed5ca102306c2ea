"""From the owner's consent to tokens: the link, what comes back, and what is wrong with it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.tiktok.auth import (
    App,
    Code,
    RedirectFault,
    RedirectProblem,
    Tokens,
    authorise_url,
    parse_redirect,
    read_tokens,
)
from core.tiktok.errors import BadAnswer, WrongShop

APP = App(key="made-up-key", secret="made-up-secret", service_id="7123456789012345678")
ANSWER: dict[str, Any] = {
    "access_token": "ROW_made_up_access",
    "access_token_expire_in": 1790604800,
    "refresh_token": "ROW_made_up_refresh",
    "refresh_token_expire_in": 1821536000,
    "open_id": "Ab1cQAAAAExampleOpenId",
    "seller_name": None,
    "seller_base_region": "IT",
    "user_type": 0,
    "granted_scopes": ["seller.order.info"],
}
BACK = "https://desk.example/callback?code=ROW_made_up&state=abc123&app_key=x&locale=en"


def fault(text: str, state: str | None = "abc123") -> RedirectFault:
    found = parse_redirect(text, state)
    assert isinstance(found, RedirectProblem), found
    assert found.sentence.endswith(".")
    assert found.next_step.endswith(".")
    return found.fault


def test_the_link_carries_service_and_state() -> None:
    link = urlsplit(authorise_url(APP, "a b&c"))
    assert (link.netloc, link.path) == ("services.tiktokshop.com", "/open/authorize")
    assert parse_qs(link.query) == {"service_id": ["7123456789012345678"], "state": ["a b&c"]}


def test_american_shops_have_a_page_of_their_own() -> None:
    assert authorise_url(App("k", "s", region="us"), "x").startswith("https://services.us.tiktokshop.com/open/")


def test_a_service_of_its_own_shows_the_page_itself() -> None:
    link = authorise_url(App("k", "s", auth_base="http://127.0.0.1:8701"), "x")
    assert link.startswith("http://127.0.0.1:8701/open/authorize?")


@pytest.mark.parametrize(
    "pasted", [BACK, f"  {BACK}\n", "?code=ROW_made_up&state=abc123", "code=ROW_made_up&state=abc123"]
)
def test_the_code_is_found_in_whatever_part_of_the_address_was_pasted(pasted: str) -> None:
    found = parse_redirect(pasted, "abc123")
    assert isinstance(found, Code)
    assert (found.value, found.state) == ("ROW_made_up", "abc123")


@pytest.mark.parametrize("pasted", ["ROW_made_up", " ROW_made_up== "])
def test_a_bare_code_is_taken_as_it_is(pasted: str) -> None:
    found = parse_redirect(pasted, "abc123")
    assert isinstance(found, Code)
    assert found.value == pasted.strip()


def test_a_refusal_is_told_from_a_missing_code() -> None:
    assert fault("https://desk.example/callback?code=null&error=auth_denied&state=abc123") is RedirectFault.REFUSED
    assert fault("https://desk.example/callback?code=null&state=abc123") is RedirectFault.NO_CODE


@pytest.mark.parametrize(
    "pasted", ["", "  ", "null", "https://desk.example/callback", "two words", "x" * 5000, "code="]
)
def test_no_code_is_said_to_be_missing(pasted: str) -> None:
    assert fault(pasted) is RedirectFault.NO_CODE


@pytest.mark.parametrize("state", ["other", "", "abc1234", "é"])
def test_a_state_that_is_not_ours_is_not_accepted(state: str) -> None:
    assert fault(f"https://desk.example/callback?code=ROW_made_up&state={state}") is RedirectFault.WRONG_STATE


def test_an_address_without_a_state_is_only_accepted_when_none_is_expected() -> None:
    bare = "https://desk.example/callback?code=ROW_made_up"
    assert fault(bare) is RedirectFault.WRONG_STATE
    assert isinstance(parse_redirect(bare, None), Code)


@given(st.text(max_size=80))
def test_nothing_that_is_pasted_ever_raises(text: str) -> None:
    assert isinstance(parse_redirect(text, "abc123"), Code | RedirectProblem)
    assert isinstance(parse_redirect(f"https://[{text}?code={text}", "abc123"), Code | RedirectProblem)


def test_expiry_times_are_absolute_and_missing_names_are_empty() -> None:
    tokens = read_tokens(ANSWER, "r1")
    assert (tokens.access_expires_time, tokens.refresh_expires_time) == (1790604800, 1821536000)
    assert (tokens.seller_name, tokens.region, tokens.scopes) == ("", "IT", ("seller.order.info",))


def test_a_small_expiry_is_taken_as_a_duration() -> None:
    with clock.turned(1_790_000_000):
        assert read_tokens(ANSWER | {"access_token_expire_in": 604800}, "").access_expires_time == 1_790_604_800


@pytest.mark.parametrize("user_type", [1, 3, "1"])
def test_a_creator_or_partner_is_told_that_this_is_no_shop(user_type: object) -> None:
    with pytest.raises(WrongShop, match="not to a shop"):
        read_tokens(ANSWER | {"user_type": user_type}, "r1")


@pytest.mark.parametrize(
    "field", ["access_token", "refresh_token", "access_token_expire_in", "refresh_token_expire_in"]
)
@pytest.mark.parametrize("value", [None, "", [], -1])
def test_an_incomplete_answer_says_so_without_showing_tokens(field: str, value: object) -> None:
    if field.endswith("token") and value == -1:
        value = {}
    with pytest.raises(BadAnswer) as caught:
        read_tokens(ANSWER | {field: value}, "r1")
    assert "made_up" not in str(caught.value)


def test_no_secret_shows_in_a_repr() -> None:
    tokens = Tokens("ROW_made_up_access", 1, "ROW_made_up_refresh", 2, "open")
    for secret in ("made-up-secret", "made_up_access", "made_up_refresh", "ROW_made_up"):
        assert secret not in repr(APP) + repr(tokens) + repr(Code("ROW_made_up", "s"))
