"""Every n-th call and every n-th commit of twelve pieces of work goes wrong once; afterwards everything agrees.

By default a share of the points is visited, another one each day; EVENSTOCK_ALL=1 visits all of them.
EVENSTOCK_POINT="mass push:commits:dies_after:7" repeats one.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core import clock
from core.jobs import read_beat, write_beat
from core.store.backup import back_up
from core.store.errors import StoreProblem
from core.tiktok.errors import SignInAgain, TikTokError
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits, broken_files
from tests.simulation.oracle import Oracle
from tests.simulation.scenarios import SCENARIOS, Scenario
from tests.simulation.world import World, mould

MOST = 400
STRIDE = 1 if os.environ.get("EVENSTOCK_ALL") else 9
TODAY = int(time.time() // 86_400)
POINT = os.environ.get("EVENSTOCK_POINT", "")
WHERE: dict[str, Callable[[Desk, Fault], None]] = {"calls": break_calls, "commits": break_commits}
WAYS = pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())


def _name(scenario: Scenario, where: str, way: Way, n: int) -> str:
    return f"{scenario.name}:{where}:{way.name.lower()}:{n}"


def go_wrong(scenario: Scenario, where: str, way: Way, n: int, moulds: Path) -> int:
    """Do the work with its n-th step broken, start again, heal, and check. Returns how many steps there were."""
    print(f"EVENSTOCK_POINT={_name(scenario, where, way, n)}")
    made = mould(scenario.kind, moulds)
    with TemporaryDirectory(dir=moulds.parent) as folder, clock.turned(made.seconds) as time:
        world = World(Path(folder), made, time)
        try:
            return _go_wrong(scenario, where, Fault(n, way), world)
        finally:
            world.close()


def _go_wrong(scenario: Scenario, where: str, fault: Fault, world: World) -> int:
    desk = world.desks[0]
    scenario.prepare(world)
    desk.sent.clear()
    before = desk.one("SELECT coalesce(max(id), 0) FROM push")
    oracle = Oracle(world, Counter())
    oracle.watch(0, desk)
    WHERE[where](desk, fault)
    with suppress(TikTokError, StoreProblem, Killed):
        scenario.work(world)
    steps = fault.steps
    world.restart()
    desk.practice.clear_trouble()
    try:
        desk.sync("all")
    except SignInAgain:  # the one answer with new keys was lost: only the owner can help
        assert scenario.name.startswith("token refresh")
        desk.sign_in()
    oracle.watch(0, desk)
    desk.settle(rounds=3)
    scenario.heal(world)
    desk.settle(rounds=3)
    world.learn()
    world.check_books()
    world.check_shelf()
    world.check_even()
    check_never_resent(desk, before)
    assert desk.rows("SELECT id FROM drift WHERE state IN ('open', 'lowered', 'suspected')") == []
    assert desk.rows("SELECT id FROM plan WHERE state IN ('approved', 'running')") == []
    assert desk.rows("SELECT id FROM run WHERE status = 'running'") == []
    return steps


def check_never_resent(desk: Desk, before: int) -> None:
    """Each request that left belongs to an intent of its own."""
    left = Counter(sku["id"] for _, body in desk.updates() for sku in json.loads(body)["skus"])
    meant = Counter(row.sku_id for row in desk.rows("SELECT sku_id FROM push WHERE id > :before", before=before))
    assert all(count <= meant[sku] for sku, count in left.items()), (left, meant)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_work_survives_the_failure_of_any_step(
    scenario: Scenario, where: str, inside: None, moulds: Path, record_property: Callable[[str, object], None]
) -> None:
    steps = go_wrong(scenario, where, Way.FAILS_BEFORE, MOST, moulds)
    assert 0 < steps < MOST, "the work has steps, and all of them were reached"
    points = [(way, n) for n in range(1, steps + 1) for way in Way]
    if POINT:
        points = [point for point in points if _name(scenario, where, *point) == POINT]
    chosen = points[TODAY % STRIDE :: STRIDE] if not POINT else points
    for way, n in chosen:
        go_wrong(scenario, where, way, n, moulds)
    record_property("points", len(points))
    print(f"{scenario.name}, {where}: {len(chosen)} of {len(points)} points")


@WAYS
def test_a_heartbeat_that_cannot_be_written_leaves_the_last_one_whole(tmp_path: Path, way: Way) -> None:
    with clock.turned() as time:
        write_beat(tmp_path)
        time.turn(10)
        with broken_files(tmp_path, Fault(1, way)), pytest.raises((OSError, Killed)):
            write_beat(tmp_path)
        assert read_beat(tmp_path) in (clock.now_ms(), clock.now_ms() - 10_000)


@WAYS
def test_a_backup_that_cannot_be_finished_leaves_none_or_a_whole_one(tmp_path: Path, desk: Desk, way: Way) -> None:
    target = tmp_path / "copies" / "today.db"
    target.parent.mkdir()
    with broken_files(target.parent, Fault(1, way)), suppress(OSError, Killed, StoreProblem):
        back_up(desk.folder / "evenstock.db", target)
    assert [file for file in target.parent.iterdir() if file != target] == []
    if target.exists():
        assert target.stat().st_size > 0
    else:
        assert back_up(desk.folder / "evenstock.db", target) > 0
