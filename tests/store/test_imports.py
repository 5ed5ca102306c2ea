"""Imports of the own store: looked at first, then all or nothing, and stock counted into the ledger."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from core.store import Store, choices, open_store
from core.store.errors import StoreFull
from core.store.tables import Link, Listing, Shop
from core.store.upsert import upsert
from core.sync import imports, ledger, outbox
from core.sync.imports import ImportRefused, apply, preview
from core.sync.template import template

HEADER = "sku,title,variant,price,currency,cost,barcode,on_hand\n"
TWO = (HEADER + "TEE-1,Cotton tee,Red / M,19.90,GBP,7.20,50123,25\n0042,Mug,,12,GBP,,,0\n").encode()


SHOP = {
    "id": "7", "auth": "a", "name": "Practice", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
    "practice": True, "mode": "watch", "connected_at": 1,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with clock.turned():
        opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        yield opened
        opened.close()


def all_of(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def contents(store: Store) -> list[Any]:
    return [all_of(store, f"SELECT * FROM {name}") for name in ("item", "movement", "level", "outbox", "run_row")]


def link(store: Store, sku: str) -> None:
    with store.write() as connection:
        item = connection.execute(text("SELECT id FROM item WHERE sku = :sku"), {"sku": sku}).scalar_one()
        upsert(connection, Shop, [SHOP])
        upsert(connection, Listing, [{"shop_id": "7", "sku_id": f"L-{sku}", "product_id": "1", "seen_at": 1}])
        upsert(connection, Link, [{"shop_id": "7", "sku_id": f"L-{sku}", "item_id": item, "created_at": 1}])


def stock(store: Store) -> dict[str, int]:
    return dict(all_of(store, "SELECT sku, on_hand FROM item JOIN level ON level.item_id = item.id"))  # type: ignore[arg-type]


# preview


def test_a_preview_tells_what_would_happen_and_changes_nothing(store: Store) -> None:
    before = store.revision()
    seen = preview(store, TWO, name="goods.csv")
    assert (seen.name, seen.rows, seen.new, seen.changed, seen.unchanged, seen.rejected) == ("goods.csv", 2, 2, 0, 0, 0)
    assert (seen.encoding, seen.delimiter) == ("utf-8", ",")
    assert (seen.needs_choice, seen.needs_confirmation, seen.refused) == (False, False, "")
    assert store.revision() == before


def test_a_preview_shows_old_and_new_of_what_changes(store: Store) -> None:
    apply(store, TWO)
    seen = preview(store, (HEADER + "TEE-1,Tee,Red / M,21,GBP,,,20\n0042,Mug,,,,,,\n").encode())
    assert (seen.new, seen.changed, seen.unchanged) == (0, 1, 1)
    shown = [(change.field, change.old, change.new) for change in seen.sample]
    assert shown == [("title", "Cotton tee", "Tee"), ("price", "19.90", "21.00"), ("on_hand", "25", "20")]


def test_a_price_that_leaps_tenfold_is_warned_of(store: Store) -> None:
    apply(store, TWO)
    seen = preview(store, b"sku,price\nTEE-1,1990\n0042,13\n")
    assert seen.warnings == (
        "1 price would change tenfold or more (TEE-1: 19.90 to 1990.00). Was a decimal mark lost?",
    )
    assert not seen.needs_confirmation


def test_only_the_first_findings_are_kept_and_all_are_counted(store: Store) -> None:
    seen = preview(store, HEADER.encode() + b",x,,,,,,\n" * 1_000 + b"A,x,,,,,,\n")
    assert (len(seen.findings), seen.findings_total, seen.rejected, seen.new) == (200, 1_000, 1_000, 1)


# apply


def test_an_import_creates_items_and_counts_their_stock(store: Store) -> None:
    result = apply(store, TWO, actor="owner")
    assert (result.created, result.updated, result.counted, result.skipped) == (2, 0, 2, 0)
    items = all_of(
        store, "SELECT sku, title, variant, price_units, cost_units, currency, barcode, counted_at FROM item"
    )
    now = 1_790_000_000_000
    assert items == [
        ("TEE-1", "Cotton tee", "Red / M", 199_000, 72_000, "GBP", "50123", now),
        ("0042", "Mug", "", 120_000, None, "GBP", "", now),
    ]
    movements = all_of(store, "SELECT on_hand, reserved, reason, origin, reference, actor, location_id FROM movement")
    assert movements == [(25, 0, "count", "csv", f"run:{result.run_id}", "owner", 1)]
    assert stock(store) == {"TEE-1": 25}


def test_a_count_books_the_difference_and_marks_the_listing(store: Store) -> None:
    apply(store, TWO)
    link(store, "TEE-1")
    link(store, "0042")
    ledger.record_sale(store, "TEE-1", 3, actor="owner")
    with store.write() as connection:
        outbox.settle(connection, [outbox.Claim("7", "L-TEE-1", 1, 0, 0)])
    apply(store, b"sku,on_hand\nTEE-1,20\n0042,0\n", confirmed=True)
    assert all_of(store, "SELECT on_hand, origin FROM movement ORDER BY id") == [
        (25, "csv"),
        (-3, "store"),
        (-2, "csv"),
    ]
    assert stock(store)["TEE-1"] == 20
    assert all_of(store, "SELECT sku_id, state, reason FROM outbox") == [("L-TEE-1", "dirty", "a count from a file")]
    with store.read() as connection:
        assert ledger.prove(connection).broken == ()


def test_without_a_count_stock_is_left_alone(store: Store) -> None:
    apply(store, TWO)
    result = apply(store, b"sku,title,on_hand\nTEE-1,New title,\n")
    assert (result.updated, result.counted) == (1, 0)
    apply(store, b"sku,title\n0042,New mug\n")
    assert stock(store) == {"TEE-1": 25}
    assert all_of(store, "SELECT title FROM item") == [("New title",), ("New mug",)]


def test_an_empty_cell_changes_nothing(store: Store) -> None:
    apply(store, TWO)
    before = all_of(store, "SELECT * FROM item")
    apply(store, (HEADER + "TEE-1,,,,,,,\n").encode())
    assert all_of(store, "SELECT * FROM item") == before


def test_items_that_are_not_in_the_file_stay_as_they_are(store: Store) -> None:
    apply(store, TWO)
    apply(store, b"sku,on_hand\nNEW,1\n")
    assert stock(store) == {"TEE-1": 25, "NEW": 1}


def test_the_same_file_again_changes_nothing_but_the_moment_of_counting(store: Store) -> None:
    apply(store, TWO)
    result = apply(store, TWO)
    assert (result.created, result.updated, result.counted) == (0, 0, 2)
    assert len(all_of(store, "SELECT id FROM movement")) == 1
    assert preview(store, TWO).unchanged == 2


def test_an_import_is_a_run_with_its_changes(store: Store) -> None:
    run_id = apply(store, TWO, name="goods.csv", actor="owner").run_id
    apply(store, b"sku,on_hand\nTEE-1,24\n")
    query = "SELECT kind, status, trigger, done, total, counts, sentence FROM run ORDER BY id LIMIT 1"
    kind, status, trigger, done, total, counts, sentence = all_of(store, query)[0]
    assert (kind, status, trigger, done, total) == ("import", "done", "owner", 2, 2)
    assert json.loads(counts) == {"created": 2, "updated": 0, "counted": 2, "skipped": 0}
    assert sentence == "goods.csv: 2 items added, 0 changed, 2 counted."
    rows = all_of(store, "SELECT run_id, entity, field, old, new, result FROM run_row ORDER BY id")
    assert rows == [
        (run_id, "TEE-1", "", "", "Cotton tee", "created"),
        (run_id, "0042", "", "", "Mug", "created"),
        (run_id + 1, "TEE-1", "on_hand", "25", "24", "changed"),
    ]


def test_at_most_five_thousand_changes_are_kept_in_detail(store: Store) -> None:
    apply(store, b"sku,on_hand\n" + b"".join(b"S%d,1\n" % number for number in range(6_000)))
    assert all_of(store, "SELECT count(*) FROM run_row") == [(5_000,)]
    assert all_of(store, "SELECT count(*), sum(on_hand) FROM level") == [(6_000, 6_000)]


def test_the_template_can_be_imported_as_it_is(store: Store) -> None:
    assert template().startswith(b"\xef\xbb\xbfsku,title,variant,price,currency,cost,barcode,on_hand\r\n")
    assert preview(store, template()).findings == ()
    assert apply(store, template()).created == 2


def test_a_file_on_disk_is_called_by_its_name(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes(TWO)
    assert preview(store, file).name == "goods.csv"
    assert apply(store, file).created == 2


# refusals


def test_one_bad_row_keeps_everything_out_unless_chosen_otherwise(store: Store) -> None:
    apply(store, TWO)
    before = contents(store)
    bad = b"sku,title,on_hand\nTEE-1,Tee,30\n0042,Mug,-4\nNEW,x,1\n"
    assert preview(store, bad).needs_choice
    with pytest.raises(ImportRefused) as refused:
        apply(store, bad)
    assert refused.value.sentence == (
        "1 row of 3 cannot be used, so nothing was imported. The first: Row 3, on_hand: “-4” is below zero. "
        "Write the pieces that are there, or 0."
    )
    assert contents(store) == before
    assert all_of(store, "SELECT status, sentence FROM run ORDER BY id DESC LIMIT 1") == [
        ("failed", refused.value.sentence)
    ]
    result = apply(store, bad, partial=True)
    assert (result.created, result.updated, result.counted, result.skipped) == (1, 1, 2, 1)
    assert stock(store) == {"TEE-1": 30, "NEW": 1}


def test_of_rows_that_share_a_sku_neither_is_taken(store: Store) -> None:
    twice = b"sku,on_hand\nA,1\nB,2\nA,3\nA,4\n"
    seen = preview(store, twice)
    assert (seen.rejected, seen.new) == (3, 1)
    assert [str(finding) for finding in seen.findings] == [
        "Row 4, sku: The SKU “A” is in row 2 already. Neither row is taken; keep the one that is right.",
        "Row 5, sku: The SKU “A” is in row 2 already. Neither row is taken; keep the one that is right.",
    ]
    apply(store, twice, partial=True)
    assert stock(store) == {"B": 2}


def test_skus_that_differ_only_in_case_or_zeros_are_different_items(store: Store) -> None:
    assert apply(store, b"sku,on_hand\nA,1\na,2\n07,3\n7,4\n").created == 4


@pytest.mark.parametrize("source", [b"", b"sku,on_hand\n", b"\xef\xbb\xbf", b"sku,on_hand\n,\n"])
@pytest.mark.parametrize("partial", [False, True])
def test_an_empty_file_never_empties_a_catalogue(store: Store, source: bytes, partial: bool) -> None:
    apply(store, TWO)
    before = contents(store)
    assert preview(store, source).refused
    with pytest.raises(ImportRefused, match="Nothing was changed"):
        apply(store, source, partial=partial, confirmed=True)
    assert contents(store) == before


def test_a_file_that_breaks_off_is_not_imported_in_part_even_when_chosen(store: Store) -> None:
    with pytest.raises(ImportRefused, match="Row 3: The file ends inside a quoted cell"):
        apply(store, b'sku,title\nA,x\nB,"y\n', partial=True)
    assert all_of(store, "SELECT * FROM item") == []


def test_a_file_of_nothing_but_bad_rows_is_refused(store: Store) -> None:
    with pytest.raises(ImportRefused, match="No row of the file can be used"):
        apply(store, b"sku,on_hand\nA,-1\n", partial=True)


def test_many_items_going_to_zero_must_be_confirmed(store: Store) -> None:
    apply(store, b"sku,on_hand\n" + b"".join(b"S%d,5\n" % number for number in range(10)))
    few = b"sku,on_hand\nS0,0\nS1,0\n"
    many = b"sku,on_hand\nS0,0\nS1,0\nS2,0\n"
    assert not preview(store, few).needs_confirmation
    seen = preview(store, many)
    assert seen.needs_confirmation
    assert seen.warnings == ("3 items of 10 would go to zero, and so would what TikTok offers of them.",)
    with pytest.raises(ImportRefused, match="3 items of 10 would go to zero"):
        apply(store, many)
    assert stock(store)["S0"] == 5
    apply(store, many, confirmed=True)
    assert stock(store)["S0"] == 0


def test_the_limit_of_items_going_to_zero_is_the_owners_choice(store: Store) -> None:
    with store.read() as connection:
        chosen = choices.load(connection)
    choices.save(store, chosen.model_copy(update={"stop_zero_percent": 100, "stop_zero_count": 2}))
    apply(store, b"sku,on_hand\nA,1\nB,1\nC,1\n")
    assert not preview(store, b"sku,on_hand\nA,0\nB,0\n").needs_confirmation
    assert preview(store, b"sku,on_hand\nA,0\nB,0\nC,0\n").needs_confirmation


# failures


def test_an_error_at_any_point_of_writing_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(store, b"sku,on_hand\nS1,5\n")
    link(store, "S1")
    before = contents(store)
    source = b"sku,title,on_hand\n" + b"".join(b"S%d,t,%d\n" % (number, number + 9) for number in range(1_200))
    steps = [
        (imports, "compare"),
        (imports, "_create"),
        (imports, "_update"),
        (ledger, "count"),
        (outbox, "mark_items"),
    ]
    for module, name in steps:
        real = getattr(module, name)
        for n in range(
            4 if name == "compare" else 1, 7 if name == "compare" else 4
        ):  # three looks come before the writes
            calls = iter(range(1, 100))

            def fails(*given: Any, real: Any = real, calls: Iterator[int] = calls, n: int = n, **named: Any) -> Any:
                done = real(*given, **named)
                if next(calls) == n:
                    raise StoreFull("made up")
                return done

            with monkeypatch.context() as patch:
                patch.setattr(module, name, fails)
                with pytest.raises(StoreFull):
                    apply(store, source)
            assert contents(store) == before, f"{name} failing the {n}. time left something behind"
    apply(store, source)
    assert len(stock(store)) == 1_200


def test_an_unforeseen_error_is_recorded_and_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(ledger, "count", breaks)
    with pytest.raises(RuntimeError):
        apply(store, TWO)
    assert all_of(store, "SELECT * FROM item") == []
    assert all_of(store, "SELECT status FROM run") == [("failed",)]


_IMPORT = """
import sys
from pathlib import Path
from core.store import open_store
from core.sync import imports

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

store = open_store(f"sqlite:///{sys.argv[1]}")
before = peak()
result = imports.apply(store, Path(sys.argv[2]))
print(result.created, result.counted, (peak() - before) // 1024)
"""


@pytest.mark.slow
def test_a_hundred_megabytes_are_imported_in_bounded_memory_and_time(tmp_path: Path) -> None:
    file, rows = tmp_path / "large.csv", 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write("sku,title,variant,price,currency,cost,barcode,on_hand,description\n")
        while stream.tell() < 100_000_000:
            for number in range(rows, rows + 10_000):
                stream.write(f'S-{number:08},"A title, with a comma",Red / M,{number % 90}.50,GBP,2.10,')
                stream.write(f'5012{number:09},{number % 7},"A text of {"some length " * 20}\nin two lines"\n')
            rows += 10_000
    started = clock.monotonic()
    command = [sys.executable, "-W", "error", "-c", _IMPORT, str(tmp_path / "store.db"), str(file)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], timeout=280
    )
    assert done.returncode == 0, done.stderr
    created, counted, megabytes = map(int, done.stdout.split())
    print(f"100 MB, {rows:,} rows: {clock.monotonic() - started:.1f} s, {megabytes} MiB more")
    assert (created, counted) == (rows, rows)
    assert megabytes < 100
    assert clock.monotonic() - started < 120
