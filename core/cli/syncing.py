"""`sync`: read TikTok now and send what must be sent, or show it as a plan and send nothing."""

from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import text

from core.cli import out
from core.cli.desk import shops_of, working
from core.jobs import Kind, send_due
from core.runtime import Runtime
from core.store.queries import plans
from core.store.queries.plans import PlanLine
from core.sync import reconcile, runs, trouble
from core.sync.context import ShopContext
from core.sync.cycle import cycle
from core.tiktok.errors import TikTokError

_REVIEW = "Nothing is sent before you agreed once: python -m core sync --dry-run shows the changes as a plan."


@dataclass
class Synced:
    """How the sync of one shop went."""

    shop_id: str
    name: str
    ok: bool = True
    sentence: str = ""
    next_step: str = ""
    read: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    different: int = 0
    plan: dict[str, object] | None = None


def sync_shops(what: str, shop_id: str, *, dry_run: bool, as_json: bool) -> int:
    """Sync the shops, tell how it went, and return the exit code."""
    with working() as runtime:
        results = [_sync(runtime, shop, cast(Kind, what), dry_run) for shop in shops_of(runtime, shop_id)]
    if as_json:
        out.document({"dry_run": dry_run, "shops": results})
    else:
        for result in results:
            _tell(result)
    if not all(result.ok for result in results):
        return out.FAILED
    return out.ATTENTION if any(result.different for result in results) else 0


def _sync(runtime: Runtime, shop: ShopContext, what: Kind, dry_run: bool) -> Synced:
    result = Synced(shop.shop_id, shop.name)
    try:
        running = cycle(shop, what, "cli")
        result.sentence, result.read = running.sentence, dict(running.counts)
        if dry_run:
            result.plan = _propose(runtime, shop)
        else:
            _send(runtime, shop, result)
    except TikTokError as error:
        trouble.told(runtime.store, shop.shop_id, error)
        result.ok, result.sentence, result.next_step = False, error.sentence, error.next_step
    with runtime.store.read() as connection:
        counts = reconcile.counts(connection, shop_id=shop.shop_id)
    result.different = counts.different
    return result


def _send(runtime: Runtime, shop: ShopContext, result: Synced) -> None:
    choices = runtime.choices()
    with runtime.store.read() as connection:
        mode = connection.execute(text("SELECT mode FROM shop WHERE id = :id"), {"id": shop.shop_id}).scalar_one()
    if mode != "live":
        result.next_step = _REVIEW
    elif choices.paused or not choices.push_on:
        result.next_step = "Sending is switched off on the Settings page, so nothing was sent."
    else:
        with runs.run(runtime.store, "push", shop.shop_id, "cli", quiet=True) as running:
            send_due(shop, "cli", running, shop.stop)
        result.sent = dict(running.counts)
        result.next_step = running.next_step


def _propose(runtime: Runtime, shop: ShopContext) -> dict[str, object]:
    proposed = runtime.propose_resync(shop.shop_id, actor="cli")
    with runtime.store.read() as connection:
        lines = plans.lines(connection, proposed.id, limit=max(1, proposed.rows))
    return {"id": proposed.id, "rows": proposed.rows, "warning": proposed.warning, "changes": lines}


def _tell(result: Synced) -> None:
    out.say(f"{result.name}: {result.sentence}")
    if sent := out.counted(result.sent):
        out.say(f"To TikTok: {sent}.")
    if result.plan is not None:
        _tell_plan(result.plan)
    elif result.different:
        out.say(f"{out.many(result.different, 'listing')} still different: python -m core reconcile shows them.")
    if result.next_step:
        out.note(result.next_step)


def _tell_plan(plan: dict[str, object]) -> None:
    changes = cast(list[PlanLine], plan["changes"])
    if not changes:
        out.say("Nothing would be sent.")
        return
    out.say(f"Plan {plan['id']}: {out.many(len(changes), 'change')} would be sent. Nothing was sent.")
    tell_lines(changes)
    if plan["warning"]:
        out.note(str(plan["warning"]))
    out.note(f"To send them: python -m core plan approve {plan['id']}, then python -m core plan run {plan['id']}")


def tell_lines(lines: list[PlanLine]) -> None:
    """The changes of a plan as a table."""
    rows = [
        (line.sku, f"{line.title} {line.variant}".strip()[:40], line.old, line.new, line.rule,
         line.result or line.state)
        for line in lines
    ]  # fmt: skip
    now = "On hand" if lines and all(line.field == "on hand" for line in lines) else "TikTok shows"
    out.table(("SKU", "Listing", now, "New", "Because", "State"), rows, right=(2, 3))
