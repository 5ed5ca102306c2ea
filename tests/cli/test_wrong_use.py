"""Bad input is answered with a sentence that says what is wrong and what to do, and changes nothing."""

import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from core import clock
from core.cli import out, told
from tests.cli.conftest import Core


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",), ("sync", "everything"), ("plan", "show", "many"), ("plan", "show", "0"), ("export", "all", "x"),
        ("practice", "--port", "70000"), ("practice", "--products", "0"), ("import",),
    ],
)  # fmt: skip
def test_wrong_use_exits_2_and_says_what_was_wrong(core: Core, words: tuple[str, ...]) -> None:
    done = core(*words)
    assert done.code == 2
    assert "Usage: " in done.err
    assert done.out == ""
    assert not core.folder.exists()


def test_an_unknown_shop_is_named_with_those_there_are(synced: Core) -> None:
    done = synced("sync", "--shop", "12345")
    assert done.code == 2
    assert "There is no connected shop 12345." in done.err
    assert "7495540735365770101" in done.err


def test_a_setting_that_cannot_be_used_is_named(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_SHOP_SYNC_INTERVAL", "often")
    done = core("status")
    assert done.code == 2
    assert "TIKTOK_SHOP_SYNC_INTERVAL" in done.err


def test_an_error_is_one_json_document_too(synced: Core) -> None:
    done = synced("plan", "show", "99", "--json")
    assert done.code == 1
    assert done.document["problem"] == "There is no plan 99."
    assert done.document["next_step"]


def test_a_missing_file_is_named(synced: Core) -> None:
    done = synced("import", "nowhere.csv")
    assert done.code == 2
    assert "There is no file nowhere.csv." in done.err


def test_a_bad_row_keeps_the_whole_file_out_unless_the_owner_chose_otherwise(synced: Core, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,on_hand\nGOOD-1,3\nBAD-1,minus two\n")
    seen = synced("import", goods, "--dry-run")
    assert seen.code == 3
    refused = synced("import", goods)
    assert refused.code == 1
    assert "Row 3, on_hand" in refused.err
    assert "--partial" in refused.err
    assert _skus(synced, "GOOD-1") == 0
    taken = synced("import", goods, "--partial", "--json")
    assert taken.code == 0
    assert taken.document["imported"]["created"] == 1
    assert taken.document["imported"]["skipped"] == 1
    assert _skus(synced, "GOOD-1") == 1


def _skus(core: Core, sku: str) -> int:
    with sqlite3.connect(core.store) as database:
        return int(database.execute("SELECT count(*) FROM item WHERE sku = ?", (sku,)).fetchone()[0])


def test_a_file_that_empties_the_shelves_must_be_agreed_to(synced: Core, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    with sqlite3.connect(synced.store) as database:
        skus = [row[0] for row in database.execute("SELECT sku FROM item")]
    goods.write_text("sku,on_hand\n" + "".join(f"{sku},0\n" for sku in skus))
    refused = synced("import", goods)
    assert refused.code == 1
    assert "would go to zero" in refused.err
    assert "--yes" in refused.err
    assert synced("import", goods, "--yes").code == 0


def test_a_plan_above_the_limits_needs_its_number_of_rows(synced: Core) -> None:
    with sqlite3.connect(synced.store) as database:
        database.execute("INSERT INTO setting VALUES ('stop_touch_count', '1')")
    database.close()
    plan = synced("sync", "--dry-run", "--json").document["shops"][0]["plan"]
    assert plan["warning"]
    refused = synced("plan", "approve", plan["id"])
    assert refused.code == 1
    assert f"confirm the number of rows: {plan['rows']}" in refused.err
    assert synced("plan", "approve", plan["id"], "--rows", plan["rows"]).code == 0


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "not a backup"), (b"no database" * 1000, "damaged or not a backup")]
)
def test_what_is_no_backup_is_not_restored(synced: Core, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "file.db"
    file.write_bytes(content)
    before = synced.store.read_bytes()
    done = synced("restore", file)
    assert done.code == 1
    assert said in done.err
    assert "nothing was changed" in done.err
    assert synced.store.read_bytes() == before


def test_a_damaged_backup_is_not_restored(synced: Core, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    synced("backup", copy)
    content = bytearray(copy.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    copy.write_bytes(content)
    done = synced("restore", copy)
    assert done.code == 1
    assert "damaged" in done.err


def test_a_backup_of_a_newer_evenstock_is_not_restored(synced: Core, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    synced("backup", copy)
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    done = synced("restore", copy)
    assert done.code == 1
    assert "newer Evenstock" in done.err


def test_a_backup_never_replaces_a_file(synced: Core, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("mine")
    assert synced("backup", file).code == 1
    assert file.read_text() == "mine"


def test_a_clock_that_is_off_is_named_by_doctor(synced: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    # The practice shop keeps the real time; only Evenstock's own clock is turned.
    monkeypatch.setattr(clock, "_wall", lambda: time.time() + 600)
    done = synced("doctor", "--json")
    assert done.code == 3
    (check,) = [check for check in done.document["checks"] if check["name"].startswith("clock")]
    assert check["sentence"].startswith("This computer's clock is 10 minutes ahead.")
    assert check["next_step"]


def test_titles_cannot_steer_the_terminal(synced: Core) -> None:
    with sqlite3.connect(synced.store) as database:
        database.execute("UPDATE listing SET title = 'Evil \x1b[2J\x07 mug'")
    database.close()
    assert "\x1b" not in synced("reconcile", "--all").out


def test_another_key_than_the_store_was_sealed_with_is_told(synced: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENSTOCK_KEY", "another made-up key")
    done = synced("status")
    assert done.code == 3
    assert "cannot be opened" in done.out


def test_something_unexpected_is_a_sentence_and_its_inside_stays_in_the_log() -> None:
    problem = told.told(KeyError("app_secret=made-up-secret"))
    assert "Something unexpected" in problem.sentence
    assert "made-up-secret" not in problem.sentence
    assert problem.code == out.FAILED


def test_durations_are_said_as_people_say_them() -> None:
    said = [out.span(ms) for ms in (None, 400, 12_000, 180_000, 18_000_000, 518_400_000)]
    assert said == ["not measured yet", "0.4 s", "12 s", "3 min", "5 h", "6 days"]


def test_a_store_that_was_removed_is_made_anew(synced: Core) -> None:
    shutil.rmtree(synced.folder)
    assert synced("status").code == 0
