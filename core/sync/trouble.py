"""The trouble a shop is in: told once when it begins, and once when it is over."""

from sqlalchemy import text

from core import clock
from core.store.engine import Store
from core.tiktok.errors import Stopped, TikTokError

_BEGIN = text(
    "UPDATE shop SET problem = :sentence, problem_next = :next, problem_outcome = :outcome, problem_at = :now "
    "WHERE id = :shop AND (problem IS NULL OR problem <> :sentence)"
)
_OVER = text(
    "UPDATE shop SET problem = NULL, problem_next = NULL, problem_outcome = NULL, problem_at = NULL "
    "WHERE id = :shop AND problem IS NOT NULL"
)


def told(store: Store, shop_id: str, error: TikTokError) -> None:
    """Keep the error for the banner; the same one again changes nothing."""
    if isinstance(error, Stopped):
        return
    values = {"sentence": error.sentence, "next": error.next_step, "outcome": error.outcome.value}
    with store.write() as connection:
        connection.execute(_BEGIN, values | {"shop": shop_id, "now": clock.now_ms()})


def over(store: Store, shop_id: str) -> None:
    """A call went through, so whatever it was is over."""
    with store.read() as connection:
        query = text("SELECT 1 FROM shop WHERE id = :shop AND problem IS NOT NULL")
        if connection.execute(query, {"shop": shop_id}).first() is None:
            return
    with store.write() as connection:
        connection.execute(_OVER, {"shop": shop_id})
