"""What `doctor` looks at on this computer: folder, disk, SQLite, key and rights of files."""

import os
import shutil
import sqlite3
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from core import clock
from core.cli import out
from core.cli.desk import is_taken
from core.jobs import ALIVE_MS, read_beat
from core.settings import Settings, config_folder

OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING
ENOUGH_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: fine, or needing attention with what to do."""

    name: str
    state: Literal["ok", "attention"]
    sentence: str
    next_step: str = ""


def fine(name: str, sentence: str) -> Check:
    """All is well."""
    return Check(name, "ok", sentence)


def attention(name: str, sentence: str, next_step: str) -> Check:
    """Somebody should do something."""
    return Check(name, "attention", sentence, next_step)


def of_computer(given: Settings) -> list[Check]:
    """Everything that can be looked at without opening the store."""
    folder = given.evenstock_data_dir
    found = [_folder(folder), _sqlite()]
    if folder.exists():
        found += [_disk(folder), _instance(given)]
    return [*found, _key(given), _private(given)]


def _folder(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            return fine("data folder", f"{folder.absolute()} can be written.")
    except OSError as error:
        return attention(
            "data folder", f"{folder.absolute()} cannot be written: {error.strerror}.",
            "Allow your user to write there, or choose another folder with EVENSTOCK_DATA_DIR.",
        )  # fmt: skip


def _sqlite() -> Check:
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return fine("sqlite", f"SQLite {sqlite3.sqlite_version} is new enough.")
    wanted = ".".join(map(str, OLDEST_SQLITE))
    return attention(
        "sqlite", f"SQLite {sqlite3.sqlite_version} is too old; {wanted} is needed.", "Use a newer Python."
    )


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    if free >= ENOUGH_BYTES:
        return fine("disk", f"{free / 1e9:,.1f} GB free.")
    return attention("disk", f"Only {free / 1e6:,.0f} MB are free.", "Free some space before the disk is full.")


def _instance(given: Settings) -> Check:
    if not is_taken(given):
        return fine("instance", "No other Evenstock runs on this data folder.")
    beat = read_beat(given.evenstock_data_dir)
    if beat is not None and clock.now_ms() - beat < ALIVE_MS:
        return fine("instance", "Evenstock runs on this data folder, and its loop is alive.")
    return attention(
        "instance", "Another process holds this data folder, but its loop gives no sign of life.",
        "If this stays so for a minute, stop that Evenstock and start it again.",
    )  # fmt: skip


def _key(given: Settings) -> Check:
    if given.evenstock_key.get_secret_value():
        return fine("key", "The key for secrets comes from EVENSTOCK_KEY.")
    file = config_folder() / "store.key"
    if not file.exists():
        return fine("key", f"The key file {file} is made at the first start.")
    if _open_to_others(file):
        return attention("key", f"Others on this computer can read the key file {file}.", f"Run: chmod 600 '{file}'")
    return fine("key", f"Only you can read the key file {file}.")


def _private(given: Settings) -> Check:
    address = make_url(given.store_url)
    files = [given.evenstock_data_dir / "practice" / "evenstock.db"]
    if address.get_backend_name() == "sqlite":
        files.append(Path(address.database or ""))
    for file in files:
        if file.exists() and _open_to_others(file) and _open_to_others(file.parent):
            return attention("rights", f"Others on this computer can read {file}.", f"Run: chmod 600 '{file}'")
    return fine("rights", "Only you can read the store.")


def _open_to_others(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def tell(found: list[Check]) -> None:
    """The checks as a table, and below it what to do."""
    out.table(("Check", "", "What was found"), [(each.name, _MARKS[each.state], each.sentence) for each in found])
    for each in found:
        if each.next_step:
            out.say(f"To do, {each.name}: {each.next_step}")


_MARKS = {"ok": "ok", "attention": "LOOK"}
