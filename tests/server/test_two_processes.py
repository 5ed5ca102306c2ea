"""Two processes on one data folder: one works, the other reads and says so, and a killed one blocks nobody."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.runtime import NotOwner
from tests.server.conftest import ROOT, Dashboard, free_port, started, wait_until


def test_the_second_one_reads_and_says_so(dashboard: Callable[[], Dashboard]) -> None:
    dashboard()
    with started() as second:
        assert not second.owner
        assert "already running on this data folder" in second.owner_note
        wait_until(lambda: second.loop().alive, "the first one's loop gives no sign of life")
        with pytest.raises(NotOwner, match="already running"):
            second.sync_now("all")
        with pytest.raises(NotOwner):
            second.record_sale("anything", 1)
        page = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=30).run()
        assert not page.exception
        assert any("already running on this data folder" in info.value for info in page.info)


def test_two_dashboards_run_side_by_side(dashboard: Callable[[], Dashboard]) -> None:
    first, second = dashboard(), dashboard()
    for each in (second, first):
        assert "Traceback" not in each.end()


def test_a_killed_owner_leaves_nothing_locked(dashboard: Callable[[], Dashboard]) -> None:
    first = dashboard()
    first.process.kill()
    first.process.wait(10)
    with started(loop=True) as second:
        assert second.owner
        wait_until(lambda: second.loop().alive, "the loop gives no sign of life")


def test_an_owner_that_ends_in_peace_makes_room(dashboard: Callable[[], Dashboard]) -> None:
    assert "Traceback" not in dashboard().end()
    with started() as second:
        assert second.owner


def test_a_port_in_use_is_told_and_nothing_is_held(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        words = ["streamlit", "run", "app.py", "--server.headless", "true", "--server.port", str(port)]
        ended = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert f"Port {port} is not available" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    with started() as desk:
        assert desk.owner


def test_a_start_that_failed_holds_no_lock(tmp_path: Path) -> None:
    store = tmp_path / "data" / "practice" / "evenstock.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"this is no database" * 1000)
    with pytest.raises(Exception, match="The store file is damaged"), started():
        pass
    store.unlink()
    with started() as desk:
        assert desk.owner
