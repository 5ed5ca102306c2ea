"""`reconcile`: the stock table, what we have beside what TikTok shows."""

from sqlalchemy import text

from core.cli import out
from core.cli.desk import Reader, at_hand, shops_of
from core.sync import reconcile, trouble
from core.sync.cycle import cycle
from core.sync.reconcile import StockRow
from core.tiktok.errors import TikTokError

_ROWS = 200


def reconcile_stock(*, all_rows: bool, as_json: bool) -> int:
    """Read TikTok's numbers if the desk is free, compare, print the table, and return the exit code."""
    with at_hand() as reader:
        problem = _read(reader)
        only = "all" if all_rows or as_json else "different"
        with reader.store.read() as connection:
            counts = reconcile.counts(connection)
            rows = reconcile.rows(connection, only=only, limit=None if as_json else _ROWS)
            read_at = connection.execute(_READ_AT).scalar()
    if as_json:
        told = {"sentence": problem.sentence, "next_step": problem.next_step} if problem else None
        out.document({"read_at": read_at, "problem": told, "counts": counts, "rows": rows})
    else:
        _tell(rows, counts, read_at)
        if problem is not None:
            out.note(f"TikTok was not read just now: {problem.sentence} {problem.next_step}")
    if problem is not None:
        return out.FAILED
    return out.ATTENTION if counts.different else 0


_READ_AT = text("SELECT max(moved_at) FROM cursor WHERE source LIKE 'stock:%'")


def _read(reader: Reader) -> TikTokError | None:
    """Have TikTok's numbers fresh; a dashboard that runs elsewhere keeps them fresh itself."""
    if reader.runtime is None:
        out.note("These are the numbers that the running Evenstock read last.")
        return None
    problem = None
    for shop in shops_of(reader.runtime):
        with reader.store.read() as connection:
            known = connection.execute(text("SELECT 1 FROM listing WHERE shop_id = :id"), {"id": shop.shop_id}).first()
        try:
            cycle(shop, "stock" if known else "all", "cli")
        except TikTokError as error:
            trouble.told(reader.store, shop.shop_id, error)
            problem = error
    return problem


def _tell(rows: list[StockRow], counts: reconcile.StockCounts, read_at: int | None) -> None:
    if rows:
        out.table(
            ("SKU", "Listing", "On hand", "Promised", "Kept back", "Should show", "TikTok shows", "Difference", "Why"),
            [
                (row.seller_sku or row.sku_id, f"{row.title} {row.variant}".strip()[:40], row.on_hand, row.reserved,
                 row.buffer, row.target, row.available, row.difference, row.sentence)
                for row in rows
            ],
            right=(2, 3, 4, 5, 6, 7),
        )  # fmt: skip
        if len(rows) == _ROWS:
            out.note(f"Only the first {_ROWS} rows; --json prints all of them.")
    even = f"{counts.even:,} of {out.many(counts.listings, 'listing')} even"
    rest = out.counted(
        {
            "different": counts.different,
            "to decide": counts.drift,
            "not linked": counts.unlinked,
            "refused": counts.refused,
        }
    )
    out.say(f"{even}{', ' + rest if rest else ''}. TikTok was read at {out.when(read_at)}.")
