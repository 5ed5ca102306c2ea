"""No text that we write is run as a formula, and each comes back as it was."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.storefront.csv_cells import dangerous, protect, unprotect

_STARTS = st.sampled_from(["", "'", "''", " ", "\t", "\r", "\n", "\u00a0", "\u200b", "\ufeff", "\x00", "\u2003"])
_SIGNS = st.sampled_from(["", "=", "+", "-", "@", "＝", "＋", "－", "＠", "−", "1", "A"])
TEXTS = st.one_of(
    st.text(max_size=30), st.builds(lambda a, b, c, d: a + b + c + d, _STARTS, _STARTS, _SIGNS, st.text(max_size=8))
)


def _begins_like_a_formula(cell: str) -> bool:
    # Said again in other words than the product's: what is left after everything invisible begins with a sign.
    if cell[:1] in ("\t", "\r", "\n"):
        return True
    visible = cell.lstrip().lstrip("\u200b\ufeff\u200e\u200f\u00ad\u2060\x00").lstrip()
    return unicodedata.normalize("NFKC", visible)[:1] in ("=", "+", "-", "@")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\u00a0=1",
        "\u200b=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        " ＝1",
        "\ufeff=1",
    ],
)
def test_a_text_that_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert protect(text) == protect(text, code=True) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Tee", "'Tis the season", "a=b", "0012", "12-34", "5 - 4", "é"])
def test_a_harmless_text_is_written_as_it_is(text: str) -> None:
    assert protect(text) == text


def test_a_code_loses_exactly_one_apostrophe() -> None:
    assert unprotect("'0012", code=True) == "0012"
    assert unprotect("''0012", code=True) == "'0012"
    assert unprotect("0012", code=True) == "0012"


def test_a_title_keeps_an_apostrophe_of_its_own() -> None:
    assert unprotect("'Tis the season") == "'Tis the season"
    assert unprotect("'=1+1") == "=1+1"


@settings(max_examples=10_000, deadline=None)
@given(TEXTS, st.booleans())
def test_ten_thousand_texts_are_harmless_when_written_and_come_back_the_same(text: str, code: bool) -> None:
    cell = protect(text, code=code)
    assert not dangerous(cell)
    assert not _begins_like_a_formula(cell)
    assert unprotect(cell, code=code) == text


@settings(deadline=None)
@given(
    st.lists(st.lists(TEXTS.filter(lambda text: "\x00" not in text), min_size=2, max_size=4), min_size=1, max_size=5)
)
def test_cells_survive_the_way_through_a_file(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([[protect(text) for text in row] for row in rows])
    stream.seek(0)
    assert [[unprotect(cell) for cell in row] for row in csv.reader(stream, strict=True)] == rows
