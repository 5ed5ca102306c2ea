"""Breaks one line at a time in a copy of this tree, and fails where no test notices.

    python -m tests.mutants              all of them, some minutes
    python -m tests.mutants M5 rule-3    these

Each mutant names its line by its exact text, so a line that was rewritten makes this fail until its mutant is, too.
docs/testing.md lists every mutant with the test that kills it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", "data", "__pycache__", ".venv", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Mutant:
    """A line (`old`, exactly once in `file`) that is broken into `new`, and the tests that must fail then."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: str


EXAMPLES, DRIFT, PUSH = (f"tests/simulation/test_{name}.py" for name in ("examples", "drift", "push"))
MUTANTS = (
    Mutant(
        "M1", "drift is told from TikTok's committed units, with shipments that lag", "core/sync/suspicion.py",
        'return drift(base, Reading(row["available"], row["open_units"], row["shipped_units"]), row["committed"])',
        'return drift(base, Reading(row["available"], row["committed"], row["shipped_units"]), row["committed"])',
        f"{DRIFT} {EXAMPLES}",
    ),
    Mutant(
        "M2", "a typed number is judged while orders are unseen", "core/sync/drift.py",
        "return unexplained(base, now) if committed == now.open_units else None",
        "return unexplained(base, now)",
        f"{DRIFT} {EXAMPLES} tests/unit/test_drift.py",
    ),
    Mutant(
        "M3", "a webhook advances the cursor of the poll", "core/sync/hooks.py",
        '            found = ingest(connection, shop, orders, "webhook")\n',
        '            found = ingest(connection, shop, orders, "webhook")\n'
        "            connection.execute(text(\"UPDATE cursor SET value = :v WHERE source LIKE 'orders:%'\"), "
        '{"v": shop.server_now()})\n',
        "tests/simulation/test_poll.py",
    ),
    Mutant(
        "M4", "a write whose answer was lost by a crash is forgotten", "core/sync/observe.py",
        'or_(_PUSH.c.outcome.in_(("sent", "unknown", "accepted")), late)',
        'or_(_PUSH.c.outcome.in_(("unknown", "accepted")), late)',
        f"{DRIFT} {PUSH}",
    ),
    Mutant(
        "M5", "a share of the last units is raised before the others are lowered", "core/sync/targets.py",
        "    if room is not None and wanted > room:\n",
        "    if False:\n",
        "tests/unit/test_split.py tests/unit/test_targets.py tests/simulation/test_siblings.py",
    ),
    Mutant(
        "M6", "a doubt that fits no story is dropped as not applied", "core/sync/verdicts.py",
        "    if overtaken or (untouched and not applied):\n",
        "    if overtaken or not applied:\n",
        "tests/unit/test_verdicts.py",
    ),
    Mutant(
        "plain-insert", "what is known already is inserted once more", "core/store/upsert.py",
        "        insert = conflict(", "        conflict(", "tests/store/test_ingest.py",
    ),
    Mutant(
        "cursor-before-rows", "the cursor moves before the last page", "core/sync/orders.py",
        "        if alone and window.done:\n            connection", "        if alone:\n            connection",
        "tests/simulation/test_poll.py",
    ),
    Mutant(
        "no-row-lock", "two workers claim one listing", "core/sync/outbox.py",
        "WHERE sku_id = :sku AND {_DUE}\nRETURNING", "WHERE sku_id = :sku AND shop_id = :shop\nRETURNING",
        f"tests/store/test_outbox.py {PUSH}",
    ),
    Mutant(
        "retry-resends", "a write whose answer was lost is sent again", "core/tiktok/transport.py",
        "        if task.write and _unclear(error):\n", "        if False:\n",
        f"tests/client/test_retries.py {EXAMPLES}",
    ),
    Mutant(
        "secret-by-equals", "a signature is compared letter by letter", "core/tiktok/signing.py",
        'return hmac.compare_digest(expected.encode(), (header or "").strip().encode())',
        'return expected == (header or "").strip()',
        "tests/unit/test_constant_time.py",
    ),
    Mutant(
        "rule-1", "an order line is booked again with every version of its order", "core/sync/ledger.py",
        "    booked = {} if fresh_only else _booked(", "    booked = {} if True else _booked(",
        f"tests/store/test_ingest.py {EXAMPLES}",
    ),
    Mutant(
        "rule-2", "levels are no sums of movements", "core/sync/ledger.py",
        '        level[1] += row["reserved"]\n', '        level[1] = row["reserved"]\n',
        f"tests/store/test_ingest.py {EXAMPLES}",
    ),
    Mutant(
        "rule-3", "a change during a write is forgotten: the newest generation does not win", "core/sync/outbox.py",
        "  state = CASE WHEN generation = :generation THEN 'idle' ELSE 'dirty' END\n", "  state = 'idle'\n",
        "tests/store/test_outbox.py",
    ),
    Mutant(
        "rule-4", "a number is sent that TikTok shows already", "core/sync/targets.py",
        "    if wanted == available:\n", "    if False:\n",
        f"{EXAMPLES} tests/unit/test_targets.py",
    ),
    Mutant(
        "rule-5", "units that TikTok holds for unseen orders are offered", "core/sync/aims.py",
        "    WHEN {_BEYOND} > 0 THEN {_BEYOND} ELSE 0 END), 0)", "    ELSE 0 END), 0)",
        EXAMPLES,
    ),
    Mutant(
        "rule-5-reads-back", "a write is not read again", "core/sync/push.py",
        "        batch.read_back()\n", "", f"{EXAMPLES} {PUSH}",
    ),
    Mutant(
        "rule-6", "a number typed on TikTok is overwritten without asking", "core/sync/targets.py",
        "    if drift:\n", "    if False:\n", f"{EXAMPLES} tests/unit/test_targets.py",
    ),
    Mutant(
        "rule-7", "a run may empty any number of listings", "core/sync/brakes.py",
        "    most = most_to_zero(linked, limits)\n", "    most = linked\n",
        "tests/unit/test_brakes.py tests/simulation/test_days.py",
    ),
    Mutant(
        "rule-8", "a refused row is tried again at once", "core/sync/batch.py",
        "refusal.sentence, _REFUSED_PAUSE)", "refusal.sentence, 0.0)", f"{PUSH} {EXAMPLES}",
    ),
    Mutant(
        "A8", "more is offered while TikTok holds units for unseen orders", "core/sync/targets.py",
        "    if committed > open_units:\n", "    if False:\n",
        f"tests/unit/test_targets.py {DRIFT}",
    ),
    Mutant(
        "doubt", "more is offered while a write has an unknown outcome", "core/sync/targets.py",
        "    if doubt:\n", "    if False:\n", f"tests/unit/test_targets.py {PUSH}",
    ),
    Mutant(
        "siblings", "what left one listing unexplained is offered by another of the same item", "core/sync/aims.py",
        "AND NOT {_SELF} THEN {_LEFT}", "AND 1 = 0 THEN {_LEFT}", f"tests/simulation/test_siblings.py {PUSH}",
    ),
)  # fmt: skip


def stale() -> list[str]:
    """Mutants whose line is not there exactly once."""
    return [one.name for one in MUTANTS if (ROOT / one.file).read_text(encoding="utf-8").count(one.old) != 1]


def passes(tests: set[str], tree: Path) -> bool:
    """Whether these tests pass in this tree; exits when they cannot be run."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *sorted(tests)]
    done = subprocess.run(command, cwd=tree, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"The tests did not run.\n{done.stdout.decode()[-2000:]}")
    return done.returncode == 0


def survives(mutant: Mutant, tree: Path) -> bool:
    """Whether the tests named for it pass although the line is broken."""
    file = tree / mutant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return passes(set(mutant.tests.split()), tree)
    finally:
        file.write_text(whole, encoding="utf-8")


def main(names: list[str]) -> int:
    """Every mutant, or those named; returns how many were not killed."""
    lost = stale()
    for name in lost:
        print(f"{name}: its line is not there exactly once; write the mutant anew")
    chosen = [one for one in MUTANTS if one.name not in lost and (not names or one.name in names)]
    alive = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        if not passes({test for one in chosen for test in one.tests.split()}, tree):
            raise SystemExit("The tests fail without any mutant; mend them first.")
        for mutant in chosen:
            started = time.monotonic()
            left = survives(mutant, tree)
            alive += left
            verdict = "SURVIVES" if left else "killed"
            print(f"{mutant.name}: {verdict} ({mutant.breaks}), {time.monotonic() - started:.0f} s", flush=True)
    return alive + len(lost)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
