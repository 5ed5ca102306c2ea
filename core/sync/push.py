"""Send quantities to TikTok: read, decide, keep the intent, write, keep the answer, read again.

1. Claim due listings, so that no other worker touches them.
2. Read what TikTok shows for all of them, 600 a call.
3. For each product, at the moment of sending: compute the targets anew, stop what the limits forbid, keep the intents.
4. Call TikTok with every warehouse of each SKU, and keep the answer right after it.
5. Read back: confirmed, or due again at once when something else happened in between.
"""

from collections.abc import Mapping

from core.sync import outbox
from core.sync.batch import Batch, Pushed
from core.sync.choosing import Approval
from core.sync.context import ShopContext
from core.sync.runs import Running

__all__ = ["BATCH", "Approval", "Pushed", "drain", "sentence"]
BATCH = 600
_NOT_CONFIRMED = {"refused": "refused by TikTok", "without an answer": "without an answer"}


def drain(
    shop: ShopContext,
    worker: str,
    running: Running,
    *,
    approved: Mapping[str, Approval] | None = None,
    into: Pushed | None = None,
) -> Pushed:
    """Look at one batch of due listings and send what must be sent; with `approved`, the listings of a reviewed plan.

    Raises TikTokError when TikTok cannot be read, and StoreProblem; the listings stay due then, and `into` holds what
    was done until then.
    """
    pushed = Pushed() if into is None else into
    if approved is None:
        claims = outbox.claim(shop.store, shop.shop_id, worker, BATCH)
    else:
        claims = outbox.take(shop.store, shop.shop_id, worker, sorted(approved)[:BATCH])
    if not claims:
        return pushed
    batch = Batch(shop, {claim.sku_id: claim for claim in claims}, running, approved, pushed)
    try:
        batch.read()
        batch.send()
        batch.read_back()
    except Exception as error:
        batch.give_back(error)
        raise
    return pushed


def sentence(running: Running) -> str:
    """What a run sent, for the Activity page."""
    counts = running.counts
    sent = f"{counts['confirmed']:,} {'quantity' if counts['confirmed'] == 1 else 'quantities'} sent and read back."
    others = [f"{counts[name]:,} {words}." for name, words in _NOT_CONFIRMED.items() if counts[name]]
    return " ".join([sent, *others])
