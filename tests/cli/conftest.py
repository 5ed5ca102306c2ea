"""A data folder of its own for each test, with the practice shop in it, and the command line to work on it."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.settings import settings

ROOT = Path(__file__).parents[2]


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass
class Core:
    """The command line on one data folder."""

    folder: Path

    def __call__(self, *words: object) -> Done:
        """Run a command in this process."""
        settings.cache_clear()
        found = CliRunner().invoke(app, [str(word) for word in words], prog_name="python -m core")
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        done = Done(found.exit_code, found.stdout, found.stderr)
        assert "Traceback" not in done.err
        return done

    def start(self, *words: object, prefix: tuple[str, ...] = (), **how: Any) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        command = [*prefix, sys.executable, "-W", "error", "-m", "core", *map(str, words)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **how,
        )  # fmt: skip

    def process(self, *words: object, prefix: tuple[str, ...] = (), **how: Any) -> Done:
        """Run a command as a process of its own."""
        process = self.start(*words, prefix=prefix, **how)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return Done(process.returncode, out, err)

    @property
    def store(self) -> Path:
        """The practice desk's store file."""
        return self.folder / "practice" / "evenstock.db"


def _environment(folder: Path, set_variable: Callable[[str, str], None]) -> None:
    set_variable("EVENSTOCK_DATA_DIR", str(folder))
    set_variable("EVENSTOCK_PRACTICE_ORDERS", "60")
    set_variable("EVENSTOCK_KEY", "a made-up key for tests")
    set_variable("XDG_CONFIG_HOME", str(folder.parent / "config"))


def _isolate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("TIKTOK_SHOP_", "EVENSTOCK_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    _environment(folder, monkeypatch.setenv)
    monkeypatch.chdir(folder.parent)  # no .env of the developer's


@contextmanager
def log_of_its_own() -> Iterator[None]:
    """What a start in this process does to the log ends here."""
    logger = logging.getLogger("evenstock")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """No test's log reaches into the next."""
    with log_of_its_own():
        yield


@pytest.fixture(scope="session")
def synced_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice desk that has been synced once; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    with pytest.MonkeyPatch.context() as monkeypatch, log_of_its_own():
        _isolate(monkeypatch, folder)
        assert Core(folder)("sync").code == 3
    return folder


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    """A new, empty data folder."""
    _isolate(monkeypatch, tmp_path / "data")
    yield Core(tmp_path / "data")
    settings.cache_clear()


@pytest.fixture
def synced(core: Core, synced_folder: Path) -> Core:
    """A data folder whose practice shop was synced once."""
    shutil.copytree(synced_folder, core.folder)
    return core
