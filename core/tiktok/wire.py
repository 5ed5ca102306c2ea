"""The only module that knows the HTTP library: bytes out, bytes in, and whether a lost request had been sent."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
CONNECTIONS = 32
IDLE_SECONDS = 30.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

# Both write whole addresses or headers when told to be talkative, and ours carry secrets.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(Exception):
    """No reply. `sent` is False only when it is certain that nothing left this computer."""

    def __init__(self, sent: bool, timed_out: bool, kind: str) -> None:
        super().__init__(kind)
        self.sent = sent
        self.timed_out = timed_out
        self.kind = kind


class Wire:
    """A pool of kept-alive connections, safe to share between threads."""

    def __init__(
        self, bases: Iterable[str] = (), *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        """`bases` decide about the environment: a loopback service is never asked through a proxy."""
        local = all(urlsplit(base).hostname in LOOPBACK for base in bases)
        self._client = httpx.Client(
            timeout=httpx.Timeout(read_seconds, connect=connect_seconds),
            limits=httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=IDLE_SECONDS
            ),
            follow_redirects=False,
            trust_env=not local,
            headers={"User-Agent": "evenstock", "Accept": "application/json"},
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send exactly these bytes once. Raises Lost, without the address: it may hold secrets."""
        try:
            found = self._client.request(method, url, headers=dict(headers), content=body or None)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise Lost(False, isinstance(error, httpx.TimeoutException), type(error).__name__) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise Lost(False, False, type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Lost(True, isinstance(error, httpx.TimeoutException), type(error).__name__) from None
        return Reply(found.status_code, {key.lower(): value for key, value in found.headers.items()}, found.content)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
