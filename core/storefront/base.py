"""What the owner's own store must be able to do, whatever it runs on.

The built-in store keeps its stock in our ledger and is filled from CSV files. A connector to a shop system speaks this
protocol over the network and knows no database. What the two most wanted ones need:

Shopify: stock is set with the quantity that was read before (`expected`), and with a key that makes a repeated request
harmless (`key`); a stale quantity comes back as STALE. It tells the units that open orders hold (`committed`). Orders
tell the current quantity of each line, so a sale that was edited or refunded is heard again with the same reference;
one from a till leaves the building at once. Sign-in lasts a day at most.

WooCommerce: one number, from which open orders are taken off already (`committed` is None). It is set without any
comparison, so `expected` cannot be checked, and the caller reads just before and just after. Orders are listed by the
time they changed, in pages, and may be heard twice; only those whose stock was reduced are sales.

All moments are in milliseconds by this computer's clock: a connector corrects what the store's clock says by the date
of its answers.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class StoreTrouble(Exception):
    """The store could not do it: a sentence for the owner and a next step."""

    def __init__(self, sentence: str, next_step: str = "", *, retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, where the store told it."""
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        self.retry_after = retry_after


class StoreSignIn(StoreTrouble):
    """The store does not accept our key any more; only the owner can give a new one."""


class StoreBusy(StoreTrouble):
    """Nothing was changed, and the same call may work later: throttled, out of order or out of reach."""


class StoreRefused(StoreTrouble):
    """Only a person can put this right."""


@dataclass(frozen=True, slots=True)
class StockRead:
    """Units of one SKU as the store told them at `read_at`.

    `available` can still be ordered; `committed` are held by open orders, None where the store does not tell them.
    """

    sku: str
    available: int
    committed: int | None
    read_at: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class StockSet:
    """Units that can be ordered from now on; `expected` is what must still be there where the store can compare."""

    sku: str
    available: int
    expected: int | None = None


class Answer(StrEnum):
    """What became of one quantity that was to be set; after STALE nothing was written."""

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
    """One line of an order in its newest state; the same reference replaces what was heard before.

    `units` are those that the order takes now: none of them once it was cancelled or refunded. `shipped` are those that
    have left the building, `shipped_at` when: all at once at a till, never fewer than before, whatever was refunded
    since. `price` is that of one unit in the store's currency.
    """

    reference: str
    sku: str
    units: int
    placed_at: int
    changed_at: int
    shipped: int = 0
    shipped_at: int | None = None
    price: Decimal | None = None
    title: str = ""


class OwnStore(Protocol):
    """The owner's own store. Every method may raise StoreTrouble: sign in again, try later, or needs a person."""

    @property
    def name(self) -> str:
        """What the owner calls it."""

    @property
    def compares(self) -> bool:
        """Whether a quantity is set only while `expected` is still there."""

    @property
    def tells_committed(self) -> bool:
        """Whether a reading tells the units that open orders hold."""

    def read_stock(self, skus: Collection[str] | None = None) -> Iterator[StockRead]:
        """Units of these SKUs, or of all; an unknown SKU is left out. Reading may be repeated at any time."""

    def set_stock(self, changes: Sequence[StockSet], *, key: str) -> Sequence[StockAnswer]:
        """Set quantities and answer for each; one refusal never stops the others.

        The same `key` sent again has no second effect where the store promises that; so a connector may repeat a
        request whose answer it lost within this call. Elsewhere it answers UNKNOWN.
        """

    def sales(self, since: int) -> Iterator[Sale]:
        """Sales that changed since the given millisecond, oldest change first; hearing one twice does no harm."""
