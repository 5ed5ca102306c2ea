"""Copies of a SQLite store: whole, checked, readable by its owner only, and put back without losing what was there."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core import clock
from core.store.errors import StoreDamaged, StoreProblem, explain
from core.store.migrate import check_known

_NEEDED = {"movement", "orders", "listing", "secret", "alembic_version"}


class NoBackup(Exception):
    """The file cannot be used as a backup, or no backup could be written: `sentence` says why."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


def stamp() -> str:
    """The moment as part of a file name, in UTC."""
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%d-%H%M%S")


def back_up(source: Path, target: Path) -> int:
    """Copy the store to a new file while others use it. Returns its bytes; raises NoBackup and StoreProblem."""
    if not source.is_file():
        raise NoBackup(f"There is no store at {source}.", "Start Evenstock once.")
    if target.exists():
        raise NoBackup(f"There is a file {target} already.", "Choose another name.")
    part = _private(target.with_name(f".{target.name}.part"))
    try:
        _copy(source, part)
        _make_durable(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(file: Path, store: Path) -> Path | None:
    """Put a backup in place of the store, which nobody may have open. Returns where what it replaced is kept.

    The backup is checked first. Sign-ins of today stay, because those of a backup may have been used up; and every
    shop is only watched until the owner agrees to a plan again, because stock counted since the backup is missing.
    Raises NoBackup and StoreProblem.
    """
    _check(file)
    part = _private(store.with_name(f".{store.name}.restoring"))
    try:
        _copy(file, part)
        with _opened(part) as database:
            _take_sign_ins(database, store)
            database.execute("UPDATE shop SET mode = 'watch'")
        _make_durable(part)
        kept = _put_aside(store)
        part.replace(store)
    finally:
        part.unlink(missing_ok=True)
    return kept


def _check(file: Path) -> None:
    if not file.is_file():
        raise NoBackup(f"There is no file {file}.", "Check the name.")
    try:
        with _opened(file, "?mode=ro") as database:
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables >= _NEEDED:
                raise NoBackup(f"{file} is not a backup of Evenstock.", "Choose another file; nothing was changed.")
            check_known(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
            verdict = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except StoreDamaged as error:
        raise NoBackup(f"{file} is damaged or not a backup.", "Choose another file; nothing was changed.") from error
    if verdict != "ok":
        raise NoBackup(f"{file} is damaged.", "Choose an older backup; nothing was changed.")


def _take_sign_ins(database: sqlite3.Connection, store: Path) -> None:
    if not store.is_file():
        return
    try:
        database.execute("ATTACH DATABASE ? AS today", (str(store),))
        database.execute("INSERT OR REPLACE INTO main.secret SELECT * FROM today.secret")
        database.execute("DETACH DATABASE today")
    except sqlite3.Error:
        pass  # the store to be replaced is damaged, which is why it is replaced


def _put_aside(store: Path) -> Path | None:
    """Keep the store with its side files under another name, so that nothing of it can mix with its successor."""
    if not store.exists():
        return None
    try:
        with _opened(store) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (StoreProblem, sqlite3.Error):
        pass  # damaged: its side file is kept beside it
    kept = store.parent / "backups" / f"before-restore-{stamp()}.db"
    _private(kept)
    for ending in ("", "-wal"):
        part = store.with_name(store.name + ending)
        if part.exists():
            shutil.copyfile(part, kept.with_name(kept.name + ending))
    for ending in ("-wal", "-shm"):
        store.with_name(store.name + ending).unlink(missing_ok=True)
    return kept


def _copy(source: Path, target: Path) -> None:
    with _opened(source, "?mode=ro") as database:
        database.execute("VACUUM INTO ?", (str(target),))


@contextmanager
def _opened(file: Path, how: str = "") -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}{how}", uri=True, isolation_level=None)) as database:
            yield database
    except sqlite3.Error as error:
        problem = explain(error)
        if problem is None:
            raise
        raise problem from error


def _private(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return file


def _make_durable(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
