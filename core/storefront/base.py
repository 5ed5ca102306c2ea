"""What the owner's own store must be able to do, whatever it runs on.

The built-in store keeps its stock in our ledger and is filled from CSV files. A connector to a shop system speaks this
protocol over the network and knows no database. What the two most wanted ones need:

Shopify: stock is set with the quantity that was read before (`expected`), or with an explicit waiver, and with a key
that makes a repeated request harmless (`key`); a stale quantity comes back as STALE. Orders tell the current quantity
of each line, so a sale that was edited or refunded is heard again with the same reference. Sign-in lasts a day at most.

WooCommerce: stock is set without any comparison, so `expected` has to be checked by reading just before and just after;
`version` is None. Orders are listed by the time they changed, in pages, and may be heard twice.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StockRead:
    """Units of one SKU as the store told them; `read_at` in milliseconds, `version` where the store keeps one."""

    sku: str
    on_hand: int
    read_at: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class StockSet:
    """A quantity to set; `expected` is what must still be there, or None to set it whatever is there."""

    sku: str
    on_hand: int
    expected: int | None = None


class Answer(StrEnum):
    """What became of one quantity that was to be set."""

    SET = "set"
    STALE = "stale"
    UNKNOWN_SKU = "unknown sku"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StockAnswer:
    """The answer for one SKU, with the store's own words when it refused; after UNKNOWN the caller reads first."""

    sku: str
    answer: Answer
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """Units that an order takes as of now, 0 once cancelled; the same reference replaces what was heard before."""

    reference: str
    sku: str
    units: int
    changed_at: int


class OwnStore(Protocol):
    """The owner's own store. Every method may raise an error that says: sign in again, try later, or needs a person."""

    @property
    def name(self) -> str:
        """What the owner calls it."""

    def read_stock(self, skus: Collection[str] | None = None) -> Iterator[StockRead]:
        """Units on hand of these SKUs, or of all; reading may be repeated at any time."""

    def set_stock(self, changes: Sequence[StockSet], *, key: str) -> Sequence[StockAnswer]:
        """Set quantities and answer for each; one refusal never stops the others.

        The same `key` sent again has no second effect where the store promises that; elsewhere the caller reads first.
        """

    def sales(self, since: int) -> Iterator[Sale]:
        """Sales that changed since the given millisecond, oldest first; hearing one twice must do no harm."""
