"""Numbers as people and spreadsheets write them: understood when they mean one thing, refused when two."""

import re
from decimal import Decimal

MOST_UNITS = 9_999_999
MOST_MONEY = Decimal(10) ** 10

_SIMPLE = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?|[.,]\d+", re.ASCII)
_GROUPED = re.compile(
    r"(?P<lead>\d{1,3})(?P<groups>(?P<mark>[.,'’ \u00a0\u2009\u202f])\d{3}(?:(?P=mark)\d{3})*)(?P<rest>[.,]\d+)?",
    re.ASCII,
)
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+", re.ASCII)
_SIGN = r"R\$|[£$€¥฿₱₫]|[A-Za-z]{3}"
_MONEY = re.compile(rf"(?P<before>{_SIGN})?\s*(?P<number>.*?)\s*(?P<after>{_SIGN})?", re.DOTALL)
_MEANS = {"£": "GBP", "€": "EUR", "฿": "THB", "₱": "PHP", "₫": "VND", "R$": "BRL"}  # $ and ¥ stand for several

# ISO 4217, the currencies in use.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


class Unclear(Exception):
    """A cell that cannot be taken as it stands; its text is the sentence for the owner."""


def quoted(text: str) -> str:
    """The text of a cell for a sentence: short, on one line, in quotation marks."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:41])
    return f"“{shown[:40]}…”" if len(text) > 40 else f"“{shown}”"


def shortened(text: str) -> bool:
    """Whether a spreadsheet has replaced a long number by one like 5.01E+12, so that its digits are lost."""
    return _SHORTENED.fullmatch(text) is not None


def number(text: str) -> Decimal:
    """Read a number that has a dot or a comma as decimal mark and perhaps thousands marks; raises Unclear."""
    body = text.strip().replace("−", "-")
    sign, body = (body[0], body[1:]) if body[:1] in ("-", "+") else ("", body)
    if len(body) > 40:
        raise Unclear(f"{quoted(text)} is no number. Write digits only, like 1250 or 12.50.")
    value = _grouped(body) if _PLAIN.fullmatch(body) is None or _thousand(body) else Decimal(body.replace(",", "."))
    return -value if sign == "-" else value


def _thousand(body: str) -> bool:
    # A mark before three digits, as in 1,234, may be a thousands mark; after a leading zero, as in 0.125, it cannot be.
    found = _GROUPED.fullmatch(body)
    return found is not None and not found["lead"].startswith("0")


def _grouped(body: str) -> Decimal:
    found = _GROUPED.fullmatch(body)
    if found is None:
        if shortened(body):
            raise Unclear(f"{quoted(body)} was shortened by a spreadsheet, so its digits are lost. Write it in full.")
        raise Unclear(f"{quoted(body)} is no number. Write digits only, like 1250 or 12.50.")
    lead, groups, mark, rest = found["lead"], found["groups"], found["mark"], found["rest"] or ""
    whole = lead + groups.replace(mark, "")
    if rest[:1] == mark or lead.startswith("0"):
        raise Unclear(f"{quoted(body)} is no number. Write digits only, like 1250 or 12.50.")
    if mark in ".," and not rest and len(groups) == 4:
        raise Unclear(
            f"{quoted(body)} may mean {whole} or {lead}.{groups[1:]}. Write {whole}, or {lead}.{groups[1:]}0."
        )
    return Decimal(whole + rest.replace(",", "."))


def units(text: str) -> int:
    """Read a number of pieces, 0 to 9,999,999; raises Unclear."""
    value = Decimal(text) if text.isascii() and text.isdigit() and len(text) < 20 else number(text)
    if value < 0:
        raise Unclear(f"{quoted(text)} is below zero. Write the pieces that are there, or 0.")
    if value != value.to_integral_value():
        raise Unclear(f"{quoted(text)} is no whole number of pieces. Write a number without decimals.")
    if value > MOST_UNITS:
        raise Unclear(f"{quoted(text)} is more than 9,999,999 pieces. Check the number.")
    return int(value)


def amount(text: str) -> tuple[Decimal, str]:
    """Read an amount of money, up to four decimals, and the currency written beside it or ""; raises Unclear."""
    if _SIMPLE.fullmatch(text):
        value, currency = Decimal(text), ""
    else:
        found = _MONEY.fullmatch(text.strip())
        if found is None or not any(letter.isdigit() for letter in found["number"]):
            raise Unclear(f"{quoted(text)} is no amount of money. Write digits only, like 12.50.")
        value, currency = number(found["number"]), _beside(text, found["before"], found["after"])
    if value < 0:
        raise Unclear(f"{quoted(text)} is below zero. Write an amount of 0 or more.")
    if value >= MOST_MONEY:
        raise Unclear(f"{quoted(text)} is too large for an amount. Check the number.")
    if value * 10_000 % 1:
        raise Unclear(f"{quoted(text)} has more than four decimals. Round it.")
    return value, currency


def _beside(text: str, before: str | None, after: str | None) -> str:
    if before and after:
        raise Unclear(f"{quoted(text)} names a currency twice. Write the amount alone, like 12.50.")
    sign = before or after or ""
    return currency_code(sign) if sign.isalpha() else _MEANS.get(sign, "")


def currency_code(text: str) -> str:
    """Read a currency such as GBP; raises Unclear."""
    code = _MEANS.get(text.strip()) or text.strip().upper()
    if code not in CURRENCIES:
        raise Unclear(f"{quoted(text)} is not a currency we know. Write its three letters, like GBP, USD or EUR.")
    return code
