"""The HTTP library itself, against real sockets: what is certain about a request without an answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.tiktok.wire import Lost, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Found: Yes\r\n\r\nok"


class Peer:
    """Answers each connection by a script of what to send per request; None hangs, b"" hangs up."""

    def __init__(self, *script: bytes | None) -> None:
        self._script = list(script)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        while self._script:
            request = _read_request(connection)
            if not request:
                return
            self.requests.append(request)
            answer = self._script.pop(0)
            if answer is None:
                return
            if answer == b"":
                connection.close()
                return
            connection.sendall(answer)

    def close(self) -> None:
        for connection in self._open:
            connection.close()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def peer(*script: bytes | None) -> Iterator[Peer]:
    found = Peer(*script)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def wire_to(url: str, read_seconds: float = 5.0) -> Iterator[Wire]:
    with Wire([url], connect_seconds=2, read_seconds=read_seconds) as wire:
        yield wire


def test_the_connection_is_kept_and_the_bytes_arrive_as_given() -> None:
    with peer(OK, OK) as other, wire_to(other.url) as wire:
        address = f"{other.url}/a/202309/b?page_token=a%2Bb%2F%3D%2C%20c&empty="
        reply = wire.send("DELETE", address, {"x-tts-access-token": "t"}, '{"a": "è"}'.encode())
        wire.send("GET", address, {})
        assert (reply.status, reply.headers["x-found"], reply.body) == (200, "Yes", b"ok")
        assert other.connections == 1
        assert other.requests[0].startswith(b"DELETE /a/202309/b?page_token=a%2Bb%2F%3D%2C%20c&empty= HTTP/1.1\r\n")
        assert other.requests[0].endswith(b'\r\n\r\n{"a": "\xc3\xa8"}')
        assert other.requests[1].endswith(b"\r\n\r\n")


def test_a_refused_connection_is_certain_not_to_have_sent_anything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with wire_to("http://127.0.0.1") as wire, pytest.raises(Lost) as caught:
        wire.send("POST", f"http://127.0.0.1:{port}/", {}, b"{}")
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://[/"])
def test_an_address_that_is_none_has_not_sent_anything(url: str) -> None:
    with wire_to("http://127.0.0.1") as wire, pytest.raises(Lost) as caught:
        wire.send("GET", url, {})
    assert not caught.value.sent


def test_an_answer_that_does_not_come_in_time_may_have_been_acted_upon() -> None:
    with peer(None) as other, wire_to(other.url, read_seconds=0.05) as wire, pytest.raises(Lost) as caught:
        wire.send("POST", f"{other.url}/", {}, b"{}")
    assert caught.value.sent
    assert caught.value.timed_out


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", b"nonsense\r\n\r\n"])
def test_an_answer_that_breaks_off_may_have_been_acted_upon(answer: bytes) -> None:
    with peer(answer) as other, wire_to(other.url, read_seconds=0.2) as wire, pytest.raises(Lost) as caught:
        wire.send("POST", f"{other.url}/", {}, b"{}")
    assert caught.value.sent
    assert caught.value.__cause__ is None


def test_a_kept_connection_that_the_other_side_closed_is_replaced() -> None:
    with peer(OK + b"", OK) as other, wire_to(other.url) as wire:
        wire.send("GET", f"{other.url}/", {})
        other._open[0].shutdown(socket.SHUT_RDWR)
        assert wire.send("POST", f"{other.url}/", {}, b"{}").body == b"ok"
        assert other.connections == 2


def test_a_service_on_this_computer_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with peer(OK) as other, wire_to(other.url) as wire:
        assert wire.send("GET", f"{other.url}/", {}).status == 200


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    with peer(moved) as other, wire_to(other.url) as wire:
        assert wire.send("GET", f"{other.url}/", {"x-tts-access-token": "t"}).status == 302
