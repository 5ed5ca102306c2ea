"""Connecting from the terminal: what is wrong is named, secrets are never shown, and a real desk takes over."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from tests.cli.conftest import ROOT, Core

SECRET = CREDENTIALS.app_secret


@pytest.fixture(scope="module")
def service() -> Iterator[PracticeServer]:
    """A practice shop on a port of its own, which Evenstock takes for the real service."""
    shop = PracticeShop(products=3, orders=5)
    with serve(shop) as server:
        yield server
    shop.close()


@pytest.fixture
def outside(core: Core, service: PracticeServer, monkeypatch: pytest.MonkeyPatch) -> Core:
    """A command line that knows the addresses, the app and its secret from the environment."""
    for name, value in {
        "API_BASE": service.base_url, "AUTH_BASE": service.base_url, "APP_KEY": CREDENTIALS.app_key,
        "APP_SECRET": SECRET, "SERVICE_ID": CREDENTIALS.service_id,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TIKTOK_SHOP_{name}", value)
    return core


def agree(link: str, decision: str = "allow") -> str:
    """What the owner does in the browser; returns the address they come to."""
    return httpx.get(f"{link}&decision={decision}", trust_env=False).headers["location"]


def test_a_script_connects_in_two_commands(outside: Core) -> None:
    begun = outside("connect")
    assert begun.code == 3
    link = begun.out.strip()
    assert parse_qs(urlsplit(link).query)["service_id"] == [CREDENTIALS.service_id]
    done = outside("connect", "--code", agree(link))
    assert done.code == 0, done.err
    assert done.out.startswith("Connected: ")
    found = outside("status", "--json").document
    assert found["desk"] == "your shops"
    assert found["shops"][0]["sign_in"]["problem"] == ""
    assert outside("sync").code in (0, 3)
    assert SECRET not in begun.out + begun.err + done.out + done.err


def test_a_bare_code_is_enough_when_the_environment_has_the_app(outside: Core, service: PracticeServer) -> None:
    assert outside("connect", "--code", service.shop.authorise()).code == 0


def test_a_code_that_was_used_or_made_up_is_told(outside: Core) -> None:
    done = outside("connect", "--code", "made-up-code")
    assert done.code == 1
    assert "code" in done.err
    assert outside("status", "--json").document["desk"] == "practice shop"


def test_a_refusal_on_the_consent_page_is_told(outside: Core) -> None:
    link = outside("connect").out.strip()
    done = outside("connect", "--code", agree(link, "refuse"))
    assert done.code == 1
    assert "The sign-in was refused on TikTok's page." in done.err


def test_an_address_of_another_sign_in_is_told(outside: Core) -> None:
    link = outside("connect").out.strip()
    other = agree(link).replace("state=", "state=other")
    done = outside("connect", "--code", other)
    assert done.code == 1
    assert "does not belong to the sign-in" in done.err


def test_an_address_without_a_code_is_told(outside: Core) -> None:
    outside("connect")
    done = outside("connect", "--code", "http://127.0.0.1:8501/oauth/callback")
    assert done.code == 1
    assert "There is no code in this." in done.err


@pytest.mark.parametrize(("name", "said"), [("APP_KEY", "key"), ("APP_SECRET", "secret")])
def test_a_wrong_key_or_secret_is_told(
    outside: Core, service: PracticeServer, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv(f"TIKTOK_SHOP_{name}", "made-up-and-wrong")
    done = outside("connect", "--code", service.shop.authorise())
    assert done.code == 1
    assert said in done.err
    assert "made-up-and-wrong" not in done.err


def test_a_code_without_a_sign_in_or_an_app_is_told(core: Core) -> None:
    done = core("connect", "--code", "some-code")
    assert done.code == 1
    assert "No sign-in was started here." in done.err


def test_without_a_terminal_what_is_missing_is_named_with_its_variable(core: Core) -> None:
    done = core("connect")
    assert done.code == 1
    assert "TIKTOK_SHOP_APP_KEY" in done.err


def test_an_unreachable_service_is_told(outside: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_SHOP_API_BASE", "http://127.0.0.1:9")
    monkeypatch.setenv("TIKTOK_SHOP_AUTH_BASE", "http://127.0.0.1:9")
    done = outside("connect", "--code", "some-code")
    assert done.code == 1
    assert "There is no connection to 127.0.0.1." in done.err


def test_in_a_terminal_everything_is_asked_for_and_the_secret_is_not_shown(
    core: Core, service: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_SHOP_API_BASE", service.base_url)
    monkeypatch.setenv("TIKTOK_SHOP_AUTH_BASE", service.base_url)
    seen = converse(
        [sys.executable, "-m", "core", "connect"],
        [
            ("App key: ", lambda _: CREDENTIALS.app_key),
            ("App secret (not shown): ", lambda _: SECRET),
            ("Service id: ", lambda _: CREDENTIALS.service_id),
            ("Address or code: ", lambda text: agree(next(w for w in text.split() if w.startswith(service.base_url)))),
        ],
    )
    assert "Connected: " in seen
    assert SECRET not in seen


IN_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def converse(command: list[str], answers: list[tuple[str, Callable[[str], str]]]) -> str:
    """Run a command in a terminal of its own, answer its questions, and return all that was on screen."""
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *command], env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    seen = ""
    with process, process.stdout as screen:
        for question, answer in answers:
            while question not in seen.rpartition("\n")[2]:
                chunk = screen.read(4096)
                assert chunk, seen
                seen += chunk.decode()
            process.stdin.write(f"{answer(seen)}\n".encode())
        while chunk := screen.read(4096):
            seen += chunk.decode()
    assert process.returncode == 0, seen
    return seen
