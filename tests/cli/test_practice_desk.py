"""With nothing connected every command works on the embedded practice shop."""

import csv
import sqlite3
import stat
from pathlib import Path

from core.cli import Kind
from core.sync import exports
from tests.cli.conftest import Core


def test_help_names_every_command_and_the_exit_codes(core: Core) -> None:
    done = core("--help")
    assert done.code == 0
    for name in ("run", "sync", "reconcile", "plan", "connect", "status", "doctor", "import", "export", "practice"):
        assert f"\n  {name} " in done.out
    assert "3 something differs" in done.out


def test_the_first_command_on_a_new_folder_sets_the_practice_shop_up(core: Core) -> None:
    done = core("status")
    assert done.code == 0
    assert "practice shop" in done.out
    assert core.store.exists()


def test_a_sync_reads_everything_and_sends_nothing_before_a_first_review(synced: Core) -> None:
    done = synced("sync", "--json")
    assert done.code == 3
    assert done.err == ""
    (shop,) = done.document["shops"]
    assert shop["ok"] is True
    assert shop["different"] > 0
    assert shop["sent"] == {}
    assert "Nothing is sent before you agreed once" in shop["next_step"]


def test_a_dry_run_shows_the_changes_as_a_plan_and_sends_nothing(synced: Core) -> None:
    done = synced("sync", "stock", "--dry-run", "--json")
    assert done.code == 3
    plan = done.document["shops"][0]["plan"]
    assert done.document["dry_run"] is True
    assert plan["rows"] == len(plan["changes"]) == done.document["shops"][0]["different"]
    assert {"entity", "sku", "title", "old", "new", "rule", "state"} <= plan["changes"][0].keys()
    with sqlite3.connect(synced.store) as database:
        assert database.execute("SELECT count(*) FROM push").fetchone() == (0,)


def test_a_plan_is_shown_approved_and_run_and_then_all_is_even(synced: Core) -> None:
    number = synced("sync", "--dry-run", "--json").document["shops"][0]["plan"]["id"]
    assert synced("plan", "list", "--json").document["plans"][0]["state"] == "proposed"
    assert "waits for your yes" in synced("plan", "show", number).out
    refused = synced("plan", "run", number)
    assert refused.code == 1
    assert f"plan approve {number}" in refused.err
    assert synced("plan", "approve", number).code == 0
    ran = synced("plan", "run", number, "--json")
    assert ran.code == 0, ran.out
    assert ran.document["states"] == {"done": len(ran.document["changes"])}
    assert synced("plan", "approve", number).code == 1
    even = synced("reconcile", "--json")
    assert even.code == 0
    assert even.document["counts"]["different"] == 0
    assert synced("sync").code == 0


def test_once_reviewed_a_sync_sends_what_changed_by_itself(synced: Core) -> None:
    number = synced("sync", "--dry-run", "--json").document["shops"][0]["plan"]["id"]
    synced("plan", "approve", number)
    synced("plan", "run", number)
    assert synced("sync").code == 0  # finds the others even, so from now on they are kept so
    row = next(row for row in synced("reconcile", "--json").document["rows"] if (row["target"] or 0) > 5)
    goods = synced.folder / "goods.csv"
    goods.write_text(f"sku,on_hand\n{row['item_sku']},{row['on_hand'] - 1}\n")
    assert synced("import", goods).code == 0
    done = synced("sync", "--json")
    assert done.code == 0, done.out
    assert done.document["shops"][0]["sent"]["confirmed"] == 1


def test_reconcile_prints_what_differs_and_why(synced: Core) -> None:
    done = synced("reconcile")
    assert done.code == 3
    assert "TikTok offers " in done.out
    assert "different" in done.out.splitlines()[-1]
    rows = synced("reconcile", "--json").document["rows"]
    assert {"seller_sku", "on_hand", "reserved", "buffer", "target", "available", "difference", "sentence"} <= set(
        rows[0]
    )


def test_reconcile_with_all_shows_the_even_ones_too(synced: Core) -> None:
    assert len(synced("reconcile", "--all").out.splitlines()) > len(synced("reconcile").out.splitlines())


def test_status_tells_sign_in_queue_cursors_runs_and_delay(synced: Core) -> None:
    done = synced("status", "--json")
    assert done.code == 0
    found = done.document
    assert found["running"] is False
    (shop,) = found["shops"]
    assert shop["sign_in"]["ends"] > shop["sign_in"]["access_ends"] > 0
    assert shop["queue"]["held"] == 0
    assert {"delay_to_tiktok", "delay_from_tiktok"} <= shop.keys()
    assert shop["questions"] == {"open": 0, "checking": 0, "decided": 0}
    assert {each["source"].split(":")[0] for each in found["read_up_to"]} >= {"orders", "products", "stock"}
    assert found["runs"][0]["kind"] == "sync all"
    text = synced("status").out
    assert "token" not in text.lower()
    assert "Delay to TikTok" in text


def test_no_secret_is_ever_printed(synced: Core) -> None:
    for words in (("status", "--json"), ("doctor", "--json"), ("sync", "--json")):
        done = synced(*words)
        assert "practice-app-secret-not-real" not in done.out + done.err
        assert "GCP_practiceShopCipher01" not in done.out + done.err


def test_doctor_finds_a_healthy_desk_healthy(synced: Core) -> None:
    done = synced("doctor", "--json")
    assert done.code == 0, done.out
    assert done.document["healthy"] is True
    names = {check["name"].split()[0] for check in done.document["checks"]}
    assert names >= {
        "data", "sqlite", "disk", "instance", "key", "rights", "store", "migrations", "ledger", "sign-in", "scopes",
        "connection", "clock", "queue", "webhooks",
    }  # fmt: skip
    assert "All is well." in synced("doctor").out


def test_export_and_import_are_each_others_inverse(synced: Core, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    assert synced("export", "items", file).code == 0
    with file.open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) > 100
    seen = synced("import", file, "--dry-run", "--json")
    assert seen.code == 0
    assert seen.document["preview"]["changed"] == seen.document["preview"]["new"] == 0


def test_every_kind_can_be_exported(synced: Core, tmp_path: Path) -> None:
    assert [kind.value for kind in Kind] == [kind.value for kind in exports.Kind]
    for kind in Kind:
        assert synced("export", kind.value, tmp_path / f"{kind.value}.csv").code == 0


def test_an_export_replaces_a_file_only_when_told(synced: Core, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text("mine")
    refused = synced("export", "stock", file)
    assert refused.code == 1
    assert "--force" in refused.err
    assert file.read_text() == "mine"
    assert synced("export", "stock", file, "--force").code == 0
    assert file.read_text().startswith("sku,")


def test_a_backup_is_private_and_brings_everything_back(synced: Core, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert synced("backup", copy).code == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    before = synced("reconcile", "--json").document["counts"]
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,title\nNEW-1,A new thing\n")
    synced("import", goods)
    done = synced("restore", copy)
    assert done.code == 0
    kept = list((synced.store.parent / "backups").glob("before-restore-*.db"))
    assert len(kept) == 1
    with sqlite3.connect(kept[0]) as database:
        assert database.execute("SELECT title FROM item WHERE sku = 'NEW-1'").fetchone() == ("A new thing",)
    with sqlite3.connect(synced.store) as database:
        assert database.execute("SELECT count(*) FROM item WHERE sku = 'NEW-1'").fetchone() == (0,)
    assert stat.S_IMODE(synced.store.stat().st_mode) == 0o600
    assert synced("reconcile", "--json").document["counts"] == before


def test_after_a_restore_nothing_is_sent_until_the_owner_agrees_again(synced: Core, tmp_path: Path) -> None:
    number = synced("sync", "--dry-run", "--json").document["shops"][0]["plan"]["id"]
    synced("plan", "approve", number)
    synced("backup", tmp_path / "copy.db")
    done = synced("restore", tmp_path / "copy.db")
    assert "Until you agree to a new plan" in done.err
    assert synced("status", "--json").document["shops"][0]["shop"]["mode"] == "watch"


def test_a_restore_keeps_the_sign_in_of_today(synced: Core, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    synced("backup", copy)
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE secret SET sealed = x'00'")
    database.close()
    assert synced("restore", copy).code == 0
    assert synced("sync").code == 3  # differs, as before; a lost sign-in would have failed with 1
