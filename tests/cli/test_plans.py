"""Plans at the command line: some rows of one, what is at stake, and taking one back."""

from tests.cli.conftest import Core


def proposed(synced: Core) -> tuple[str, list[dict[str, str]]]:
    """The number of a plan of all that differs, and its rows."""
    plan = synced("sync", "--dry-run", "--json").document["shops"][0]["plan"]
    return plan["id"], plan["changes"]


def test_only_the_rows_that_were_named_are_sent(synced: Core) -> None:
    number, changes = proposed(synced)
    assert len(changes) > 2
    named = [change["sku"] for change in changes[:2]]
    assert "with 2 changes" in synced("plan", "approve", number, "--only", named[0], "--only", named[1]).out
    ran = synced("plan", "run", number, "--json")
    assert ran.code == 0, "rows that were left out need no second look"
    assert ran.document["states"] == {"done": 2, "skipped": len(changes) - 2}


def test_a_row_can_be_left_out(synced: Core) -> None:
    number, changes = proposed(synced)
    assert synced("plan", "approve", number, "--without", changes[0]["sku"]).code == 0
    left = [row for row in synced("plan", "show", number, "--json").document["changes"] if row["state"] == "skipped"]
    assert [row["entity"] for row in left] == [changes[0]["entity"]]


def test_a_name_that_is_not_in_the_plan_approves_nothing(synced: Core) -> None:
    number, _ = proposed(synced)
    refused = synced("plan", "approve", number, "--only", "NO-SUCH-SKU")
    assert refused.code == 1
    assert "no row for NO-SUCH-SKU" in refused.err
    assert synced("plan", "list", "--json").document["plans"][0]["state"] == "proposed"


def test_a_plan_tells_what_is_at_stake(synced: Core) -> None:
    number, changes = proposed(synced)
    totals = synced("plan", "show", number, "--json").document["totals"]
    assert totals["raises"] + totals["lowers"] == totals["rows"] == len(changes)
    (stake,) = totals["money"]
    offered = sum(int(row["stake_units"]) for row in changes if int(row["stake_units"]) > 0)
    assert (stake["currency"], stake["offered_units"]) == ("GBP", offered)
    assert "At the listings' prices" in synced("plan", "show", number).out


def test_a_plan_is_taken_back_by_a_plan_that_is_shown_approved_and_run(synced: Core) -> None:
    number, changes = proposed(synced)
    synced("plan", "approve", number)
    synced("plan", "run", number)
    back = synced("plan", "undo", number, "--json")
    rows = {row["entity"]: row for row in back.document["changes"]}
    assert rows.keys() == {change["entity"] for change in changes}
    assert back.code == (3 if any(row["state"] == "cannot" for row in rows.values()) else 0)
    undo = back.document["plan"]["id"]
    assert "On hand" in synced("plan", "show", undo).out
    rows_option = ("--rows", back.document["plan"]["rows"]) if back.document["plan"]["warning"] else ()
    assert synced("plan", "approve", undo, *rows_option).code == 0
    assert synced("plan", "run", undo).code == 0
    states = {row["entity"]: row["state"] for row in synced("plan", "show", number, "--json").document["changes"]}
    goes = {entity for entity, row in rows.items() if row["state"] == "proposed"}
    assert goes
    assert {entity for entity, state in states.items() if state == "undone"} == goes
    synced("sync")
    shown = {row["sku_id"]: row["available"] for row in synced("reconcile", "--all", "--json").document["rows"]}
    before = {change["entity"]: int(change["old"]) for change in changes}
    assert {entity: shown[entity] for entity in goes} == {entity: before[entity] for entity in goes}


def test_a_plan_that_was_not_sent_cannot_be_taken_back(synced: Core) -> None:
    number, _ = proposed(synced)
    refused = synced("plan", "undo", number)
    assert refused.code == 1
    assert "nothing to undo yet" in refused.err
