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
    tests: tuple[str, ...]


EXAMPLES, DRIFT, PUSH = (f"tests/simulation/test_{name}.py" for name in ("examples", "drift", "push"))
MUTANTS = (
    Mutant(
        "M1", "drift is told from TikTok's committed units, with shipments that lag", "core/sync/suspicion.py",
        'return drift(base, Reading(row["available"], row["open_units"], row["shipped_units"]), row["committed"])',
        'return drift(base, Reading(row["available"], row["committed"], row["shipped_units"]), row["committed"])',
        (
            f"{EXAMPLES}::test_e15_a_shipment_not_yet_in_the_feed_takes_nothing_off_twice",
            f"{DRIFT}::test_an_unseen_order_behind_an_unseen_shipment_is_not_sold_again",
        ),
    ),
    Mutant(
        "M2", "a typed number is judged while orders are unseen", "core/sync/drift.py",
        "return unexplained(base, now) if committed == now.open_units else None",
        "return unexplained(base, now)",
        ("tests/unit/test_drift.py::test_nothing_is_judged_while_an_order_is_still_on_its_way_to_us",),
    ),
    Mutant(
        "M3", "a webhook advances the cursor of the poll", "core/sync/hooks.py",
        '            found = ingest(connection, shop, orders, "webhook")\n',
        '            found = ingest(connection, shop, orders, "webhook")\n'
        "            connection.execute(text(\"UPDATE cursor SET value = :v WHERE source LIKE 'orders:%'\"), "
        '{"v": shop.server_now()})\n',
        ("tests/simulation/test_poll.py::test_a_webhook_never_moves_the_cursor",),
    ),
    Mutant(
        "M4", "a write whose answer was lost by a crash is forgotten", "core/sync/observe.py",
        'or_(_PUSH.c.outcome.in_(("sent", "unknown", "accepted")), late)',
        'or_(_PUSH.c.outcome.in_(("unknown", "accepted")), late)',
        (
            f"{PUSH}::test_a_crash_between_answer_and_record_leaves_a_doubt_and_no_second_write",
            f"{DRIFT}::test_shipments_from_before_a_write_explain_nothing_that_came_after_it",
        ),
    ),
    Mutant(
        "M5", "a share of the last units is raised before the others are lowered", "core/sync/targets.py",
        "    if room is not None and wanted > room:\n",
        "    if False:\n",
        ("tests/unit/test_targets.py::test_of_the_last_units_more_is_shown_only_once_the_others_show_fewer",),
    ),
    Mutant(
        "M6", "a doubt that fits no story is dropped as not applied", "core/sync/verdicts.py",
        "    if overtaken or (untouched and not applied):\n",
        "    if overtaken or not applied:\n",
        ("tests/unit/test_verdicts.py::test_when_neither_story_fits_it_stays_in_doubt_until_the_request_has_expired",),
    ),
    Mutant(
        "plain-insert", "what is known already is inserted once more", "core/store/upsert.py",
        "        insert = conflict(", "        conflict(",
        ("tests/store/test_ingest.py::test_an_order_reserves_and_a_shipment_takes_off",),
    ),
    Mutant(
        "cursor-before-rows", "the cursor moves before anything is read", "core/sync/orders.py",
        "            since = cursor - (DEEP if deep else OVERLAP)\n",
        "            since = cursor - (DEEP if deep else OVERLAP)\n"
        "            with shop.store.write() as early:\n"
        "                _move_cursor(early, shop.shop_id, shop.server_now())\n",
        ("tests/simulation/test_cursor.py::test_a_reading_that_failed_at_once_is_made_up_for_however_late_the_next_one_comes",),
    ),
    Mutant(
        "no-row-lock", "two workers claim one listing", "core/sync/outbox.py",
        "WHERE sku_id = :sku AND {_DUE}\nRETURNING", "WHERE sku_id = :sku AND shop_id = :shop\nRETURNING",
        ("tests/store/test_claims.py::test_of_two_workers_that_found_the_same_listing_one_gets_it",),
    ),
    Mutant(
        "retry-resends", "a write whose answer was lost is sent again", "core/tiktok/transport.py",
        "        if task.write and _unclear(error):\n", "        if False:\n",
        ("tests/client/test_retries.py::test_a_write_whose_answer_was_lost_is_never_sent_again",),
    ),
    Mutant(
        "secret-by-equals", "a signature is compared letter by letter", "core/tiktok/signing.py",
        'return hmac.compare_digest(expected.encode(), (header or "").strip().encode())',
        'return expected == (header or "").strip()',
        ("tests/unit/test_constant_time.py::test_a_webhook_is_compared_in_constant_time",),
    ),
    Mutant(
        "rule-1", "an order line is booked again with every version of its order", "core/sync/ledger.py",
        "    booked = {} if fresh_only else _booked(", "    booked = {} if True else _booked(",
        (f"{EXAMPLES}::test_e4_a_cancelled_order_gives_its_units_back",),
    ),
    Mutant(
        "rule-2", "levels are no sums of movements", "core/sync/ledger.py",
        '        level[1] += row["reserved"]\n', '        level[1] = row["reserved"]\n',
        (f"{EXAMPLES}::test_e4_a_cancelled_order_gives_its_units_back",),
    ),
    Mutant(
        "rule-3", "a change during a write is forgotten: the newest generation does not win", "core/sync/outbox.py",
        "  state = CASE WHEN generation = :generation THEN 'idle' ELSE 'dirty' END\n", "  state = 'idle'\n",
        ("tests/store/test_claims.py::test_a_change_in_the_midst_of_the_work_is_due_after_it",),
    ),
    Mutant(
        "rule-4", "a number is sent that TikTok shows already", "core/sync/targets.py",
        "    if wanted == available:\n", "    if False:\n",
        (f"{EXAMPLES}::test_e1_a_plain_sale_is_one_write_and_the_channel_that_sold_needs_none",),
    ),
    Mutant(
        "rule-5", "units that TikTok holds for unseen orders are offered", "core/sync/aims.py",
        "    WHEN {_BEYOND} > 0 THEN {_BEYOND} ELSE 0 END +", "    ELSE 0 END +",
        (f"{EXAMPLES}::test_e10_an_order_whose_webhook_was_lost_is_held_back_before_it_is_known",),
    ),
    Mutant(
        "rule-5-reads-back", "a write is not read again", "core/sync/push.py",
        "        batch.read_back()\n", "",
        (f"{EXAMPLES}::test_e2_a_sale_between_our_reading_and_our_write_is_seen_and_put_right_at_once",),
    ),
    Mutant(
        "rule-6", "a number typed on TikTok is overwritten without asking", "core/sync/targets.py",
        "    if drift:\n", "    if False:\n",
        (f"{EXAMPLES}::test_e5_a_lower_number_typed_on_tiktok_stands_until_the_owner_decides",),
    ),
    Mutant(
        "rule-7", "a run may empty any number of listings", "core/sync/brakes.py",
        "    most = most_to_zero(linked, limits)\n", "    most = linked\n",
        ("tests/unit/test_brakes.py::test_many_listings_to_zero_wait_for_the_owner_and_the_others_go_on",),
    ),
    Mutant(
        "rule-8", "a refused row is tried again at once", "core/sync/batch.py",
        "refusal.sentence, _REFUSED_PAUSE)", "refusal.sentence, 0.0)",
        (
            f"{PUSH}::test_one_refused_sku_of_a_product_does_not_keep_the_others_back",
            f"{PUSH}::test_a_new_change_while_a_refused_listing_rests_is_tried_at_once",
        ),
    ),
    Mutant(
        "A8", "more is offered while TikTok holds units for unseen orders", "core/sync/targets.py",
        "    if committed > open_units:\n", "    if False:\n",
        ("tests/unit/test_targets.py::test_raising_waits_for_later_readings_while_anything_is_unsettled",),
    ),
    Mutant(
        "doubt", "more is offered while a write has an unknown outcome", "core/sync/targets.py",
        "    if doubt:\n", "    if False:\n",
        (f"{PUSH}::test_nothing_is_raised_while_a_write_is_in_doubt",),
    ),
    Mutant(
        "siblings", "what left one listing unexplained is offered by another of the same item", "core/sync/aims.py",
        "AND NOT {_SELF} THEN {_LEFT}", "AND 1 = 0 THEN {_LEFT}",
        ("tests/simulation/test_siblings.py::test_an_unseen_order_behind_a_shipment_is_not_offered_by_the_other_shop",),
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
        return passes(set(mutant.tests), tree)
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
        if not passes({test for one in chosen for test in one.tests}, tree):
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
