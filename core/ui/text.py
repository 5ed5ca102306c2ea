"""Words and numbers as the owner reads them: safe text, money, durations, times in the shop's zone."""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core import clock
from core import money as exact

_JOIN = "\u2060"  # no width, no break: keeps an address readable and stops it from becoming a link
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&^=:\"'])")
_LINKS = re.compile(r"(:(?=[/\w])|@|\bwww(?=\.))", re.IGNORECASE)
DASH = "\N{EN DASH}"


def flat(text: str) -> str:
    """Foreign text on one line, without the invisible characters that turn the direction of what follows."""
    return " ".join(_HIDDEN.sub("", text).split())


def plain(text: str) -> str:
    """Foreign text that stays text inside a Markdown sentence: no links, pictures, colours or formulas."""
    return _PUNCTUATION.sub(r"\\\1", _LINKS.sub(lambda found: found[0] + _JOIN, flat(text)))


def number(value: int) -> str:
    """12,345 with a true minus sign."""
    return f"{value:,}".replace("-", "\N{MINUS SIGN}")


def signed(value: int) -> str:
    """+3, −2, 0."""
    return f"+{value:,}" if value > 0 else number(value)


def plural(count: int, noun: str, many: str = "") -> str:
    """1 order, 1,200 orders, 3 entries (with `many` where an s is not enough)."""
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def money(units: int, currency: str) -> str:
    """An amount for a Markdown sentence or a figure; a dollar sign is no formula there."""
    return exact.show(units, currency).replace("$", "\\$")


def currency_name(currency: str) -> str:
    """How a column header names the currency: the sign where there is one, else the code."""
    return re.sub(r"[\d.,\s]", "", exact.show(0, currency))


def span(milliseconds: float) -> str:
    """A duration in its two largest units at most: 0.4 s, 41 s, 3 min 20 s, 2 h, 3 days."""
    seconds = max(0.0, milliseconds / 1000)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return plural(hours // 24, "day")


def ago(at: int | None, now: int | None = None) -> str:
    """How long ago a moment in milliseconds was: just now, 40 s ago, 3 h ago; in 5 min when it lies ahead; never."""
    if at is None:
        return "never"
    passed = (clock.now_ms() if now is None else now) - at
    if -2_000 < passed < 2_000:
        return "just now"
    words = _roughly(abs(passed) // 1000)
    return f"{words} ago" if passed > 0 else f"in {words}"


def _roughly(seconds: int) -> str:
    for size, unit in ((172_800, ""), (3600, " h"), (60, " min")):
        if seconds >= size:
            return f"{seconds // size}{unit}" if unit else plural(seconds // 86_400, "day")
    return f"{seconds} s"


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of this name, or UTC when this computer does not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(at: int | None, zone_name: str) -> datetime | None:
    """A moment in milliseconds as a date and time in the shop's zone, for table columns."""
    return (
        None if at is None else datetime.fromtimestamp(at / 1000, zone(zone_name)).replace(tzinfo=None, microsecond=0)
    )


def clock_time(at: int | None, zone_name: str) -> str:
    """14:02 today, 19 Nov 14:02 this year, 19 Nov 2025 before; a dash for a moment that is not known."""
    if at is None:
        return DASH
    then = datetime.fromtimestamp(at / 1000, zone(zone_name))
    today = datetime.fromtimestamp(clock.now(), zone(zone_name))
    if then.date() == today.date():
        return f"{then:%H:%M}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then.day} {then:%b %Y}"


def sentence_list(parts: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
