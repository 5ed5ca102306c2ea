"""Tokens that are always fit for use: renewed in time, once, by one of all threads and processes, and never lost."""

from collections.abc import Callable

from core import clock
from core.tiktok.auth import Tokens, TokenStore, fingerprint
from core.tiktok.errors import BadAnswer, SignInAgain, TikTokError, TryLater, Unreachable

EARLY = 24 * 3600  # seconds before the access token ends in which it is renewed
REST = 15.0  # seconds without a further attempt after a failed renewal, so that no storm arises
CONNECT = "Open Connection and sign in to TikTok Shop again."


class TokenKeeper:
    """Hands out tokens and renews them.

    The renewal: 1. keep everybody else out; 2. read the store: if somebody renewed already, use that; 3. mark that a
    refresh is on its way; 4. ask once; 5. save the answer, durably; 6. only then use it. A process that dies between
    4 and 5 may have lost the answer: the mark stays, the next renewal tries the old token once more, and if that is
    refused the owner is told why.
    """

    def __init__(
        self,
        store: TokenStore,
        refresh: Callable[[str], Tokens],
        now: Callable[[], int] = clock.now,
        early: int = EARLY,
    ) -> None:
        """`now` is Unix seconds on TikTok's clock; `early` in seconds."""
        self._store = store
        self._refresh = refresh
        self._now = now
        self._early = early
        self._margin: float = early
        self._tokens: Tokens | None = None
        self._unsaved: tuple[Tokens, Tokens] | None = None
        self._dead: tuple[str, TikTokError] | None = None
        self._failed: tuple[float, TikTokError] | None = None

    def current(self) -> Tokens:
        """Tokens to use now. Raises SignInAgain, at once and without asking, while the authorisation is over."""
        tokens = self._tokens
        if tokens is None or self._dead is not None:
            tokens = self._tokens = self._load()
            self._check_alive(tokens)
        if not self._due(tokens):
            return tokens
        try:
            return self.renew(tokens.access_token)
        except TryLater:
            if tokens.access_expires_time > self._now():
                return tokens  # still good, and the next call tries again
            raise

    def renew(self, failed: str) -> Tokens:
        """Tokens other than the access token that failed: somebody else's if there are, otherwise fresh ones."""
        with self._store.lock():
            self._save_what_is_unsaved()
            stored = self._load()
            if stored.access_token != failed:
                return self._adopt(stored)
            self._check_alive(stored)
            self._check_rested()
            self._unsaved = (stored, self._ask(stored))
            return self._adopt(self._save_what_is_unsaved() or stored)

    def give_up(self, access_token: str, error: TikTokError) -> None:
        """Fresh tokens were refused as well: fail fast from now on, until others are in the store."""
        self._dead = (access_token, error)

    def _due(self, tokens: Tokens) -> bool:
        left = tokens.access_expires_time - self._now()
        if left <= 0:
            return True
        # An authorisation that is about to end does not last longer for being renewed.
        extendable = tokens.access_expires_time < tokens.refresh_expires_time
        return extendable and left < self._margin and not self._resting()

    def _adopt(self, tokens: Tokens) -> Tokens:
        # Tokens that live for less than `early` are renewed at half-time instead of with every call.
        self._margin = min(self._early, (tokens.access_expires_time - self._now()) / 2)
        self._tokens, self._dead, self._failed = tokens, None, None
        return tokens

    def _load(self) -> Tokens:
        tokens = self._store.load()
        if tokens is None:
            raise SignInAgain("No TikTok Shop is connected.", "Open Connection and sign in to TikTok Shop.")
        return tokens

    def _ask(self, stored: Tokens) -> Tokens:
        mark = fingerprint(stored.refresh_token)
        interrupted = self._store.refreshing() == mark
        self._store.mark_refreshing(mark)
        try:
            return self._refresh(stored.refresh_token)
        except SignInAgain as error:
            self._store.clear_refreshing()
            final = _lost_answer(error) if interrupted else error
            self._dead = (stored.access_token, final)
            raise final from None
        except TikTokError as error:
            self._failed = (clock.monotonic(), error)
            unsent = isinstance(error, Unreachable) and not error.sent
            if unsent or not isinstance(error, TryLater | BadAnswer):
                self._store.clear_refreshing()
            raise

    def _save_what_is_unsaved(self) -> Tokens | None:
        """Save a pair that could not be saved when it came, unless the owner has signed in anew since."""
        if self._unsaved is None:
            return None
        before, fresh = self._unsaved
        if self._store.load() == before:
            self._store.save(fresh)
        self._unsaved = None
        return fresh

    def _check_alive(self, tokens: Tokens) -> None:
        if self._dead is not None and self._dead[0] == tokens.access_token:
            raise _again(self._dead[1])
        self._dead = None
        if tokens.refresh_expires_time <= self._now():
            raise SignInAgain("The authorisation of this shop has run out.", CONNECT)

    def _check_rested(self) -> None:
        if self._failed is not None and self._resting():
            raise _again(self._failed[1])

    def _resting(self) -> bool:
        return self._failed is not None and clock.monotonic() - self._failed[0] < REST


def _lost_answer(error: TikTokError) -> SignInAgain:
    return SignInAgain(
        "TikTok's answer with new keys was lost (Evenstock was stopped or the connection broke just then), "
        "and the old keys do not work any more.",
        CONNECT,
        code=error.code,
        request_id=error.request_id,
        detail=error.detail,
    )


def _again(error: TikTokError) -> TikTokError:
    """The same error as a new object: one object raised in many threads would mix up their tracebacks."""
    return type(error)(
        error.sentence,
        error.next_step,
        code=error.code,
        request_id=error.request_id,
        retry_after=error.retry_after,
        detail=error.detail,
    )
