"""The envelope in which every answer travels, and the refusals that end a request."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


class Refusal(Exception):
    """A request is answered with an error code instead of data (TikTok Shop API: "Common errors")."""

    def __init__(self, code: int, message: str, *, status: int | None = None, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}


class NotPossible(Exception):
    """A control route asks for something that this shop cannot do now; the text is a sentence for a person."""


def bad_parameter(place: str, name: str, why: str = "is invalid") -> Refusal:
    """The umbrella refusal for a parameter, worded as the gateway words it; `place` is "body" or "query"."""
    return Refusal(36009004, f"param {place}.{name} {why}")


def envelope(code: int, message: str, data: Any, request_id: str) -> bytes:
    """The documented wrapping of every answer."""
    return orjson.dumps({"code": code, "message": message, "data": data, "request_id": request_id})


def envelope_of_bytes(data: bytes, request_id: str) -> bytes:
    """The wrapping around data that is JSON already."""
    return b'{"code":0,"message":"Success","data":' + data + b',"request_id":"' + request_id.encode() + b'"}'


def json_answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An HTTP answer with a JSON body that is bytes already."""
    return Response(body, status, headers, "application/json")
