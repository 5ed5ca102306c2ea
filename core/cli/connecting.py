"""`connect`: from the app's key and secret to a connected shop."""

import sys

import typer

from core import connect
from core.cli import out
from core.cli.desk import working
from core.connect import ConnectResult
from core.runtime import Runtime
from core.settings import Settings


def connect_shop(code: str, region: str) -> int:
    """Lead through the sign-in, or finish it with `code`; returns the exit code."""
    with working() as runtime:
        result = _with_code(runtime, code, region) if code else _by_hand(runtime, region)
    if result is None:
        out.note(
            'The sign-in waits for its code: python -m core connect --code "ADDRESS", within 30 minutes of agreeing.'
        )
        return out.ATTENTION
    if not result.ok:
        raise out.Problem(result.sentence, result.next_step)
    out.say(result.sentence)
    out.note("Read the shop now: python -m core sync")
    return 0


def _with_code(runtime: Runtime, code: str, region: str) -> ConnectResult:
    """For scripts: take up the sign-in that `connect` began, or begin it here with what the environment tells."""
    result = runtime.connect_finish(code)
    if result == connect.NOT_STARTED and runtime.settings.wants_real_shop:
        _begin(runtime, runtime.settings, region)
        result = runtime.connect_finish(code)
    return result


def _by_hand(runtime: Runtime, region: str) -> ConnectResult | None:
    link = _begin(runtime, runtime.settings, region)
    out.note("Open this page in a browser, agree there, and copy the whole address of the page you come to:")
    out.say(link)
    if not sys.stdin.isatty():
        return None
    return runtime.connect_finish(str(typer.prompt("Address or code", err=True)))


def _begin(runtime: Runtime, given: Settings, region: str) -> str:
    key = given.tiktok_shop_app_key or _ask("App key", "TIKTOK_SHOP_APP_KEY")
    secret = given.tiktok_shop_app_secret.get_secret_value() or _ask(
        "App secret (not shown)", "TIKTOK_SHOP_APP_SECRET", hidden=True
    )
    service = given.tiktok_shop_service_id or _ask("Service id", "TIKTOK_SHOP_SERVICE_ID")
    return runtime.connect_begin(key, secret, service, region or given.tiktok_shop_region)


def _ask(what: str, variable: str, *, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise out.Problem(
            f"The {what.split(' (')[0].lower()} is missing.", f"Set {variable}, or run this in a terminal."
        )
    return str(typer.prompt(what, hide_input=hidden, err=True)).strip()
