"""A practice shop that is asked without a network: the same gateway, the same bytes, in the same thread. Or over HTTP.

Every request takes a moment of the turned clock, and `meanwhile` is called before and after TikTok works on it, so that
buyers can come between any two steps of ours. A request may also be lost and arrive all the same, a little later.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson

from core import clock
from core.practice import PracticeShop, serve
from core.practice.api import Gateway
from core.practice.consent import TokenHost
from core.practice.identity import SHOP_ID
from core.tiktok.wire import Lost, Reply, Wire

UPDATE = "/inventory/update"


class Inside:
    """Stands where a PracticeServer stands. `number` tells several shops apart: each has an id and orders of its own.

    With `http` the bytes travel over a real connection to a real server, and all else stays as it is.
    """

    at: ClassVar[dict[str, "Inside"]] = {}

    def __init__(self, shop: PracticeShop, time: clock.Turned, number: int = 1, *, http: bool = False) -> None:
        self.shop = shop
        self.server = serve(shop) if http else None
        self.wire = Wire([self.server.base_url], read_seconds=5) if self.server else None
        self.time = time
        self.base_url = f"http://127.0.0.1:{number}"
        self.shop_id = str(int(SHOP_ID) + number - 1)
        self.meanwhile: Callable[[str], None] = lambda path: None
        self.chance: random.Random | None = None  # None: every request takes no time and arrives
        self.served: Callable[[str, bytes, bytes], None] = lambda path, asked, answer: None
        self.late_writes = 0  # so many of the next writes are lost and arrive later
        self.lag = 0  # seconds until a new order is visible in the list of orders
        self._late: list[tuple[float, tuple[str, str, Mapping[str, str], bytes]]] = []
        self._gateway, self._tokens = Gateway(shop.parts), TokenHost(shop.parts)
        Inside.at[self.base_url] = self

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """One request, as the wire sends it."""
        path = urlsplit(url).path
        self._moment(path)
        if self.late_writes and path.endswith(UPDATE) and self.chance is not None:
            self.late_writes -= 1
            self.time.turn(self.chance.uniform(1, 20))
            self._late.append((self.time.seconds + self.chance.uniform(0.5, 10), (method, url, headers, body)))
            raise Lost(True, True, "ReadTimeout")
        try:
            reply = self._answer(method, url, headers, body)
        except (ConnectionResetError, Lost):
            if self.chance is not None:
                self.time.turn(self.chance.choice((0.1, 2.0, 20.0)))
                self.meanwhile(path)
            raise Lost(True, True, "ReadTimeout") from None
        self.served(path, body, reply.body)
        self._moment(path)
        return reply

    def arrive(self) -> None:
        """What was delayed and is due takes effect now; nobody hears the answer."""
        due = [one for one in self._late if one[0] <= self.time.seconds]
        self._late = [one for one in self._late if one not in due]
        for _, request in due:
            with suppress(ConnectionResetError, Lost):
                self._answer(*request)

    def close(self) -> None:
        if self.server and self.wire:
            self.wire.close()
            self.server.stop()
        self.shop.close()

    def _moment(self, path: str) -> None:
        if self.chance is not None:
            self.time.turn(self.chance.choice((0.02, 0.1, 0.2, 0.4, 1.0)))
            self.arrive()
            self.meanwhile(path)

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        place = urlsplit(url)
        if self.server and self.wire:
            reply = self.wire.send(method, self.server.base_url + url.removeprefix(self.base_url), headers, body)
            return Reply(reply.status, reply.headers, self._own(place.path, reply.body))
        token = place.path.startswith("/api/v2/token/")
        own = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": "http", "method": method, "path": place.path, "raw_path": place.path.encode(),
            "query_string": place.query.encode(), "http_version": "1.1", "server": ("127.0.0.1", 1), "scheme": "http",
            "headers": [(b"host", place.netloc.encode()), *own],
            "path_params": {"call": place.path.rpartition("/")[2]} if token else {}, "practice.cut": _cut,
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        _finish((self._tokens if token else self._gateway)(scope, receive, send))  # type: ignore[arg-type]
        found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, self._own(place.path, b"".join(part["body"] for part in sent[1:])))

    def _own(self, path: str, body: bytes) -> bytes:
        """The answer as this shop gives it: under its id, and with new orders visible only after a while."""
        if path == "/authorization/202309/shops":
            return body.replace(SHOP_ID.encode(), self.shop_id.encode())
        if self.lag and path.endswith("/orders/search") and body.startswith(b"{") and body.endswith(b"}"):
            answer = orjson.loads(body)
            told = (answer.get("data") or {}).get("orders")
            if told:
                visible = [one for one in told if one["create_time"] <= self.time.seconds - self.lag]
                answer["data"] |= {
                    "orders": visible, "total_count": answer["data"]["total_count"] - len(told) + len(visible)
                }  # fmt: skip
                return orjson.dumps(answer)
        return body


def _cut() -> None:
    raise ConnectionResetError


def _finish(work: Awaitable[None]) -> None:
    """Run what never really waits to its end."""
    steps = work.__await__()
    try:
        while True:
            next(steps)
    except StopIteration:
        return


class InsideWire:
    """Stands where a Wire stands."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        return self.inside.send(method, url, headers, body)

    def close(self) -> None:
        pass

    def __enter__(self) -> "InsideWire":
        return self

    def __exit__(self, *given: object) -> None:
        pass


def wire_to(bases: Iterable[str] = (), **seconds: float) -> Any:
    """A wire to a practice shop inside this process, or a real one."""
    found = Inside.at.get(next(iter(bases), ""))
    return InsideWire(found) if found else Wire(bases, **seconds)


class OneAfterTheOther:
    """Stands where a ThreadPoolExecutor stands, so that a seed gives the same day every time."""

    def __init__(self, *given: object, **more: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *given: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given, **more))
        except BaseException as error:
            future.set_exception(error)
        return future

    def __enter__(self) -> "OneAfterTheOther":
        return self

    def __exit__(self, *given: object) -> None:
        pass

    def shutdown(self, **how: object) -> None:
        pass
