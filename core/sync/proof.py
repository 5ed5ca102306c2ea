"""The proof of the ledger: every movement added up and compared with the stock on hand, kept as a run."""

from core.store.engine import Store
from core.sync import ledger, runs


def prove(store: Store, trigger: str) -> ledger.Proof:
    """Prove the ledger now, as a run; where it does not add up, the run has failed and names the SKUs."""
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
            running.next_step = "Count these items and enter the counts on the Count page."
    return proof


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
