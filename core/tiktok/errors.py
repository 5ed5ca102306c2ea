"""What can go wrong with TikTok Shop, as one tree of exceptions with a sentence and a next step each.

TikTokError
├── SignInAgain              the owner has to connect the shop once more
├── TryLater                 nothing is wrong here; the same call may work later
│   ├── RateLimited          too many requests; `retry_after` says how long when TikTok told us
│   ├── QuotaUsedUp          the hourly quota of a development shop is used up
│   ├── ServiceDown          TikTok answered that it cannot answer now
│   ├── Unreachable          no connection, or no answer in time, and nothing was changed
│   ├── OutcomeUnknown       a write was sent and its answer lost: read before writing again
│   ├── Locked               TikTok holds this product for now (promotion, review, auction)
│   └── Stopped              we were asked to stop while waiting; nothing was sent
└── NeedsPerson              only a person can put this right
    ├── MissingScope         the app has not been given the permission
    ├── WrongCredentials     app key, app secret or code do not fit
    ├── ClockOff             this computer's clock is too far from TikTok's
    ├── ShopInactive         TikTok has closed or paused the shop or its seller
    ├── WrongShop            the shop does not belong to this sign-in
    ├── Refused              TikTok understood the request and said no
    └── BadAnswer            the answer cannot be understood at all
"""

from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """What an error asks of the owner: one of three things, decided by its class."""

    SIGN_IN = "sign in again"
    LATER = "try later"
    PERSON = "needs a person"


class TikTokError(Exception):
    """The root of the tree: a sentence for the owner, a next step, and what support asks for."""

    outcome: ClassVar[Outcome] = Outcome.PERSON

    def __init__(
        self,
        sentence: str,
        next_step: str = "",
        *,
        code: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        """`retry_after` is in seconds; `detail` is TikTok's own wording, untrusted and cut short."""
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.detail = detail[:300]

    def __str__(self) -> str:
        marks = [f"code {self.code}"] if self.code is not None else []
        marks += [f"request {self.request_id}"] if self.request_id else []
        return f"{self.sentence} ({', '.join(marks)})" if marks else self.sentence


class SignInAgain(TikTokError):
    """The authorisation is over, withdrawn or unknown; only a new sign-in by the owner helps."""

    outcome = Outcome.SIGN_IN


class TryLater(TikTokError):
    """Nothing to put right; the same call may work later."""

    outcome = Outcome.LATER


class RateLimited(TryLater):
    """TikTok asked for fewer requests."""


class QuotaUsedUp(TryLater):
    """The hourly quota of a development shop is used up; short retries do not help."""


class ServiceDown(TryLater):
    """TikTok answered that it has a problem of its own."""


class Unreachable(TryLater):
    """No connection to TikTok, or no answer to a read in time."""

    sent: bool = True
    """False only when it is certain that nothing left this computer."""


class OutcomeUnknown(TryLater):
    """A write was sent and its answer lost: it may have happened. Never resend it; read first."""


class Locked(TryLater):
    """TikTok does not allow the change while something else on its side lasts."""


class Stopped(TryLater):
    """We were asked to stop while waiting for our turn."""


class NeedsPerson(TikTokError):
    """Repeating will not help; a person has to change something."""


class MissingScope(NeedsPerson):
    """The app or the sign-in lacks a permission."""


class WrongCredentials(NeedsPerson):
    """App key, app secret or authorisation code do not fit."""


class ClockOff(NeedsPerson):
    """TikTok refuses the time we put on requests, even after correcting it."""


class ShopInactive(NeedsPerson):
    """The shop or its seller is not active at TikTok."""


class WrongShop(NeedsPerson):
    """The shop does not belong to this sign-in, or the sign-in is not a seller's."""


class Refused(NeedsPerson):
    """TikTok understood the request and refused it."""


class BadAnswer(NeedsPerson):
    """The answer is not what TikTok Shop sends."""
