"""Numbers on TikTok that nothing explains: those to decide, those being checked, and those decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text


@dataclass(frozen=True, slots=True)
class Question:
    """One number to decide on, with its listing, in units; `observed` was shown at `found_at` (ms), `available` now.

    `parts` items are behind the listing, `sharing` more listings sell one of them, and `quantity` units of the item
    go into one of the listing. `units` is what the decision booked, `doubtful` that its cause is a lost answer.
    """

    id: int
    shop_id: str
    shop: str
    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    state: str
    amount: int
    expected: int
    observed: int
    available: int | None
    committed: int
    open_units: int
    found_at: int
    cause: str
    evidence: str
    decision: str
    decided_at: int | None
    actor: str
    mode: str
    parts: int
    sharing: int
    quantity: int
    item_id: int | None
    item_sku: str
    on_hand: int
    units: int

    @property
    def certain(self) -> bool:
        """Whether every order of its time is known, so that it can be decided."""
        return self.state == "open" or (self.state == "lowered" and bool(self.cause))

    @property
    def name(self) -> str:
        """Product and variant."""
        return f"{self.title}, {self.variant}" if self.variant else self.title


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones: of a shop, with a likely cause, whose SKU or title holds the words."""

    view: str = "open"
    shop_id: str = ""
    cause: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are open, still being checked, and decided."""

    open: int
    checking: int
    decided: int


VIEWS = {
    "open": "d.state IN ('open', 'lowered') AND NOT l.gone",
    "checking": "d.state = 'suspected' AND NOT l.gone",
    "decided": "d.state IN ('decided', 'undone')",
}
# While it is being checked, an order on its way is what TikTok's committed units tell; the rest is not known yet.
_CHECKING = "CASE WHEN l.committed > l.open_units THEN 'unseen' ELSE 'checking' END"
_CAUSES = {"open": "d.cause", "checking": _CHECKING, "decided": "d.cause"}
SORTS = {
    "since": "d.found_at", "amount": "abs(d.amount)", "sku": "l.seller_sku", "title": "l.title",
    "decided": "d.decided_at",
}  # fmt: skip
# A CROSS JOIN keeps SQLite from reading every listing of the shop first.
_LISTED = "FROM drift d CROSS JOIN listing l"
_SAME = "l.shop_id = d.shop_id AND l.sku_id = d.sku_id"
_ON_ITEM = "FROM link k WHERE k.shop_id = d.shop_id AND k.sku_id = d.sku_id"
_QUESTION = text(
    f"""
SELECT d.id, d.shop_id, s.name AS shop, d.sku_id, l.product_id, l.seller_sku, l.title, l.variant, d.state, d.amount,
  d.observed - d.amount AS expected, d.observed, l.available, coalesce(l.committed, 0) AS committed, l.open_units,
  d.found_at, CASE WHEN d.state = 'suspected' THEN {_CHECKING} ELSE d.cause END AS cause, d.evidence, d.decision,
  d.decided_at, d.actor, s.mode,
  (SELECT count(*) {_ON_ITEM}) AS parts,
  (SELECT count(*) FROM link o JOIN listing x ON x.shop_id = o.shop_id AND x.sku_id = o.sku_id AND NOT x.gone
   WHERE o.item_id IN (SELECT k.item_id {_ON_ITEM}) AND NOT (o.shop_id = d.shop_id AND o.sku_id = d.sku_id))
   AS sharing,
  coalesce((SELECT max(k.quantity) {_ON_ITEM}), 1) AS quantity,
  (SELECT min(k.item_id) {_ON_ITEM}) AS item_id,
  coalesce((SELECT min(i.sku) FROM item i WHERE i.id IN (SELECT k.item_id {_ON_ITEM})), '') AS item_sku,
  (SELECT coalesce(sum(v.on_hand), 0) FROM level v WHERE v.item_id IN (SELECT k.item_id {_ON_ITEM})) AS on_hand,
  (SELECT coalesce(sum(m.on_hand), 0) FROM movement m WHERE m.reference = 'drift:' || d.id
   AND m.reason <> 'taking over undone') AS units
FROM drift d JOIN listing l ON {_SAME} JOIN shop s ON s.id = d.shop_id WHERE d.id IN :ids
"""  # noqa: S608 (constants)
).bindparams(bindparam("ids", expanding=True))


def counts(connection: Connection, shop_id: str = "") -> Counts:
    """How many there are, of one shop or of all."""
    one = {view: total(connection, Wanted(view, shop_id)) for view in VIEWS}
    return Counts(one["open"], one["checking"], one["decided"])


def causes(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """How many there are by likely cause, whatever cause is asked for."""
    source, given = _source(Wanted(wanted.view, wanted.shop_id, "", wanted.search))
    rows = connection.execute(text(f"SELECT {_CAUSES[wanted.view]} AS cause, count(*) AS n {source} GROUP BY 1"), given)
    return {row.cause: int(row.n) for row in rows}


def total(connection: Connection, wanted: Wanted) -> int:
    """How many match."""
    source, given = _source(wanted)
    # Counting the moment leads SQLite to the index that begins with the state.
    return int(connection.execute(text(f"SELECT count(d.found_at) {source}"), given).scalar_one())


def page(
    connection: Connection, wanted: Wanted, *, sort: str = "since", limit: int = 50, offset: int = 0
) -> list[Question]:
    """One page; the newest or largest first, SKUs and titles from A on."""
    source, given = _source(wanted)
    order = f"{SORTS[sort]} {'ASC' if sort in ('sku', 'title') else 'DESC'}"
    query = text(f"SELECT d.id {source} ORDER BY {order}, d.id DESC LIMIT :limit OFFSET :offset")
    return these(connection, [row.id for row in connection.execute(query, given | {"limit": limit, "offset": offset})])


def these(connection: Connection, ids: Sequence[int]) -> list[Question]:
    """Those with these numbers, in their order; one that is gone is left out."""
    found = {row["id"]: Question(**row) for row in connection.execute(_QUESTION, {"ids": list(ids)}).mappings()}
    return [found[each] for each in ids if each in found]


def _source(wanted: Wanted) -> tuple[str, dict[str, object]]:
    """The rows asked for; what is decided is told without its listing as long as nothing is searched."""
    where, given = [VIEWS[wanted.view]], dict[str, object]()
    words = wanted.search.strip()
    listed = bool(words) or wanted.view != "decided"
    if listed:
        where.append(_SAME)
    if wanted.shop_id:
        where.append("d.shop_id = :shop")
        given["shop"] = wanted.shop_id
    if wanted.cause:
        where.append(f"{_CAUSES[wanted.view]} = :cause")
        given["cause"] = wanted.cause
    if words:
        where.append(
            "(lower(l.seller_sku) LIKE :like ESCAPE '\\' OR lower(l.title) LIKE :like ESCAPE '\\' OR l.sku_id = :exact)"
        )
        literal = words.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        given |= {"like": f"%{literal}%", "exact": words}
    return f"{_LISTED if listed else 'FROM drift d'} WHERE {' AND '.join(where)}", given
