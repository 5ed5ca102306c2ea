"""Tolerant readers for TikTok's JSON: absent, null, "", [] and numbers for strings are all met in the field."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from core import money

EMPTY: dict[str, object] = {}
LATEST_TIME = 100_000_000_000  # the year 5138 in seconds: anything later is not a time
LARGEST = 2**63 - 1
SAFE_KEYS = ("id", "status", "create_time", "update_time", "product_id", "sku_id")


class Unfit(ValueError):
    """A record lacks what we cannot do without; its message says what."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be used, with the reason and an excerpt that holds no personal data."""

    kind: str
    id: str
    reason: str
    excerpt: str


def unreadable(kind: str, raw: object, reason: object) -> Unreadable:
    """Describe a record that cannot be read by a few harmless fields and the names of the others."""
    fields = mapping(raw)
    known = ", ".join(f"{key}={plain(fields.get(key))[:40]}" for key in SAFE_KEYS if key in fields)
    others = ", ".join(sorted(str(key)[:40] for key in fields if key not in SAFE_KEYS)[:40])
    shape = f"{known}; also {others}" if fields else f"a {type(raw).__name__}"
    return Unreadable(kind, plain(fields.get("id"))[:40], str(reason)[:200], shape[:600])


def plain(value: object) -> str:
    """A string, or a whole number as its digits; anything else is nothing. Floats have lost digits of an id."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""


def needed(value: object, name: str) -> str:
    """Like `plain`, but a record without it is unfit."""
    found = plain(value)
    if not found:
        raise Unfit(f"{name} is missing")
    return found


def mapping(value: object) -> dict[str, object]:
    """The value when it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else EMPTY


def items(value: object) -> list[object]:
    """The value when it is a list, otherwise an empty one."""
    return value if isinstance(value, list) else []


def when(value: object) -> int | None:
    """Unix seconds, or None for absent, zero and nonsense."""
    if type(value) is int:
        return value if 0 < value < LATEST_TIME else None
    found = count(value)
    return found if found is not None and 0 < found < LATEST_TIME else None


def count(value: object) -> int | None:
    """A whole number, also when sent as text or as 12.0; None when it is neither."""
    if type(value) is int:
        return value if -LARGEST <= value <= LARGEST else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if type(value) is str and len(value) < 20 and value.isascii() and value.removeprefix("-").isdigit():
        return count(int(value))
    return None


def flag(value: object) -> bool:
    """True for true, 1 and "true"; everything else is false."""
    return value is True or value == 1 or (type(value) is str and value.lower() == "true")


def units(value: object, name: str = "an amount") -> int:
    """Money as whole ten-thousandths; absent is zero, nonsense makes the record unfit."""
    if value.__class__ is str:
        try:
            return _text_units(value)
        except Unfit:
            raise Unfit(f"{name} is not an amount") from None
    if value is None or value == [] or value == {}:
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return units(str(value), name)
    raise Unfit(f"{name} is not an amount")


def amount(value: object) -> int | None:
    """Money as whole ten-thousandths, or None when absent or nonsense."""
    try:
        return units(value) if value not in (None, "", [], {}) else None
    except Unfit:
        return None


# Prices repeat from order to order, so most texts are looked up and never parsed.
@lru_cache(maxsize=1 << 16)
def _text_units(text: str) -> int:
    whole, _, part = text.partition(".")
    if whole.isdigit() and text.isascii() and len(whole) <= 14 and len(part) <= 4 and (part.isdigit() or not part):
        return int(whole) * 10_000 + int(part.ljust(4, "0"))
    if not text.strip():
        return 0
    try:
        found = money.to_units(Decimal(text.strip()).quantize(Decimal("0.0001")))
    except (InvalidOperation, ValueError, OverflowError):
        raise Unfit("not an amount") from None
    if abs(found) > LARGEST:
        raise Unfit("too large")
    return found


def texts(values: Iterable[object]) -> tuple[str, ...]:
    """The readable strings among the values."""
    return tuple(found for found in map(plain, values) if found)
