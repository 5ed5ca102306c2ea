"""TikTok's codes become one of three outcomes, a sentence and a next step."""

import pytest

from core.tiktok import errors
from core.tiktok.codes import KNOWN, error_for
from core.tiktok.errors import (
    BadAnswer,
    ClockOff,
    Locked,
    MissingScope,
    NeedsPerson,
    Outcome,
    QuotaUsedUp,
    RateLimited,
    Refused,
    ServiceDown,
    ShopInactive,
    SignInAgain,
    TikTokError,
    WrongCredentials,
    WrongShop,
)

CODES: dict[int, type[TikTokError]] = {
    36009002: RateLimited,
    36009003: ServiceDown,
    36009007: ServiceDown,
    36009009: Refused,
    36009014: Refused,
    36009033: NeedsPerson,
    36009037: QuotaUsedUp,
    36009043: ShopInactive,
    36009044: ShopInactive,
    101000: WrongShop,
    106013: Refused,
    105001: SignInAgain,
    105002: SignInAgain,
    105005: MissingScope,
    106001: WrongCredentials,
    36004001: SignInAgain,
    36004004: WrongCredentials,
    36004005: SignInAgain,
    12052393: Locked,
    12052038: Locked,
    12052037: Refused,
    12052708: Refused,
    12052097: Refused,
    12052034: WrongShop,
    12052109: RateLimited,
}


@pytest.mark.parametrize("code", CODES)
def test_a_known_code_has_its_class(code: int) -> None:
    error = error_for(code, "in TikTok's words", "r1")
    assert type(error) is CODES[code]
    assert (error.code, error.request_id, error.detail) == (code, "r1", "in TikTok's words")


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_every_known_code_speaks_in_sentences(code: int) -> None:
    error = error_for(code, "")
    for text in (error.sentence, error.next_step):
        assert text.endswith("."), text
        assert "!" not in text
        assert str(code) not in text


MESSAGES: dict[str, type[TikTokError]] = {
    "The 'timestamp' query parameter is too old": ClockOff,
    "Invalid `timestamp`: must not be in the future": ClockOff,
    "The 'x-tts-access-token' header is invalid.": SignInAgain,
    "Invalid credentials. The 'app_key' is invalid.": WrongCredentials,
    "The app_secret does not belong to this app": WrongCredentials,
    "Missing credentials. The 'sign' query parameter is missing": WrongCredentials,
    "Unexpected identifier. The `shop_cipher` is not required": WrongShop,
    "invalid shop_id": WrongShop,
    "Invalid API version": Refused,
    "param body.address is missing": Refused,
    "param body.category_version is wrong": Refused,
    "something else entirely": Refused,
}


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_of_many_reasons_is_told_apart_by_its_message(message: str) -> None:
    assert type(error_for(36009004, message)) is MESSAGES[message]


def test_a_wrong_parameter_is_not_called_a_retired_version() -> None:
    assert "version" not in error_for(36009004, "param body.category_version is wrong").sentence


def test_an_unknown_code_is_shown_as_it_came_with_its_request_id() -> None:
    error = error_for(99887766, "Flux capacitor missing", "20260920ABC")
    assert isinstance(error, Refused)
    assert "99887766" in error.sentence
    assert "Flux capacitor missing" in error.sentence
    assert "20260920ABC" in str(error)


def test_an_answer_without_a_code_is_a_bad_answer() -> None:
    assert isinstance(error_for(None, ""), BadAnswer)


def test_very_long_words_of_tiktok_are_cut_short() -> None:
    error = error_for(99887766, "x" * 5000)
    assert len(error.sentence) < 300
    assert len(error.detail) == 300


def leaves(kind: type[TikTokError]) -> list[type[TikTokError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


def test_every_class_is_drawn_in_the_tree_and_has_an_outcome() -> None:
    for kind in leaves(TikTokError):
        assert kind.__name__ in (errors.__doc__ or "").split()
        assert kind("A sentence.").outcome in Outcome


def test_the_outcome_is_decided_by_the_class() -> None:
    assert error_for(105002, "").outcome is Outcome.SIGN_IN
    assert error_for(36009002, "").outcome is Outcome.LATER
    assert error_for(105005, "").outcome is Outcome.PERSON
