"""Page tokens: opaque, bound to the query they came from, and full of the characters that clients forget to escape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass

_MARK = b"\xfb\xff\xfe"  # reads "+//+" in base64
_PLACE = struct.Struct(">qqq8s")
_KEY = b"practice page tokens"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the sort value and id of its last row, and how many rows the query has in all."""

    value: int
    id: int
    total: int


def write_token(place: Place, query: bytes) -> str:
    """The token for the page after `place` of this query."""
    packed = _PLACE.pack(place.value, place.id, place.total, _digest(query))
    return base64.b64encode(_MARK + packed + _digest(packed)).decode()


def read_token(token: str, query: bytes) -> Place | None:
    """The place that a token names, or None for a damaged token or one of another query."""
    try:
        raw = base64.b64decode(token, validate=True)
    except ValueError:
        return None
    packed, seal = raw[len(_MARK) : -8], raw[-8:]
    if len(packed) != _PLACE.size or not hmac.compare_digest(seal, _digest(packed)):
        return None
    value, last_id, total, digest = _PLACE.unpack(packed)
    return Place(value, last_id, total) if digest == _digest(query) else None


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, key=_KEY, digest_size=8).digest()
