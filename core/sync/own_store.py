"""A store of the owner's own as a channel like any other: its words in ours, its sales as orders."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, bindparam, text

from core.store.engine import Store
from core.storefront.base import (
    Answer,
    OwnStore,
    Sale,
    StockRead,
    StockSet,
    StoreBusy,
    StoreRefused,
    StoreSignIn,
)
from core.sync import sold
from core.tiktok.errors import OutcomeUnknown, Refused, ServiceDown, SignInAgain
from core.tiktok.models import Order, OrderPage, Product, ProductPage, Sku, SkuStock, Unreadable, WarehouseStock
from core.tiktok.writes import Refusal, SetResult, all_refused

PLACE = "store"  # its units lie in one place, as far as we are told
_PAGE = 100
_LOST = "The answer of {name} was lost, so it is read again before anything else is sent."
_NOT_THERE = "{name} does not have this SKU any more."
_SAID_NO = "{name} refused this quantity."


class StoreChannel:
    """One store behind the storefront protocol; its SKUs are listings of `shop_id`, each a product of its own."""

    clock_skew = 0.0  # a connector tells times by this computer's clock

    def __init__(self, front: OwnStore, store: Store, shop_id: str, currency: str) -> None:
        self.front = front
        self._store = store
        self._shop = shop_id
        self._currency = currency
        self._reading: tuple[str, Iterator[Sale]] | None = None

    def product_pages(self, update_time_ge: int | None = None) -> Iterator[ProductPage]:  # noqa: ARG002 (it tells all)
        """Every SKU of the store, each as a product that is on sale."""
        with self._asked():
            goods = [self._product(read) for read in self.front.read_stock()]
        for start in range(0, len(goods), _PAGE):
            yield ProductPage(tuple(goods[start : start + _PAGE]), (), "", len(goods))

    def stock(self, sku_ids: Iterable[str]) -> dict[str, SkuStock]:
        """What the store shows now. Where it does not tell what open orders hold, those that we know of count."""
        wanted = list(dict.fromkeys(sku_ids))
        held = {} if self.front.tells_committed else self._open_units(wanted)
        with self._asked():
            return {read.sku: _stock(read, held.get(read.sku, 0)) for read in self.front.read_stock(wanted)}

    def set_stock(
        self,
        product_id: str,  # noqa: ARG002 (here a product is its SKU)
        quantities: Mapping[str, Mapping[str, int]],
        urgent: bool = False,  # noqa: ARG002 (no queue to jump)
    ) -> SetResult:
        """Set each SKU by a call of its own, on the condition that the number is still there that its intent rests on.

        The intent was kept just before; its id is the key that makes a repetition harmless.
        """
        accepted, stale, refused = set(), set(), dict[str, Refusal]()
        intents = self._intents(quantities)
        for sku, places in quantities.items():
            intent = intents[sku]
            change = StockSet(sku, sum(places.values()), intent.read_available if self.front.compares else None)
            key = f"{self._shop}:{intent.id}:{intent.intent_at}"  # a store put back from a backup counts ids again
            try:
                with self._asked():
                    [answer] = self.front.set_stock([change], key=key)
            except Refused as refusal:
                refused |= all_refused([sku], refusal).refused
                continue
            if answer.answer is Answer.SET:
                accepted.add(sku)
            elif answer.answer is Answer.STALE:
                stale.add(sku)
            elif answer.answer is Answer.UNKNOWN:
                raise OutcomeUnknown(self._says(_LOST), "Nothing to do: the next readings tell what became of it.")
            else:
                unknown = answer.answer is Answer.UNKNOWN_SKU
                sentence = answer.sentence or self._says(_NOT_THERE if unknown else _SAID_NO)
                refused[sku] = Refusal(None, sentence, f"Look at it in {self.front.name}.", None)
        return SetResult(frozenset(accepted), refused, stale=frozenset(stale))

    def order_page(self, ge: int | None, lt: int | None, page_token: str = "", page_size: int = _PAGE) -> OrderPage:  # noqa: ARG002
        """Sales that changed since `ge` as orders, one each. A page token whose reading was lost starts at its time.

        The store tells all that changed until now, so a window has no end here.
        """
        since, _, number = page_token.partition(":")
        with self._asked():
            reading = self._continued(page_token) or self.front.sales(int(since) if since else (ge or 0) * 1000)
            heard = list(islice(reading, page_size))
        token = f"{heard[-1].changed_at}:{int(number or 0) + len(heard)}" if len(heard) == page_size else ""
        self._reading = (token, reading) if token else None
        fit = [sale for sale in heard if sold.fits(sale)]
        unfit = [_set_aside(sale) for sale in heard if not sold.fits(sale)]
        return OrderPage(tuple(self._orders(fit)), tuple(unfit), token, None)

    def orders(self, order_ids: Iterable[str]) -> list[Order]:  # noqa: ARG002
        """None: a store is asked for what changed, not for single orders, and the next poll hears of it."""
        return []

    def _continued(self, page_token: str) -> Iterator[Sale] | None:
        return self._reading[1] if page_token and self._reading and self._reading[0] == page_token else None

    def _orders(self, sales: Sequence[Sale]) -> Iterator[Order]:
        """Every version names all units that any version did, so that one that was taken back is seen as cancelled."""
        versions: dict[str, list[Sale]] = defaultdict(list)
        for sale in sales:
            versions[sale.reference].append(sale)
        known = self._known([sold.order_id(self._shop, reference) for reference in versions])
        for reference, heard in versions.items():
            order_id = sold.order_id(self._shop, reference)
            before = known.get(order_id, sold.NEW)
            lines = max(before.lines, *(sold.lines_of(sale) for sale in heard))
            for sale in sorted(heard, key=lambda each: each.changed_at):
                order = sold.as_order(order_id, sale, before, lines, self._currency)
                before = sold.Known(lines, sold.cancelled(order), order.cancel_time)
                yield order

    def _known(self, ids: Collection[str]) -> dict[str, sold.Known]:
        with self._store.read() as connection:
            rows = connection.execute(_KNOWN, {"ids": list(ids)}).all()
        return {row.id: sold.Known(row.lines, row.cancelled, row.cancel_time) for row in rows}

    def _open_units(self, skus: Collection[str]) -> dict[str, int]:
        with self._store.read() as connection:
            rows = connection.execute(_OPEN, {"shop": self._shop, "skus": list(skus)}).all()
        return {row.sku_id: row.open_units for row in rows}

    def _intents(self, skus: Collection[str]) -> dict[str, Any]:
        with self._store.read() as connection:
            return {row.sku_id: row for row in connection.execute(_INTENTS, {"shop": self._shop, "skus": list(skus)})}

    def _product(self, read: StockRead) -> Product:
        sku = Sku(
            read.sku, read.sku, read.sku, None, self._currency, "", "NORMAL", {PLACE: read.available}, 0, "", ()
        )  # fmt: skip
        return Product(read.sku, read.title or read.sku, "ACTIVATE", 0, 0, (sku,))

    def _says(self, sentence: str) -> str:
        return sentence.format(name=self.front.name)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """The store's troubles as those that the engine tells apart."""
        try:
            yield
        except StoreSignIn as trouble:
            raise SignInAgain(trouble.sentence, trouble.next_step) from trouble
        except StoreBusy as trouble:
            raise ServiceDown(trouble.sentence, trouble.next_step, retry_after=trouble.retry_after) from trouble
        except StoreRefused as trouble:
            raise Refused(trouble.sentence, trouble.next_step) from trouble


def _stock(read: StockRead, held: int) -> SkuStock:
    committed = held if read.committed is None else read.committed
    place = WarehouseStock(PLACE, read.available, committed)
    return SkuStock(read.sku, read.sku, read.sku, read.available, committed, (place,), 0, 0)


def _set_aside(sale: Sale) -> Unreadable:
    what = f"sku={sale.sku[:40]}, units={sale.units}, shipped={sale.shipped}, changed_at={sale.changed_at}"
    return Unreadable("sale", sale.reference[:40], "a sale without a reference or with impossible numbers", what)


_SKUS: BindParameter[Any] = bindparam("skus", expanding=True)
_OPEN = text("SELECT sku_id, open_units FROM listing WHERE shop_id = :shop AND sku_id IN :skus").bindparams(_SKUS)
_INTENTS = text("""
SELECT sku_id, id, read_available, intent_at FROM push WHERE id IN (
  SELECT max(id) FROM push WHERE shop_id = :shop AND sku_id IN :skus AND outcome = 'sent' GROUP BY sku_id)
""").bindparams(_SKUS)
_KNOWN = text("""
SELECT o.id, o.cancel_time, count(l.id) AS lines,
  coalesce(sum(CASE WHEN l.status = 'CANCELLED' THEN 1 ELSE 0 END), 0) AS cancelled
FROM orders o LEFT JOIN order_line l ON l.order_id = o.id WHERE o.id IN :ids GROUP BY o.id, o.cancel_time
""").bindparams(bindparam("ids", expanding=True))
