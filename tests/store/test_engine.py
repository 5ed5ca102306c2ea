"""The store itself: who may write when, and what a locked, read-only, full or damaged file says."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.store.engine import Store, Turns, open_store
from core.store.errors import StoreDamaged, StoreFull, StoreLocked, StoreNewer, StoreProblem, StoreReadOnly
from core.store.migrate import HEAD
from core.store.tables import Secret
from core.store.upsert import upsert


def at(file: Path) -> str:
    return f"sqlite:///{file.as_posix()}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "evenstock.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    found = open_store(at(file))
    yield found
    found.close()


def keep(store: Store, name: str, size: int = 3, *, urgent: bool = False) -> None:
    with store.write(urgent=urgent) as connection:
        upsert(connection, Secret, [{"name": name, "sealed": b"x" * size, "updated_at": 1}])


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(text("SELECT name FROM secret ORDER BY name")).scalars())


def test_a_transaction_is_kept_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(OperationalError, match="no such table"), store.write() as connection:  # noqa: PT012
        upsert(connection, Secret, [{"name": "a", "sealed": b"", "updated_at": 1}])
        connection.execute(text("DELETE FROM nowhere"))
    assert names(store) == []


def test_the_revision_rises_with_every_change_and_with_nothing_else(store: Store) -> None:
    heard: list[int] = []
    store.on_change.append(lambda: heard.append(store.revision()))
    before = store.revision()
    with store.write() as connection:
        connection.execute(text("UPDATE secret SET name = 'b' WHERE name = 'none of this name'"))
    assert (store.revision(), heard) == (before, [])
    keep(store, "a")
    assert (store.revision(), heard) == (before + 1, [before + 1])


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreReadOnly), store.read() as connection:
        connection.execute(text("DELETE FROM secret"))


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    with store.read() as connection:
        query = text("SELECT count(*) FROM secret")
        assert connection.execute(query).scalar() == 0
        keep(store, "a")
        assert connection.execute(query).scalar() == 0
    assert names(store) == ["a"]


def test_a_person_who_waits_goes_before_queued_background_work(store: Store) -> None:
    order: list[str] = []
    threads = []
    with store.write():
        for name, urgent in (("first", False), ("second", False), ("person", True), ("third", False)):
            thread = threading.Thread(target=_note, args=(store, order, name, urgent))
            thread.start()
            threads.append(thread)
            _until(lambda: len(store._turns._waiting) == len(threads))
    for thread in threads:
        thread.join(10)
    assert order == ["person", "first", "second", "third"]


def _note(store: Store, order: list[str], name: str, urgent: bool) -> None:
    with store.write(urgent=urgent):
        order.append(name)


def _until(happened: object) -> None:
    deadline = threading.Event()
    for _ in range(1_000):
        if happened():  # type: ignore[operator]
            return
        deadline.wait(0.005)
    raise AssertionError("it did not happen within five seconds")


def test_a_turn_that_never_comes_free_ends_in_a_sentence_and_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.engine._PATIENCE", 0.05)
    turns = Turns()
    with turns.turn(urgent=False):
        with pytest.raises(StoreLocked), turns.turn(urgent=True):
            pass
        assert turns._waiting == []
    with turns.turn(urgent=False):
        pass


def test_a_file_locked_by_another_program_says_so_and_loses_nothing(store: Store, file: Path) -> None:
    keep(store, "before")
    _writer(store).execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="Another program is using the store file"):
        keep(store, "during")
    assert names(store) == ["before"], "reading goes on"
    other.execute("ROLLBACK")
    other.close()
    keep(store, "after")
    assert names(store) == ["after", "before"]


def test_a_full_disk_says_so_and_work_goes_on_once_there_is_room(store: Store) -> None:
    keep(store, "before")
    raw = _writer(store)
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull, match="Nothing was lost"):
        keep(store, "large", 200_000)
    assert names(store) == ["before"]
    raw.execute("PRAGMA max_page_count = 1000000")
    keep(store, "large", 200_000)
    assert names(store) == ["before", "large"]


def test_a_file_that_cannot_be_written_says_so(store: Store) -> None:
    _writer(store).execute("PRAGMA query_only = on")
    with pytest.raises(StoreReadOnly, match="cannot be written"):
        keep(store, "a")
    _writer(store).execute("PRAGMA query_only = off")
    keep(store, "a")


def _writer(store: Store) -> sqlite3.Connection:
    raw = store.writer.raw_connection()
    connection: sqlite3.Connection = raw.driver_connection  # type: ignore[assignment]
    raw.close()
    return connection


def test_a_folder_in_the_place_of_the_file_is_named(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StoreProblem) as caught:
        open_store(at(file))
    assert caught.value.next_step


def test_a_file_that_is_no_database_is_named_and_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is a letter to my aunt, and no database at all" * 50)
    with pytest.raises(StoreDamaged, match="damaged"):
        open_store(at(file))
    assert file.read_bytes().startswith(b"this is a letter")


def test_a_damaged_page_is_named_when_it_is_met(file: Path) -> None:
    store = open_store(at(file))
    for number in range(50):
        keep(store, f"secret {number}", 3_000)
    store.close()
    content = bytearray(file.read_bytes())
    start = len(content) // 3
    content[start : start + len(content) // 3] = b"\x55" * (len(content) // 3)
    file.write_bytes(content)
    with pytest.raises(StoreDamaged):
        read_everything(file)


def read_everything(file: Path) -> None:
    store = open_store(at(file))
    try:
        with store.read() as connection:
            connection.execute(text("SELECT name, sealed FROM secret ORDER BY updated_at")).all()
    finally:
        store.close()


def test_a_store_of_a_newer_version_is_not_touched(store: Store, file: Path) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreNewer, match="newer"):
        open_store(at(file))


def test_a_new_store_has_the_newest_schema_and_opening_it_again_changes_nothing(store: Store, file: Path) -> None:
    keep(store, "a")
    with store.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    before = store.revision()
    store.close()
    again = open_store(at(file))
    assert (again.revision(), names(again)) == (before, ["a"])
    assert not (file.parent / "backups").exists()
    again.close()


def test_a_migration_that_dies_leaves_the_old_schema_or_the_new_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every n-th statement of the first schema fails in turn; the next start makes it whole."""
    from alembic.operations import Operations

    real = Operations.invoke
    for n in (1, 2, 9, 25):
        file.unlink(missing_ok=True)
        count = [0]

        def invoke(self: Operations, operation: object, n: int = n, count: list[int] = count) -> object:
            count[0] += 1
            if count[0] == n:
                raise OperationalError("made up", None, Exception("database or disk is full"))
            return real(self, operation)  # type: ignore[arg-type]

        monkeypatch.setattr(Operations, "invoke", invoke)
        with pytest.raises(StoreFull):
            open_store(at(file))
        with sqlite3.connect(file) as raw:
            tables = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        raw.close()
        assert "listing" not in tables or "alembic_version" in tables
        assert not tables & {"listing", "orders", "movement"}, "all of a step, or nothing"
        monkeypatch.setattr(Operations, "invoke", real)
        store = open_store(at(file))
        keep(store, "works")
        store.close()


def test_an_old_store_is_copied_before_it_is_changed(store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, "precious")
    store.close()
    monkeypatch.setattr("core.store.migrate.HEAD", "9999")
    monkeypatch.setattr("core.store.migrate._run", lambda store: None)
    open_store(at(file)).close()
    with sqlite3.connect(file.parent / "backups" / f"before-upgrade-from-{HEAD}.db") as copy:
        assert copy.execute("SELECT name FROM secret").fetchall() == [("precious",)]
    copy.close()
