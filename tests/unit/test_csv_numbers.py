"""Numbers in a file: understood when they mean one thing, refused with a sentence otherwise."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.storefront.csv_numbers import Unclear, amount, currency_code, units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("007", "7"),
        ("12.50", "12.50"),
        ("12,5", "12.5"),
        (" 12,50 ", "12.50"),
        (",5", "0.5"),
        ("0,125", "0.125"),
        ("1234,567", "1234.567"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1'234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u202f234\u202f567", "1234567"),
        ("+5", "5"),
        ("12.3456", "12.3456"),
    ],
)
def test_an_amount_is_understood_with_dot_comma_and_thousands_marks(text: str, value: str) -> None:
    assert amount(text) == (Decimal(value), "")


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12,99 EUR", "EUR"),
        ("£12.99", "GBP"),
        ("12,99\u00a0€", "EUR"),
        ("usd 12.99", "USD"),
        ("$12.99", ""),
        ("¥12.99", ""),
    ],
)
def test_a_currency_beside_an_amount_is_understood_unless_several_use_its_sign(text: str, currency: str) -> None:
    assert amount(text) == (Decimal("12.99"), currency)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1,234", "may mean 1234 or 1.234"),
        ("12.500", "may mean 12500 or 12.500"),
        ("-5", "below zero"),
        ("−5", "below zero"),
        ("(5)", "no number"),
        ("5-", "no number"),
        ("1.2.3", "no number"),
        ("1,234,56", "no number"),
        ("5.", "no number"),
        ("0.123.456", "no number"),
        ("abc", "no amount"),
        ("EUR", "no amount"),
        ("5E+12", "shortened"),
        ("1.23456", "four decimals"),
        ("10000000000", "too large"),
        ("9" * 60, "no number"),
        ("XXX 5", "not a currency"),
        ("GBP 5 GBP", "twice"),
        ("NaN", "no amount"),
        ("Infinity", "no amount"),
        ("0x10", "no number"),
        ("١٢", "no number"),
        ("1_000", "no number"),
    ],
)
def test_an_unclear_amount_is_refused_with_a_sentence(text: str, part: str) -> None:
    with pytest.raises(Unclear) as refused:
        amount(text)
    assert part in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("5.0", 5), ("5,00", 5), ("1 234", 1234), ("9999999", 9_999_999)]
)
def test_a_number_of_pieces_is_understood(text: str, value: int) -> None:
    assert units(text) == value


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("-1", "below zero"),
        ("1.5", "no whole number"),
        ("1,5", "no whole number"),
        ("1,000", "may mean"),
        ("ten", "no number"),
        ("10000000", "more than"),
        ("٣", "no number"),
        ("1e3", "shortened"),
        ("", "no number"),
    ],
)
def test_an_unclear_number_of_pieces_is_refused_with_a_sentence(text: str, part: str) -> None:
    with pytest.raises(Unclear, match=part):
        units(text)


def test_a_currency_is_known_by_its_letters_or_sign() -> None:
    assert [currency_code(text) for text in ("GBP", " eur ", "£")] == ["GBP", "EUR", "GBP"]
    with pytest.raises(Unclear, match="not a currency"):
        currency_code("GPB")


@settings(max_examples=500, deadline=None)
@given(
    st.integers(0, 99_999_999_999), st.sampled_from([0, 1, 2, 4]), st.sampled_from(["", ".", ",", "'", " ", "\u00a0"])
)
def test_an_amount_written_in_any_clear_way_comes_back_exactly(scaled: int, places: int, mark: str) -> None:
    value = Decimal(scaled) / 10**places
    point = "," if mark == "." else "."
    whole, _, decimals = f"{value:.{places}f}".partition(".")
    grouped = f"{int(whole):,}".replace(",", mark)
    text = grouped + (point + decimals if decimals else "")
    one_thousands_mark_alone = mark in (".", ",") and mark and grouped.count(mark) == 1 and not decimals
    if one_thousands_mark_alone:
        with pytest.raises(Unclear, match="may mean"):
            amount(text)
    elif value < 10**10:
        assert amount(text) == (value, "")


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=50))
def test_any_text_is_either_an_exact_amount_or_refused(text: str) -> None:
    try:
        value, currency = amount(text)
    except Unclear:
        return
    assert value.is_finite()
    assert value >= 0
    assert value * 10_000 == int(value * 10_000)
    assert currency == "" or len(currency) == 3


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=50))
def test_any_text_is_either_a_number_of_pieces_or_refused(text: str) -> None:
    try:
        value = units(text)
    except Unclear:
        return
    assert 0 <= value <= 9_999_999
