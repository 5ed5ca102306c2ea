"""Everything that pages and commands may ask of the running Evenstock, and where to find it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from core import clock, connect, embedded
from core.connect import ConnectResult
from core.desks import PRACTICE, REAL
from core.jobs import JobState, Kind, Loop, LoopState, Trigger, read_beat
from core.process import NotOwner, Process
from core.settings import Choices
from core.store import choices as owner
from core.store.engine import Store, open_store
from core.store.queries import halted
from core.store.queries.places import STORE
from core.store.vault import Vault, vault_key
from core.sync import (
    adopt,
    decisions,
    invariants,
    kinds,
    ledger,
    mending,
    plans,
    rule_plans,
    rules,
    runs,
    signin,
    start_plans,
)
from core.sync.approval import Which
from core.sync.decisions import Asked, Choice, Decided, Rule
from core.sync.plans import Proposed
from core.sync.starting import Wish
from core.tiktok.auth import App

__all__ = ["ConnectResult", "JobState", "LoopState", "NotOwner", "Problem", "Runtime", "current", "install"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A shop's trouble as the owner is told of it."""

    shop_id: str
    shop: str
    sentence: str
    next_step: str
    outcome: str
    at: int


class Runtime(Process):
    """What the owner can ask for; whatever changes something raises NotOwner in a process that only reads."""

    def choices(self) -> Choices:
        """What the owner chose."""
        with self.store.read() as connection:
            return owner.load(connection)

    def save_choices(self, choices: Choices) -> None:
        """Keep the owner's choices and follow them at once."""
        self._must_own()
        owner.save(self.store, choices)
        if self._loop is not None:
            self._loop.reschedule()

    def loop(self) -> LoopState:
        """Whether the loop is alive, here or in the process that owns it."""
        if self._loop is not None:
            return self._loop.state()
        beat = read_beat(self.folder)
        alive = not self.owner and beat is not None and clock.now_ms() - beat < 45_000
        return LoopState(alive, beat, self.choices().paused, ())

    def sync_now(self, kind: Kind = "all", shop_id: str | None = None) -> None:
        """Start a sync in the background."""
        self._working().sync_now(kind, shop_id)

    def sync(self, kind: Kind, shop_id: str | None = None, trigger: Trigger = "cli") -> bool:
        """Sync now and wait for it; for the command line. True when every shop went through."""
        self._must_own()
        loop = self._loop or Loop(self.store, self.sessions.shops, self.folder, 0)
        shops = [shop_id] if shop_id else [shop.shop_id for shop in self.sessions.shops]
        went_through = [loop.sync(each, kind, trigger) for each in shops]
        return all(went_through)

    def prove_now(self) -> None:
        """Add the ledger up in the background; the result is a run."""
        self._working().prove_now()

    def heard(self) -> None:
        """A webhook was stored."""
        if self._loop is not None:
            self._loop.heard()

    def propose_resync(self, shop_id: str, sku_ids: list[str] | None = None, *, actor: str = "owner") -> Proposed:
        """A plan to bring TikTok's numbers to ours; nothing is sent by this."""
        self._must_own()
        return plans.propose_resync(self.store, shop_id, sku_ids, actor=actor)

    def propose_adopt(self, shop_id: str, sku_ids: list[str], *, actor: str = "owner") -> Proposed:
        """A plan to take over TikTok's numbers as counted stock; nothing is booked by this."""
        self._must_own()
        return adopt.propose(self.store, shop_id, sku_ids, actor=actor)

    def propose_start(self, shop_id: str, wish: Wish) -> Proposed:
        """A plan where listings without a start begin; nothing is booked or sent by this. Raises NothingToStart."""
        self._must_own()
        return start_plans.propose(self.store, shop_id, wish)

    def propose_rule(self, scope: rules.Scope, key: str, rule: rules.Rule, *, actor: str = "owner") -> Proposed:
        """A plan to change a rule; one that changes nothing on TikTok is saved at once. Raises BadRule."""
        self._must_own()
        return rule_plans.propose(self.store, scope, key, rule, actor=actor)

    def propose_groups(self, groups: Mapping[int, str], *, actor: str = "owner") -> Proposed:
        """A plan to put items into groups, in the same way. Raises BadRule."""
        self._must_own()
        return rule_plans.propose_groups(self.store, groups, actor=actor)

    def propose_undo(self, plan_id: int, *, actor: str = "owner") -> Proposed:
        """A plan to take another one back; nothing is changed by this. Raises CannotUndo."""
        self._must_own()
        return kinds.propose_undo(self.store, plan_id, actor=actor)

    def propose_again(self, plan_id: int, *, actor: str = "owner") -> Proposed | None:
        """A fresh plan for the rows of an ended one that came back to review or were not sent; None without any."""
        self._must_own()
        return kinds.propose_again(self.store, plan_id, actor=actor)

    def choose_rows(self, plan_id: int, choice: kinds.Choice, which: Which) -> int:
        """Leave rows of a plan out, put them back, or keep only them. Returns how many are chosen; raises PlanGone."""
        self._must_own()
        return kinds.choose(self.store, plan_id, choice, which)

    def start_plan(self, plan_id: int, *, confirmed_rows: int | None = None, seen_rows: int | None = None) -> int:
        """The owner's yes: send the plan in the background. Returns the run's id.

        Raises PlanGone, NotConfirmed, and ChoiceMoved when not `seen_rows` rows are chosen.
        """
        loop = self._working()
        plans.approve(self.store, plan_id, confirmed_rows=confirmed_rows, seen_rows=seen_rows)
        with self.store.read() as connection:
            plan = connection.execute(text("SELECT shop_id, kind FROM plan WHERE id = :id"), {"id": plan_id}).one()
        running = runs.Running(self.store, plan.kind, plan.shop_id, "owner")
        run_id = running.record()
        if not kinds.KINDS[plan.kind].talks:
            with runs.carry_on(running):
                kinds.run(plan.kind, self.store, (), plan_id, running)
        else:
            loop.run_plan(plan.shop_id, plan_id, running)
        return run_id

    def stop_run(self, run_id: int) -> bool:
        """Ask a run to stop after what it is doing; False when it is not running here."""
        return runs.stop(run_id)

    def retry_run(self, run_id: int) -> None:
        """Do again what failed: a sync of the same kind, for the same shop."""
        with self.store.read() as connection:
            row = connection.execute(text("SELECT kind, shop_id FROM run WHERE id = :id"), {"id": run_id}).one()
        kind = row.kind.removeprefix("sync ")
        self.sync_now(kind if kind in ("orders", "stock", "catalog") else "all", row.shop_id or None)

    def record_sale(self, sku: str, quantity: int, note: str = "", reference: str = "", location: int = STORE) -> int:
        """A sale in the owner's own store. Returns units now on hand; raises UnknownItem, BadQuantity."""
        self._must_own()
        return ledger.record_sale(
            self.store, sku, quantity, actor="owner", note=note, reference=reference, location_id=location
        )

    def record_count(self, sku: str, on_hand: int, note: str = "", location: int = STORE) -> int:
        """A count of the shelf of a location. Returns the difference booked; raises UnknownItem, BadQuantity."""
        self._must_own()
        change = ledger.record_count(self.store, sku, on_hand, actor="owner", note=note, location_id=location)
        invariants.after(self.store, 0.0)  # a count may be what puts a halted item right
        return change

    def add_up_again(self, item_ids: Sequence[int] | None = None) -> mending.Mended:
        """Put the books of these halted items right, or of all, as far as movements and orders tell."""
        self._must_own()
        with self.store.read() as connection:
            halted_ids = [each.item_id for each in halted.items(connection, limit=10_000)]
        return mending.mend(self.store, [each for each in halted_ids if item_ids is None or each in item_ids], "owner")

    def decide_drift(self, asked: Sequence[Asked], choice: Choice, number: int | None = None) -> Decided:
        """The owner's word on numbers that no order explains; `number` is what was counted. Raises BadQuantity."""
        self._must_own()
        return decisions.decide(self.store, asked, choice, actor="owner", number=number)

    def undo_drift(self, drift_id: int) -> int:
        """Take such a decision back. Returns the units added to the ledger; raises CannotUndo."""
        self._must_own()
        return decisions.undo(self.store, drift_id, actor="owner")

    def set_drift_rule(self, shop_id: str, rule: Rule) -> None:
        """What happens by itself to numbers of this shop that no order explains."""
        self._must_own()
        decisions.set_rule(self.store, shop_id, rule)

    def connect_begin(self, key: str, secret: str, service_id: str, region: str) -> str:
        """Keep the owner's app, and return the page where they agree."""
        self._must_own()
        store, vault = self._real_store()
        try:
            return connect.begin(vault, self._app(key, secret, service_id, region))
        finally:
            if store is not self.store:
                store.close()

    def connect_finish(self, pasted: str, *, from_callback: bool = False) -> ConnectResult:
        """Turn what came back into a connected shop, and change over from the practice shop to it."""
        self._must_own()
        with self._switching:
            store, vault = self._real_store()
            try:
                result = connect.finish(store, vault, REAL, pasted, self.folder, from_callback=from_callback)
            finally:
                if store is not self.store:
                    store.close()
            if result.ok:
                self._change_over(REAL)
        return result

    def reconnect_practice(self) -> None:
        """Sign in to the practice shop again, after its trouble "revoked" was tried. Raises TikTokError."""
        self._must_own()
        if self._embedded is not None:
            embedded.sign_in(self._embedded, self.store, self.vault, self.folder)
            self.sync_now("all")

    def disconnect(self) -> None:
        """Forget the sign-in of the real shop; its data stays, and the practice shop takes its place."""
        self._must_own()
        with self._switching:
            signin.forget(self.store, self.vault, REAL)
            self._change_over(PRACTICE)

    def problems(self) -> list[Problem]:
        """What keeps shops from working, newest first."""
        query = text(
            "SELECT id, name, problem, problem_next, problem_outcome, problem_at FROM shop "
            "WHERE problem IS NOT NULL ORDER BY problem_at DESC"
        )
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        return [
            Problem(row.id, row.name, row.problem, row.problem_next, row.problem_outcome, row.problem_at)
            for row in rows
        ]

    def _real_store(self) -> tuple[Store, Vault]:
        if not self.is_practice:
            return self.store, self.vault
        store = open_store(self.settings.store_url)
        return store, Vault(store, vault_key(self.settings))

    def _app(self, key: str, secret: str, service_id: str, region: str) -> App:
        given = self.settings
        return App(
            key.strip(), secret.strip(), service_id.strip(), given.tiktok_shop_api_base.rstrip("/"),
            given.tiktok_shop_auth_base.rstrip("/"), given.tiktok_shop_redirect_uri, region,
        )  # fmt: skip


_current: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Make this the runtime that pages and routes use."""
    global _current
    _current = runtime


def current() -> Runtime:
    """The runtime of this process."""
    if _current is None:
        raise RuntimeError("Evenstock has not been started in this process")
    return _current
