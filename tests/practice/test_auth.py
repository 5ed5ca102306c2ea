"""Consent, tokens, rotation and revocation."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.practice import CREDENTIALS, PracticeServer, PracticeShop
from tests.practice.conftest import Clock
from tests.practice.signed import Caller

APP = {"app_key": CREDENTIALS.app_key, "app_secret": CREDENTIALS.app_secret}
DAY = 86_400


def consent(server: PracticeServer, **more: str) -> dict[str, list[str]]:
    """What comes back to the app after the seller's decision."""
    query = {"service_id": CREDENTIALS.service_id, "state": "s-1", **more}
    answer = httpx.get(f"{server.base_url}/open/authorize", params=query)
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.headers["location"]).query)


def get(server: PracticeServer, code: str, **more: str) -> dict[str, object]:
    query = {**APP, "auth_code": code, "grant_type": "authorized_code", **more}
    return httpx.get(f"{server.base_url}/api/v2/token/get", params=query).json()


def refresh(server: PracticeServer, token: str, **more: str) -> dict[str, object]:
    query = {**APP, "refresh_token": token, "grant_type": "refresh_token", **more}
    return httpx.get(f"{server.base_url}/api/v2/token/refresh", params=query).json()


def test_allow_brings_a_code_and_the_state_back(server: PracticeServer) -> None:
    back = consent(server, decision="allow")
    assert back["state"] == ["s-1"]
    assert get(server, back["code"][0])["code"] == 0


def test_refuse_brings_the_word_null_and_an_error_back(server: PracticeServer) -> None:
    back = consent(server, decision="refuse")
    assert (back["code"], back["error"], back["state"]) == (["null"], ["auth_denied"], ["s-1"])


def test_the_consent_page_offers_both_answers_and_loads_nothing(server: PracticeServer) -> None:
    page = httpx.get(
        f"{server.base_url}/open/authorize", params={"service_id": CREDENTIALS.service_id, "state": '"><b>'}
    )
    assert page.status_code == 200
    assert "Allow" in page.text
    assert "Refuse" in page.text
    assert "<b>" not in page.text
    assert "src=" not in page.text


def test_the_redirect_address_can_be_chosen(server: PracticeServer, shop: PracticeShop) -> None:
    shop.change_settings(redirect_uri="http://localhost:9/back?x=1")
    query = {"service_id": CREDENTIALS.service_id, "decision": "allow"}
    answer = httpx.get(f"{server.base_url}/open/authorize", params=query)
    assert answer.headers["location"].startswith("http://localhost:9/back?x=1&code=")


def test_an_unknown_app_gets_no_consent_page(server: PracticeServer) -> None:
    assert httpx.get(f"{server.base_url}/open/authorize", params={"service_id": "1"}).status_code == 400


def test_tokens_expire_at_absolute_times(server: PracticeServer, shop: PracticeShop, clock: Clock) -> None:
    data = get(server, shop.authorise())["data"]
    assert data["access_token_expire_in"] == int(clock()) + 7 * DAY
    assert data["refresh_token_expire_in"] == int(clock()) + 365 * DAY
    assert data["user_type"] == 0
    assert "seller.order.info" in data["granted_scopes"]


def test_a_code_works_once_and_for_half_an_hour(server: PracticeServer, shop: PracticeShop, clock: Clock) -> None:
    used, late = shop.authorise(), shop.authorise()
    assert get(server, used)["code"] == 0
    assert get(server, used)["code"] == 36004004
    clock.turn(30 * 60 + 1)
    assert get(server, late)["code"] == 36004004
    assert get(server, "made-up")["code"] == 36004004


def test_a_refresh_token_dies_when_it_is_used(server: PracticeServer, shop: PracticeShop) -> None:
    first = shop.issue_tokens()
    second = refresh(server, first["refresh_token"])["data"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["refresh_token_expire_in"] == first["refresh_token_expire_in"], "refreshing extends nothing"
    assert refresh(server, first["refresh_token"])["code"] == 36004005
    assert refresh(server, second["refresh_token"])["code"] == 0


def test_without_rotation_the_refresh_token_stays(server: PracticeServer, shop: PracticeShop) -> None:
    shop.change_settings(rotation=False)
    token = shop.issue_tokens()["refresh_token"]
    assert refresh(server, token)["data"]["refresh_token"] == token
    assert refresh(server, token)["code"] == 0


def test_an_authorisation_ends(server: PracticeServer, shop: PracticeShop, clock: Clock) -> None:
    tokens = shop.issue_tokens()
    clock.turn(365 * DAY + 1)
    assert refresh(server, tokens["refresh_token"])["code"] == 36004001


def test_a_revoked_authorisation_is_over_for_both_tokens(
    server: PracticeServer, shop: PracticeShop, api: Caller
) -> None:
    tokens = shop.issue_tokens()
    shop.trouble("revoked")
    assert api.code("GET", "/logistics/202309/warehouses", token=tokens["access_token"]) == 36009004
    assert refresh(server, tokens["refresh_token"])["code"] == 36004005


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"app_key": "x"}, "app_key"), ({"app_secret": "x"}, "app_secret"), ({"grant_type": "x"}, "grant_type")],
)
def test_a_wrong_app_is_named(server: PracticeServer, shop: PracticeShop, wrong: dict[str, str], word: str) -> None:
    answer = get(server, shop.authorise(), **wrong)
    assert answer["code"] == 36009004
    assert word in str(answer["message"])


def test_tokens_survive_a_restart(tmp_path, clock: Clock) -> None:
    shop = PracticeShop(tmp_path / "p.db", products=5, orders=5, clock=clock)
    tokens = shop.issue_tokens()
    shop.close()
    again = PracticeShop(tmp_path / "p.db", clock=clock)
    assert again.parts.auth.check(tokens["access_token"]).scopes
    again.close()
