"""The record of each write to TikTok: the intent before the call, the answer right after it."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert, text

from core import clock
from core.store.tables import Push
from core.store.upsert import table
from core.sync import locks, outbox
from core.sync.facts import Facts
from core.sync.outbox import Claim
from core.tiktok.errors import TikTokError
from core.tiktok.writes import Refusal

_PUSH = table(Push)


def keep(
    connection: Connection, claim: Claim, fact: Facts, target: int, numbers: Mapping[str, int], run_id: int | None
) -> int:
    """Keep what is about to be sent, with the reading it rests on. Returns the id of the record."""
    values = {
        "shop_id": claim.shop_id, "sku_id": claim.sku_id, "product_id": fact.product_id,
        "generation": claim.generation, "target": target, "wanted": json.dumps(numbers),
        "read_available": fact.available, "read_committed": fact.committed, "read_open": fact.open_units,
        "read_shipped": fact.shipped_units, "dirty_at": claim.dirty_at, "intent_at": clock.now_ms(),
        "outcome": "sent", "request_id": "", "sentence": "", "run_id": run_id,
    }  # fmt: skip
    return int(connection.execute(insert(_PUSH).values(values).returning(_PUSH.c.id)).scalar_one())


def accepted(connection: Connection, push_id: int, claim: Claim, request_id: str) -> None:
    """TikTok took it; a reading has yet to confirm it."""
    _close(connection, push_id, outcome="accepted", request_id=request_id)
    mine = {"shop": claim.shop_id, "sku": claim.sku_id}
    if connection.execute(_FORGIVE, mine).first() is not None:
        outbox.mark_siblings(connection, claim.shop_id, claim.sku_id, "another listing of it may be changed again")


def refused(connection: Connection, push_id: int, claim: Claim, refusal: Refusal) -> None:
    """TikTok said no to this SKU; the listing carries the reason."""
    _close(
        connection, push_id, outcome="refused", code=refusal.code, sentence=refusal.sentence,
        request_id=refusal.request_id or "",
    )  # fmt: skip
    mine = {"shop": claim.shop_id, "sku": claim.sku_id}
    told = {"code": refusal.code, "sentence": refusal.sentence, "at": clock.now_ms()}
    connection.execute(_REFUSE, mine | told)
    if refusal.code in locks.CODES:
        outbox.mark_siblings(connection, claim.shop_id, claim.sku_id, "another listing of it is locked")


def unknown(connection: Connection, push_id: int, error: TikTokError) -> None:
    """The answer was lost; later readings tell what became of it, and it is never sent again."""
    _close(connection, push_id, outcome="unknown", sentence=error.sentence)


def overtaken(connection: Connection, push_id: int) -> None:
    """The channel compared, and the number we had read was not there any more: nothing was written."""
    _close(
        connection, push_id, outcome="not sent", sentence="The number had changed meanwhile, so nothing was written."
    )


def not_sent(connection: Connection, push_id: int, error: TikTokError) -> None:
    """Nothing can have happened at TikTok, so the intent is void."""
    _close(connection, push_id, outcome="not sent", code=error.code, sentence=error.sentence)


def _close(connection: Connection, push_id: int, **values: object) -> None:
    connection.execute(_PUSH.update().where(_PUSH.c.id == push_id).values(answered_at=clock.now_ms(), **values))


_REFUSE = text("""
UPDATE listing SET refused_code = :code, refused_sentence = :sentence, refused_at = :at
WHERE shop_id = :shop AND sku_id = :sku
""")
_FORGIVE = text("""
UPDATE listing SET refused_code = NULL, refused_sentence = NULL, refused_at = NULL
WHERE shop_id = :shop AND sku_id = :sku AND refused_code IS NOT NULL RETURNING sku_id
""")


_OVERWRITE = text("""
UPDATE drift SET state = CASE WHEN found_at <= :seen THEN 'decided' ELSE 'lowered' END,
  decision = CASE WHEN found_at <= :seen THEN 'ours' ELSE '' END,
  decided_at = CASE WHEN found_at <= :seen THEN :at ELSE NULL END
WHERE shop_id = :shop AND sku_id = :sku AND state IN ('suspected', 'open', 'lowered')
""")


def overwrite_drift(connection: Connection, shop_id: str, sku_id: str, *, seen_at: int = -1) -> None:
    """Our number now stands where an unexplained one was.

    What the owner saw when they reviewed it (`seen_at`, milliseconds) is decided by that; anything else was only
    lowered and stays a question.
    """
    given = {"shop": shop_id, "sku": sku_id, "seen": seen_at, "at": clock.now_ms()}
    connection.execute(_OVERWRITE, given)
