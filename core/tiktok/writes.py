"""Bodies of the calls that change stock and prices, and the reading of what was accepted and what refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core import money
from core.tiktok import codes
from core.tiktok.errors import Locked, Outcome, Refused, TikTokError
from core.tiktok.reading import count, items, mapping, plain

MOST_UNITS = 99_999
# "Check failed": the reason stands in the extra errors.
UMBRELLA = 12052990
# Refusals of a whole call that concern its product, so its SKUs are refused and other products go on.
WHOLE_REFUSALS = (Refused, Locked)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one SKU was not changed, in a sentence with a next step."""

    code: int | None
    sentence: str
    next_step: str
    request_id: str | None
    outcome: Outcome = Outcome.PERSON


@dataclass(frozen=True, slots=True)
class SetResult:
    """What was said to a write, SKU by SKU. Accepted is not confirmed: read it back.

    `stale` are those of a channel that compares first, which wrote nothing because the number had changed.
    """

    accepted: frozenset[str]
    refused: dict[str, Refusal] = field(default_factory=dict)
    request_id: str = ""
    stale: frozenset[str] = frozenset()


def stock_body(quantities: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    """The body of Update Inventory; ValueError for what must never be sent."""
    for stock in quantities.values():
        if not stock:
            raise ValueError("every SKU needs at least one warehouse")
        for quantity in stock.values():
            if type(quantity) is not int or not 0 <= quantity <= MOST_UNITS:
                raise ValueError(
                    f"a stock of {quantity} cannot be sent; TikTok takes whole numbers from 0 to {MOST_UNITS}"
                )
    return {
        "skus": [
            {
                "id": sku_id,
                # A shop with a single warehouse may leave it unnamed.
                "inventory": [
                    {"warehouse_id": place, "quantity": units} if place else {"quantity": units}
                    for place, units in stock.items()
                ],
            }
            for sku_id, stock in quantities.items()
        ]
    }


def price_body(prices: Mapping[str, tuple[Decimal, str]]) -> dict[str, object]:
    """The body of Update Price; ValueError for an amount that its currency cannot express."""
    return {
        "skus": [
            {"id": sku_id, "price": {"amount": _price(amount, currency), "currency": currency}}
            for sku_id, (amount, currency) in prices.items()
        ]
    }


def _price(amount: Decimal, currency: str) -> str:
    text = money.plain(money.to_units(amount), currency)
    if amount <= 0 or Decimal(text) != amount:
        raise ValueError(f"{amount} {currency} is not a price that can be sent")
    return text


def read_result(wanted: frozenset[str], data: object, request_id: str) -> SetResult:
    """Accepted are the SKUs that `data.errors[]` does not name; an error that names none concerns all of them."""
    refused: dict[str, Refusal] = {}
    for entry in items(mapping(data).get("errors")):
        detail = mapping(mapping(entry).get("detail"))
        sku_id = plain(detail.get("sku_id"))
        refusal = _refusal(mapping(entry), detail, request_id)
        for named in [sku_id] if sku_id in wanted else sorted(wanted):
            refused.setdefault(named, refusal)
    return SetResult(wanted - refused.keys(), refused, request_id)


def _refusal(entry: Mapping[str, object], detail: Mapping[str, object], request_id: str) -> Refusal:
    code, message = count(entry.get("code")), plain(entry.get("message"))
    for extra in map(mapping, items(detail.get("extra_errors"))):
        if code == UMBRELLA or code is None:
            code, message = count(extra.get("code")), plain(extra.get("message"))
    return as_refusal(codes.error_for(code, message, request_id))


def as_refusal(error: TikTokError) -> Refusal:
    """An error as the reason of one row."""
    return Refusal(error.code, error.sentence, error.next_step, error.request_id, error.outcome)


def all_refused(wanted: Iterable[str], error: TikTokError) -> SetResult:
    """The result when TikTok refused the call as a whole."""
    refusal = as_refusal(error)
    return SetResult(frozenset(), dict.fromkeys(wanted, refusal), error.request_id or "")
