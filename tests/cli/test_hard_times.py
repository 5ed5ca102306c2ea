"""Folder read-only, store locked, disk full, store damaged or too new: a sentence, no traceback, no loss."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Core


def ordinary() -> tuple[str, ...]:
    """A prefix that makes even root respect the rights of files."""
    rights = "-dac_override,-dac_read_search"
    return () if os.geteuid() else ("setpriv", "--bounding-set", rights, "--inh-caps", rights)


def room_for(size: int) -> tuple[str, ...]:
    """A prefix under which no file can grow beyond this many bytes, as on a disk that is nearly full."""
    return ("bash", "-c", 'ulimit -f "$0" && exec "$@"', str(size // 1024))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write in this folder."""
    files = [folder, *folder.rglob("*")]
    modes = {file: file.stat().st_mode for file in files}
    for file in files:
        file.chmod(0o555 if file.is_dir() else 0o444)
    try:
        yield
    finally:
        for file, mode in modes.items():
            file.chmod(mode)


def test_a_read_only_folder_is_told(synced: Core) -> None:
    with read_only(synced.folder):
        done = synced.process("sync", prefix=ordinary())
    assert done.code == 1
    assert "cannot be written" in done.err
    assert "Allow your user to write to the data folder" in done.err


def test_a_folder_that_cannot_be_made_is_told(core: Core) -> None:
    core.folder.parent.chmod(0o555)
    try:
        done = core.process("status", prefix=ordinary())
    finally:
        core.folder.parent.chmod(0o755)
    assert done.code == 1
    assert "cannot be written" in done.err


def test_doctor_names_a_read_only_folder(synced: Core) -> None:
    with read_only(synced.folder):
        done = synced.process("doctor", "--json", prefix=ordinary())
    assert done.code == 3
    (check,) = [check for check in done.document["checks"] if check["name"] == "data folder"]
    assert check["state"] == "attention"
    assert "EVENSTOCK_DATA_DIR" in check["next_step"]


def test_a_store_locked_by_another_program_is_told_and_used_again_later(synced: Core, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,title\nNEW-1,A new thing\n")
    other = sqlite3.connect(synced.store, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    done = synced.process("import", goods)
    other.close()
    assert done.code == 1
    assert "Another program is using the store file" in done.err
    assert synced("import", goods).code == 0


def test_a_full_disk_is_told_and_nothing_is_imported_in_part(synced: Core, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,title\n" + "".join(f"NEW-{n},{'A long title ' * 20}{n}\n" for n in range(20_000)))
    done = synced.process("import", goods, prefix=room_for(synced.store.stat().st_size + 500_000))
    assert done.code == 1
    assert "The disk is full" in done.err
    with sqlite3.connect(synced.store) as database:
        assert database.execute("SELECT count(*) FROM item WHERE sku LIKE 'NEW-%'").fetchone() == (0,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert synced("import", goods).code == 0


def test_a_backup_without_room_leaves_nothing_behind(synced: Core, tmp_path: Path) -> None:
    done = synced.process("backup", tmp_path / "copy.db", prefix=room_for(100_000))
    assert done.code == 1
    assert "The disk is full" in done.err
    assert [file.name for file in tmp_path.iterdir() if "copy" in file.name] == []


def test_a_damaged_store_is_told_and_a_backup_brings_it_back(synced: Core, tmp_path: Path) -> None:
    synced("backup", tmp_path / "copy.db")
    synced.store.write_bytes(b"this is no database" * 4096)
    done = synced("status")
    assert done.code == 1
    assert "The store file is damaged." in done.err
    assert "restore" in done.err
    checked = synced("doctor")
    assert checked.code == 3
    assert "damaged" in checked.out
    assert synced("restore", tmp_path / "copy.db").code == 0
    assert synced("status").code == 0


def test_a_damage_deep_inside_is_found_by_doctor(synced: Core) -> None:
    with sqlite3.connect(synced.store) as database:
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'run_started'").fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    with synced.store.open("rb+") as stream:
        stream.seek((page - 1) * size + size - 200)
        stream.write(b"\xff" * 200)
    done = synced("doctor", "--json")
    assert done.code == 3
    assert any("damaged" in check["sentence"] for check in done.document["checks"])


def test_a_store_of_a_newer_evenstock_is_told(synced: Core) -> None:
    with sqlite3.connect(synced.store) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in ("status", "sync", "reconcile"):
        done = synced(command)
        assert done.code == 1
        assert "written by a newer Evenstock" in done.err
    assert synced("doctor").code == 3


def test_a_ledger_that_does_not_add_up_is_found_by_doctor(synced: Core) -> None:
    with sqlite3.connect(synced.store) as database:
        database.execute("UPDATE level SET on_hand = on_hand + 1 WHERE item_id = 1")
    database.close()
    done = synced("doctor", "--json")
    assert done.code == 3
    (check,) = [check for check in done.document["checks"] if check["name"] == "ledger"]
    assert "does not add up for 1 item" in check["sentence"]


def test_an_item_that_is_stopped_is_told_by_doctor(synced: Core) -> None:
    def books() -> dict[str, str]:
        return next(check for check in synced("doctor", "--json").document["checks"] if check["name"] == "books")

    assert books()["state"] == "ok"
    with sqlite3.connect(synced.store) as database:
        database.execute("UPDATE item SET halted_at = 1, halted_why = 'It does not add up.' WHERE id = 1")
    database.close()
    assert books()["state"] == "attention"
    assert "is sent to TikTok: It does not add up." in books()["sentence"]
    assert "add it up again" in books()["next_step"]


def test_a_key_file_that_others_can_read_is_found_by_doctor(
    synced: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENSTOCK_KEY")
    file = tmp_path / "config" / "evenstock" / "store.key"
    file.parent.mkdir(parents=True)
    file.write_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
    file.chmod(0o644)
    done = synced("doctor", "--json")
    (check,) = [check for check in done.document["checks"] if check["name"] == "key"]
    assert check["next_step"] == f"Run: chmod 600 '{file}'"
    file.chmod(0o600)
    assert "Only you can read the key file" in synced("doctor").out


def test_output_that_nobody_reads_any_more_is_no_error(synced: Core) -> None:
    with synced.start("reconcile", "--all") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode in (1, 3)
    assert "Traceback" not in err
    assert "Exception" not in err


def test_help_imports_nothing_heavy() -> None:
    heavy = "('sqlalchemy', 'pandas', 'httpx', 'pydantic', 'cryptography', 'starlette')"
    code = f"import sys, core.cli; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
