"""The proof of the ledger: every movement added up and compared with the stock on hand, kept as a run."""

from sqlalchemy import bindparam, text

from core.store.engine import Store
from core.sync import invariants, ledger, runs


def prove(store: Store, trigger: str) -> ledger.Proof:
    """Prove the ledger now, as a run; where it does not add up, the run has failed, names the SKUs, and halts them."""
    with runs.run(store, "proof", "", trigger) as running:
        with store.read() as connection:
            proof = ledger.prove(connection)
        running.counts["movements"] = proof.movements
        running.counts["items"] = proof.items
        items, movements = _many(proof.items, "item"), _many(proof.movements, "movement")
        running.sentence = f"The stock of {items} is the sum of {movements}."
        if proof.broken:
            running.status = "failed"
            running.sentence = (
                f"The ledger does not add up for {_many(len(proof.broken), 'item')}: {', '.join(proof.broken[:10])}."
            )
            running.next_step = "Open the Stock page and add these items up again, or count them."
    if proof.broken:
        with store.read() as connection:
            suspects = connection.execute(_IDS, {"skus": list(proof.broken)}).scalars().all()
        invariants.halt(store, {}, suspects)
    return proof


_IDS = text("SELECT id FROM item WHERE sku IN :skus").bindparams(bindparam("skus", expanding=True))


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
