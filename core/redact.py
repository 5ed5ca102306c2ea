"""Keeps secrets out of logs and messages: by the names they go under, and by their registered values."""

import logging
import re
import threading
import traceback
from urllib.parse import quote

HIDDEN = "[hidden]"
SHORTEST = 6  # shorter values would blank ordinary words

_NAMES = (
    r"app_?secret|client_?secret|access_?token|refresh_?token|auth_?code|x-tts-access-token|shop_cipher|cipher"
    r"|authorization|password|passwd|api_?key|evenstock_key|tiktok_shop_app_secret|set-cookie|cookie"
)
# key=value, key: value and "key": "value", with or without quotes and escapes.
_BY_NAME = re.compile(
    rf"""(?ix)
    ( (?<![a-z0-9]) (?:{_NAMES}) \\?["']? \s* [=:] \s* (?:bearer\s+)? b?\\?["']? )
    (?!\[hidden\]) [^\s"'&,;\\)}}\]]+
    """
)
# Names too common to hide everywhere, but secret in an address: ?code=…&state=…&sign=…
_IN_ADDRESS = re.compile(r"(?i)([?&](?:code|state|sign)=)(?!\[hidden\])[^&\s\"']+")

_lock = threading.Lock()
_values: set[str] = set()
_pattern: re.Pattern[str] | None = None


def register_secret(value: str) -> None:
    """Hide this value wherever it turns up from now on, also percent-encoded."""
    global _pattern
    if len(value) < SHORTEST or value in _values:
        return
    with _lock:
        _values.update({value, quote(value, safe="")})
        longest_first = sorted(_values, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first)))


def redact(text: str) -> str:
    """The text with every known secret replaced by a mark."""
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    text = _IN_ADDRESS.sub(rf"\g<1>{HIDDEN}", text)
    return _BY_NAME.sub(rf"\g<1>{HIDDEN}", text)


class Redactor(logging.Filter):
    """Puts every record, its arguments and its traceback through `redact` before a handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record through, cleaned."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = redact(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def install(logger: logging.Logger | None = None) -> None:
    """Clean everything that the handlers of this logger (the root by default) write."""
    for handler in (logger or logging.getLogger()).handlers:
        if not any(isinstance(found, Redactor) for found in handler.filters):
            handler.addFilter(Redactor())
