"""Known TikTok codes as sentences with a next step; an unknown code is shown as it came."""

from dataclasses import dataclass

from core.tiktok.errors import (
    BadAnswer,
    ClockOff,
    MissingScope,
    NeedsPerson,
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
from core.tiktok.product_codes import PRODUCT_CODES

OK = 0
TOKEN_EXPIRED = 105002
MANY_REASONS = 36009004

_CONNECT = "Open Connection and sign in to TikTok Shop again."
_LATER = "Evenstock tries again by itself; there is nothing to do."
_UPDATE = "Update Evenstock; if it is up to date, report this with the request id."
_SHOPS = "Open Connection and choose the shop again."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means to the owner."""

    kind: type[TikTokError]
    sentence: str
    next_step: str


def _expired(what: str) -> Meaning:
    return Meaning(SignInAgain, what, _CONNECT)


# TikTok Shop API: Common Errors, and the error lists of the endpoints we call.
GATEWAY_CODES: dict[int, Meaning] = {
    36009002: Meaning(RateLimited, "TikTok asked for fewer requests.", _LATER),
    36009003: Meaning(ServiceDown, "TikTok has a problem of its own.", _LATER),
    36009007: Meaning(ServiceDown, "TikTok took too long to answer.", _LATER),
    36009009: Meaning(Refused, "TikTok does not know this address any more.", _UPDATE),
    36009010: Meaning(Refused, "TikTok does not allow this kind of request here.", _UPDATE),
    36009014: Meaning(Refused, "TikTok has retired this version of its interface.", _UPDATE),
    36009022: Meaning(Refused, "TikTok could not read the request.", _UPDATE),
    36009033: Meaning(
        NeedsPerson,
        "TikTok refuses requests from this internet address.",
        "Add this computer's internet address to the allow list of the app in Partner Center, or empty the list.",
    ),
    36009037: Meaning(
        QuotaUsedUp,
        "The hourly quota of this development shop is used up.",
        "It starts anew with the next hour; nothing to do.",
    ),
    36009043: Meaning(
        ShopInactive, "TikTok says that this shop is not active.", "Look into TikTok's Seller Center for the reason."
    ),
    36009044: Meaning(
        ShopInactive, "TikTok says that this seller is not active.", "Look into TikTok's Seller Center for the reason."
    ),
    101000: Meaning(WrongShop, "This shop does not belong to the sign-in that is used.", _SHOPS),
    106011: Meaning(WrongShop, "TikTok does not know this shop under this sign-in.", _SHOPS),
    106013: Meaning(Refused, "The request did not name the shop.", _UPDATE),
    105001: _expired("The authorisation of this shop is over."),
    TOKEN_EXPIRED: _expired("The sign-in to TikTok has expired."),
    105005: Meaning(
        MissingScope,
        "The app lacks a permission for this.",
        "Switch the permission on for the app in Partner Center, then open Connection and sign in again.",
    ),
    106001: Meaning(
        WrongCredentials,
        "TikTok does not accept the signature: the app secret does not fit the app key.",
        "Copy the app secret from Partner Center again and enter it under Connection.",
    ),
    36004001: _expired("The authorisation of this shop has run out."),
    36004004: Meaning(
        WrongCredentials,
        "The code from TikTok is wrong, already used, or older than 30 minutes.",
        "Start again under Connection and finish within 30 minutes.",
    ),
    36004005: _expired("TikTok knows no such authorisation; it may have been withdrawn."),
    98001004: Meaning(WrongCredentials, "TikTok found a wrong value in the sign-in.", _CONNECT),
    98001005: Meaning(WrongCredentials, "The code from TikTok has been used already.", _CONNECT),
    98001006: _expired("TikTok does not accept the stored sign-in any more."),
    **dict.fromkeys(
        (10002014, 10002015, 10037002, 10037003, 10037004, 12001000, 12052881, 21001011, 33001002),
        Meaning(ServiceDown, "TikTok has a problem of its own.", _LATER),
    ),
    10006402: Meaning(MissingScope, "The app may not read this.", "Check the app's permissions in Partner Center."),
    21001001: Meaning(Refused, "TikTok found a wrong value in the request.", _UPDATE),
    21008111: Meaning(WrongShop, "This order does not belong to the shop.", _SHOPS),
}
KNOWN: dict[int, Meaning] = GATEWAY_CODES | {
    code: Meaning(row.kind, row.sentence, row.next_step) for row in PRODUCT_CODES for code in row.codes
}

# One code covers many mistakes; the message tells them apart. The first keyword that occurs decides.
BY_KEYWORD: tuple[tuple[tuple[str, ...], Meaning], ...] = (
    (
        ("timestamp",),
        Meaning(
            ClockOff,
            "TikTok refuses the time on our requests.",
            "Set this computer's clock to the time of the internet and try again.",
        ),
    ),
    (
        ("x-tts-access-token", "access_token", "access token"),
        _expired("TikTok does not know the sign-in that is stored."),
    ),
    (
        ("app_key", "app key"),
        Meaning(
            WrongCredentials,
            "TikTok does not know this app key, or the app is switched off.",
            "Copy the app key from Partner Center again and enter it under Connection.",
        ),
    ),
    (
        ("app_secret", "app secret"),
        Meaning(
            WrongCredentials,
            "The app secret does not fit the app key.",
            "Copy the app secret from Partner Center again and enter it under Connection.",
        ),
    ),
    (
        ("signature", "missing credentials"),
        Meaning(
            WrongCredentials,
            "TikTok does not accept the signature of the request.",
            "Copy the app secret from Partner Center again and enter it under Connection.",
        ),
    ),
    (("shop_cipher", "category_asset_cipher"), Meaning(WrongShop, "TikTok did not expect this shop here.", _SHOPS)),
    (("shop_id",), Meaning(WrongShop, "TikTok does not know this shop.", _SHOPS)),
    (("auth_code", "auth code"), GATEWAY_CODES[36004004]),
    (("refresh_token", "refresh token"), GATEWAY_CODES[98001006]),
    (("param body.", "param query."), Meaning(Refused, "TikTok found a wrong value in the request.", _UPDATE)),
    (("version",), GATEWAY_CODES[36009014]),
)


def meaning_of(code: int | None, message: str) -> Meaning:
    """What a code means. TikTok itself says not to branch on 36009004 alone, so its message decides."""
    if code in (MANY_REASONS, 98001004):
        text = "".join(mark for mark in message.lower() if mark not in "`'\"")
        for keywords, meaning in BY_KEYWORD:
            if any(keyword in text for keyword in keywords):
                return meaning
    if code is not None and code in KNOWN:
        return KNOWN[code]
    if code is None:
        return Meaning(BadAnswer, "TikTok's answer gives no reason that can be read.", "Try again.")
    said = f": {message[:200]}" if message else ""
    return Meaning(
        Refused, f"TikTok refused this with code {code}{said}.", "Look the code up in TikTok's Partner Center."
    )


def error_for(
    code: int | None, message: str, request_id: str | None = None, *, retry_after: float | None = None
) -> TikTokError:
    """The error that an answer with this code and message is."""
    meaning = meaning_of(code, message)
    return meaning.kind(
        meaning.sentence,
        meaning.next_step,
        code=code,
        request_id=request_id,
        retry_after=retry_after,
        detail=message,
    )
