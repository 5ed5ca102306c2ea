"""The CSV file of an own store: what is understood, and what each kind of bad input is told."""

import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.storefront.csv_files import Checked, CsvFile, FileRefused, Row, open_csv

HEADER = "sku,title,variant,price,currency,cost,barcode,on_hand\n"


def read(source: bytes | str | Path) -> list[Checked]:
    with open_csv(source.encode() if isinstance(source, str) else source) as file:
        return list(file.rows())


def rows(source: bytes | str | Path) -> list[Row]:
    return [checked.row for checked in read(source) if checked.row is not None]


def told(source: bytes | str) -> list[str]:
    return [str(finding) for checked in read(source) for finding in checked.findings]


def refused(source: bytes | str | Path) -> str:
    with pytest.raises(FileRefused) as error:
        read(source)
    return str(error.value)


def opened(source: bytes) -> CsvFile:
    with open_csv(source) as file:
        return file


# what is understood


def test_a_row_is_read_with_all_its_fields() -> None:
    found = rows(HEADER + "TEE-1,Cotton tee,Red / M,19.90,GBP,7.20,5012345678900,25\n")
    assert found == [
        Row(2, "TEE-1", "Cotton tee", "Red / M", Decimal("19.90"), "GBP", Decimal("7.20"), "5012345678900", 25)
    ]


def test_only_the_sku_is_required_and_an_empty_cell_says_nothing() -> None:
    assert rows("sku\nA\nB\n") == [Row(2, "A"), Row(3, "B")]
    assert rows(HEADER + "A,,,,,,,\n") == [Row(2, "A")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_files_are_read_with_and_without_a_mark(encoding: str) -> None:
    assert rows("sku,title\nA,Täschchen ☂ “x”\n".encode(encoding)) == [Row(2, "A", "Täschchen ☂ “x”")]


def test_a_big_endian_file_is_read() -> None:
    assert rows(b"\xfe\xff" + "sku,title\nA,é\n".encode("utf-16-be")) == [Row(2, "A", "é")]


def test_an_old_windows_file_is_read_and_said_to_be_one() -> None:
    source = "sku;title;price\nA;Müsli für 3 €;2,50\n".encode("cp1252")
    file = opened(source)
    assert file.encoding == "cp1252"
    assert "old Windows encoding" in str(file.findings[0])
    assert rows(source) == [Row(2, "A", "Müsli für 3 €", price=Decimal("2.50"))]


def test_a_letter_beyond_the_first_megabytes_decides_the_encoding() -> None:
    long = b"sku,title\n" + b"".join(b"S%d,%s\n" % (i, b"x" * 90) for i in range(30_000))
    assert opened(long + "Z,ü\n".encode("cp1252")).encoding == "cp1252"
    assert opened(long + "Z,ü\n".encode()).encoding == "utf-8"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_mark_between_columns_is_found(mark: str) -> None:
    source = mark.join(["sku", "title", "on_hand"]) + "\n" + mark.join(["A", '"one, two; three\tfour"', "3"]) + "\n"
    assert opened(source.encode()).delimiter == mark
    assert rows(source) == [Row(2, "A", "one, two; three\tfour", on_hand=3)]


def test_a_first_line_that_announces_the_mark_is_passed_over() -> None:
    assert rows("sep=;\r\nsku;title\r\nA;x, y\r\n") == [Row(2, "A", "x, y")]
    assert rows("\ufeffsep=;\nsku;title\nA;x\n") == [Row(2, "A", "x")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quoted_cells_may_span_lines_and_rows_are_counted_as_in_a_spreadsheet(end: str) -> None:
    source = end.join(["sku,title", 'A,"two', 'lines, and ""quotes"""', "", "B,x", ""])
    assert rows(source) == [Row(2, "A", f'two{end}lines, and "quotes"'), Row(4, "B", "x")]


def test_header_names_may_differ_in_case_blanks_underscores_and_words() -> None:
    source = (
        " Variant SKU ,Product_Name,Option1 Value,Variant Price,Currency Code,Cost per item,EAN,Variant Inventory Qty\n"
    )
    found = rows(source + "A,Tee,Red,5,EUR,1,123,7\n")
    assert found == [Row(2, "A", "Tee", "Red", Decimal(5), "EUR", Decimal(1), "123", 7)]
    assert rows("S K U,ON HAND\nA,1\n") == rows("sku,on-hand\nA,1\n") == rows("Sku,OnHand\nA,1\n")


def test_what_a_buyer_may_still_order_is_not_taken_for_what_is_in_the_building() -> None:
    file = opened(b"sku,available,colour\nA,3,red\n")
    assert "on_hand" not in file.header.places
    assert "These columns are not read: “available”, “colour”." in [finding.sentence for finding in file.findings]


def test_of_two_columns_for_one_field_the_better_name_is_used_and_said() -> None:
    file = opened(b"quantity,sku,on_hand\n1,A,2\n")
    assert rows(b"quantity,sku,on_hand\n1,A,2\n") == [Row(2, "A", on_hand=2)]
    assert any("“on_hand” and “quantity” may be on_hand" in finding.sentence for finding in file.findings)


def test_codes_keep_zeros_and_exact_text_and_lose_one_protecting_apostrophe() -> None:
    assert [row.sku for row in rows("sku\n0012\n'0012a\n''x\n1E5x\nA/b c\n")] == [
        "0012",
        "0012a",
        "'x",
        "1E5x",
        "A/b c",
    ]
    assert rows("sku,title\n'=A,'=1+1\n") == [Row(2, "=A", "=1+1")]


def test_blanks_at_the_ends_of_a_sku_are_kept_and_warned_of() -> None:
    assert [row.sku for row in rows("sku,title\n A ,x\n")] == [" A "]
    assert told("sku,title\n A ,x\n") == [
        "Row 2, sku: “ A ” has a blank at an end. It is kept, and counts as part of the SKU."
    ]
    assert "invisible" in told("sku\nA\u200bB\n")[0]


def test_trailing_empty_columns_are_no_matter() -> None:
    assert rows("sku,title,,\nA,x,,\nB,y\n"[:-4]) == [Row(2, "A", "x")]
    assert rows("sku,title\nA,x,,,\n") == [Row(2, "A", "x")]


# what is wrong with one row; the others are read


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (",x,,,,,,", "Row 2, sku: The SKU is missing. Each row needs one."),
        ("  ,x,,,,,,", "Row 2, sku: The SKU is missing. Each row needs one."),
        ("A,x,,,,,,-1", "Row 2, on_hand: “-1” is below zero. Write the pieces that are there, or 0."),
        ('A,x,,,,,,"1,5"', "Row 2, on_hand: “1,5” is no whole number of pieces. Write a number without decimals."),
        ("A,x,,1.234,GBP,,,", "Row 2, price: “1.234” may mean 1234 or 1.234. Write 1234, or 1.2340."),
        ("A,x,,-1,GBP,,,", "Row 2, price: “-1” is below zero. Write an amount of 0 or more."),
        ("A,x,,1,GPB,,,", "Row 2, currency: “GPB” is not a currency we know."),
        ("A,x,,£1,EUR,,,", "Row 2, currency: The row names two currencies, GBP and EUR. Keep one."),
        ("A,x,,1,GBP,abc,,", "Row 2, cost: “abc” is no amount of money. Write digits only, like 12.50."),
        ("A,x,,,,,5.01E+12,", "Row 2, barcode: “5.01E+12” was shortened by a spreadsheet"),
        ("A,a\x00b,,,,,,", "Row 2, title: The cell holds a zero byte, which no text has."),
        ("A\x00,x,,,,,,", "Row 2, sku: The cell holds a zero byte, which no text has."),
        ("A,x", "Row 2: The row has 2 cells, the header 8. Perhaps the file was cut off here."),
        ("A,x,,,,,,1,y", "Row 2: The row has 9 cells, the header 8. Put a text with a comma in quotation marks."),
        (f"{'A' * 256},x,,,,,,", "Row 2, sku: The text is 256 characters long; up to 255 are possible."),
        (f"A,{'x' * 100_000},,,,,,", "Row 2, title: The text is 100,000 characters long; up to 1,000 are possible."),
    ],
)
def test_a_bad_row_is_named_with_its_field_and_the_next_is_read(row: str, sentence: str) -> None:
    source = f"{HEADER}{row}\nGOOD,x,,,,,,1\n"
    assert [one[: len(sentence)] for one in told(source)] == [sentence]
    assert [row.sku for row in rows(source)] == ["GOOD"]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    assert [finding.field for finding in read(HEADER + "A,x,,-1,??,,,-2\n")[0].findings] == [
        "price",
        "currency",
        "on_hand",
    ]


def test_letters_lost_by_an_earlier_save_are_told() -> None:
    assert told("sku,title\nA,M\ufffdsli\n")[0].startswith("Row 2, title: “M\ufffdsli” has a letter that was lost")
    assert rows("sku,title\nA\ufffd,x\nB,y\n") == [Row(3, "B", "y")]
    assert rows(b"\xef\xbb\xbfsku,title\nA\xff,x\nB,y\n") == [Row(3, "B", "y")]


# what is wrong with the whole file


@pytest.mark.parametrize("source", [b"", b"  \n\n", b"\xef\xbb\xbf", b"\xff\xfe", b",,\n,,\n"])
def test_an_empty_file_is_refused_and_never_means_zero(source: bytes) -> None:
    assert "The file is empty" in refused(source)


@pytest.mark.parametrize("source", ["sku,on_hand\n", "sku,on_hand", "sku,on_hand\n\n,\n"])
def test_a_header_without_rows_is_refused(source: str) -> None:
    assert refused(source) == "The file has a header but no rows. Nothing was changed; no rows never means no stock."


def test_a_file_without_an_sku_column_is_refused() -> None:
    assert refused("title,price\nx,1\n").startswith("Row 1, header: No column is called sku.")
    assert refused("TEE-1,Tee,5\n").startswith("Row 1, header: No column is called sku.")


def test_two_columns_of_one_name_are_refused() -> None:
    assert refused("sku,Title,title\nA,x,y\n").startswith("Row 1, header: Two columns are called “title”.")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b"PK\x03\x04" + b"x" * 99, "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 99, "an old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (bytes(range(256)) * 40, "no text file"),
        ("sku,title\nA,x\n".encode("utf-16-le"), "no text file"),
    ],
)
def test_a_file_that_is_no_text_is_refused_by_its_kind(source: bytes, kind: str) -> None:
    assert kind in refused(source)
    assert "CSV UTF-8" in refused(source)


def test_too_many_columns_are_refused() -> None:
    header = "sku," + ",".join(f"c{i}" for i in range(500))
    assert (
        refused(f"{header}\nA\n")
        == "Row 1, header: There are 501 columns; up to 500 can be read. Leave out the others."
    )
    assert "longer than" in refused("sku" + "," * 10_000_000)


def test_a_cell_that_is_never_closed_is_refused_with_its_row() -> None:
    assert refused('sku,title\nA,"x\nB,y\n').startswith("Row 2: The file ends inside a quoted cell.")
    huge = 'sku,title\nA,x\nB,"' + "y\n" * 200_000
    assert refused(huge).startswith("Row 3: A cell is longer than 131,072 characters.")
    assert refused('sku,title\nA,"x" y,z\n').startswith("Row 2: A quotation mark stands in the wrong place")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "no.csv")
    assert "cannot be opened" in refused(tmp_path)


@pytest.mark.parametrize(
    "bomb",
    [
        b"sku,title\n" + b"x" * 40_000_000,
        b'sku,title\nA,"' + b'","\n' * 8_000_000,
        b"sku," * 10_000_000,
        b"\n" * 3_000_000,
    ],
    ids=["one line", "a row without end", "a header without end", "blank lines"],
)
def test_a_file_made_to_fill_the_memory_is_refused_within_bounds(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        assert refused(bomb)
        assert tracemalloc.get_traced_memory()[1] < 150 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as stream:
        stream.write(b"sku\nA\n")
        stream.truncate(201 * 1024 * 1024)
    assert "larger than 200 MB" in refused(file)


_MARKS = st.sampled_from(
    [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"sku\n", b"sku,on_hand,title\n", b"sep=;\n"]
)
_PIECES = st.sampled_from(
    [b",", b";", b"\t", b"\n", b"\r", b'"', b"'", b"sku", b"1", b"1,234", b"-", b"\0", b"\xe4", "é€".encode(), b"GBP"]
)


@settings(max_examples=500, deadline=None)
@given(_MARKS, st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=40).map(b"".join)))
def test_any_bytes_are_read_or_refused_with_a_sentence(mark: bytes, rest: bytes) -> None:
    sentence, found = "", []
    try:
        found = read(mark + rest)
    except FileRefused as error:
        sentence = str(error)
    assert found or sentence.endswith(".")
    for checked in found:
        errors = [finding for finding in checked.findings if finding.level == "error"]
        assert (checked.row is None) == bool(errors)
        assert all(finding.row == checked.number > 1 and finding.sentence.endswith(".") for finding in checked.findings)
