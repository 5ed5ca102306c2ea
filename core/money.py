"""Exact money: Decimal in hand, integer ten-thousandths in the store."""

from decimal import Decimal, InvalidOperation

UNITS = 10_000
_NO_MINOR = frozenset({"JPY", "VND", "IDR", "KRW"})
_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€", "JPY": "¥", "BRL": "R$", "THB": "฿", "PHP": "₱", "VND": "₫"}


def parse(text: str) -> Decimal:
    """Read "12.50" or "1250"; raises ValueError when the text is no finite number."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not an amount of money") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not an amount of money")
    return value


def to_units(value: Decimal) -> int:
    """Ten-thousandths of the currency; raises ValueError when the amount is finer than that."""
    scaled = value * UNITS
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than four decimals")
    return int(scaled)


def from_units(units: int) -> Decimal:
    """The amount that `units` ten-thousandths are."""
    return Decimal(units) / UNITS


def plain(units: int, currency: str) -> str:
    """The amount with the decimals its currency uses and no sign: "12.50", "1250"."""
    places = 0 if currency in _NO_MINOR else 2
    return f"{from_units(units):.{places}f}"


def show(units: int, currency: str) -> str:
    """The amount for a person: "£1,250.00", "12.50 MXN"."""
    places = 0 if currency in _NO_MINOR else 2
    amount = f"{abs(from_units(units)):,.{places}f}"
    sign = "−" if units < 0 else ""
    symbol = _SIGNS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}".rstrip()
