"""Every call to TikTok Shop: signed with its time, paced, repeated by rule, with tokens renewed when needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import orjson

from core.tiktok import auth, retry
from core.tiktok.auth import App, Tokens, TokenStore
from core.tiktok.budget import Budget, Wait
from core.tiktok.endpoints import family
from core.tiktok.envelope import lost_write
from core.tiktok.errors import BadAnswer, ClockOff, RateLimited, ServiceDown, SignInAgain, TikTokError, Unreachable
from core.tiktok.exchange import Answer, Exchange, Parcel
from core.tiktok.requestlog import Log, write_line
from core.tiktok.signing import sign
from core.tiktok.skew import ServerClock
from core.tiktok.tokens import EARLY, TokenKeeper
from core.tiktok.wire import CONNECT_SECONDS, READ_SECONDS, Wire

__all__ = ["Answer", "Transport"]

JSON = "application/json"
# What a broken answer to a write may hide: that the write happened.
UNCLEAR = (ServiceDown, BadAnswer)


@dataclass(slots=True)
class _Task:
    """One logical call over its attempts."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    write: bool
    urgent: bool
    shop: str
    lane: str
    renewed: bool = False
    clock_set: bool = False


class Transport:
    """The one way to TikTok Shop, shared by all threads. Close it when done, or use it as a context."""

    def __init__(
        self,
        app: App,
        tokens: TokenStore | None,
        budget: Budget | None = None,
        log: Log = write_line,
        *,
        wait: Wait | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        refresh_early: int = EARLY,
    ) -> None:
        """`wait` sleeps for seconds and returns True to stop (a budget needs it too); `refresh_early` in seconds."""
        self.app = app
        self._wait: Wait = wait or Event().wait
        self.budget = budget or Budget(wait=self._wait)
        self._wire = Wire([app.api_base, app.auth_base], connect_seconds=connect_seconds, read_seconds=read_seconds)
        self._clock = ServerClock()
        self._exchange = Exchange(self._wire, self._clock, log)
        self._keeper: TokenKeeper | None = None
        if tokens is not None:
            self._keeper = TokenKeeper(tokens, self._refresh, self._clock.now, refresh_early)

    @property
    def clock_skew(self) -> float:
        """Seconds that TikTok's clock is ahead of this computer's; negative when ours is fast, 0 before any answer."""
        return self._clock.skew

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        cipher: str | None = None,
        write: bool = False,
        urgent: bool = False,
        shop: str = "",
    ) -> Answer:
        """One call, repeated by rule. Lists in the query are joined with commas; empty values and bodies are left out.

        `write` marks calls whose repetition could do harm: they are sent again only when it is certain that nothing
        happened, otherwise OutcomeUnknown is raised. `shop` names the shop in the log and in the rate budget.
        """
        values = _query(query or {}) | ({"shop_cipher": cipher} if cipher else {})
        content = orjson.dumps(body) if body else b""
        task = _Task(method, path, values, content, write, urgent, shop or cipher or "", family(path))
        attempt = 0
        while True:
            attempt += 1
            tokens = self._keeper.current() if self._keeper else None
            self.budget.acquire(task.shop, task.lane, urgent=urgent)
            try:
                answer = self._exchange.send(self._parcel(task, tokens, attempt, shop))
            except TikTokError as error:
                self._ready_to_repeat(task, error, tokens, attempt)
            else:
                self.budget.served(task.shop, task.lane)
                return answer

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refresh(self, refresh_token: str) -> Tokens:
        return auth.refresh(self.app, refresh_token, self._exchange)

    def _parcel(self, task: _Task, tokens: Tokens | None, attempt: int, shop: str) -> Parcel:
        # Each attempt is signed anew, because its timestamp is part of the signature.
        query = task.query | {"app_key": self.app.key, "timestamp": str(self._clock.now())}
        query["sign"] = sign(self.app.secret, task.path, query, task.body, JSON)
        headers = {"content-type": JSON}
        if tokens:
            headers["x-tts-access-token"] = tokens.access_token
        encoded = urlencode(query, quote_via=quote, safe="")
        return Parcel(task.method, self.app.api_base, task.path, encoded, headers, task.body, shop, attempt)

    def _ready_to_repeat(self, task: _Task, error: TikTokError, tokens: Tokens | None, attempt: int) -> None:
        """Return when the call may be sent once more, after what that takes; otherwise raise."""
        if isinstance(error, SignInAgain) and tokens and self._keeper:
            self._renew(task, error, tokens, self._keeper)
            return
        if isinstance(error, ClockOff) and not task.clock_set:
            task.clock_set = True  # the refusal itself has told us TikTok's time
            return
        if isinstance(error, RateLimited):
            self.budget.throttled(task.shop, task.lane, error.retry_after)
        if task.write and _unclear(error):
            raise lost_write(error) from None
        if not (retry.may_repeat(error, attempt) and retry.worth_waiting(error)):
            raise self._with_skew(error) from None
        retry.rest(retry.pause_before(error, attempt), self._wait)

    def _renew(self, task: _Task, error: TikTokError, tokens: Tokens, keeper: TokenKeeper) -> None:
        if task.renewed:
            keeper.give_up(tokens.access_token, error)
            raise error
        task.renewed = True
        keeper.renew(tokens.access_token)

    def _with_skew(self, error: TikTokError) -> TikTokError:
        if isinstance(error, ClockOff) and abs(self.clock_skew) >= 1:
            side = "behind" if self.clock_skew > 0 else "ahead of"
            error.sentence = f"This computer's clock is {_span(abs(self.clock_skew))} {side} TikTok's."
        return error


def _unclear(error: TikTokError) -> bool:
    return isinstance(error, UNCLEAR) or (isinstance(error, Unreachable) and error.sent)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _query(values: Mapping[str, object]) -> dict[str, str]:
    texts = {key: _text(value) for key, value in values.items()}
    return {key: text for key, text in texts.items() if text}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return str(value)
