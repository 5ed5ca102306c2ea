"""A runtime that remembers what pages asked of it and does nothing else."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import clock
from core.jobs import JobState, LoopState
from core.settings import Choices, Settings
from core.store import choices as saved
from core.store.engine import Store
from core.sync import decisions, kinds, rule_plans, start_plans
from core.sync.plans import Proposed

SHOP = "7495001"


class EmptyVault:
    """Holds nothing."""

    def get(self, name: str) -> bytes | None:
        return None


@dataclass
class FakeRuntime:
    """Stands where the real runtime stands; `asked` holds the calls in order."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    owner: bool = True
    owner_note: str = ""
    practice: Any = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    folder: Path = field(default_factory=lambda: Path("unused"))
    troubles: list[Any] = field(default_factory=list)
    alive: bool = True
    plan_id: int = 1
    vault: Any = field(default_factory=EmptyVault)
    connected: Any = None
    goods: list[Any] = field(default_factory=list)

    def choices(self) -> Choices:
        with self.store.read() as connection:
            return saved.load(connection)

    def save_choices(self, choices: Choices) -> None:
        self.asked.append(("save_choices", choices))
        saved.save(self.store, choices)

    def loop(self) -> LoopState:
        now = clock.now_ms()
        job = JobState(SHOP, "Hazel and Thread", now + 260_000, False, now - 40_000, "")
        return LoopState(self.alive, now, self.choices().paused, (job,) if self.owner else ())

    def problems(self) -> list[Any]:
        return self.troubles

    def connect_begin(self, key: str, secret: str, service_id: str, region: str, **more: Any) -> str:
        self.asked.append(("connect_begin", key, secret, service_id, region))
        return "https://services.example/open/authorize?service_id=1"

    def connect_finish(self, pasted: str) -> Any:
        self.asked.append(("connect_finish", pasted))
        return self.connected

    def propose_resync(self, shop_id: str, sku_ids: list[str] | None = None) -> Proposed:
        self.asked.append(("propose_resync", shop_id, sku_ids))
        return Proposed(self.plan_id, 3, "")

    def propose_start(self, shop_id: str, wish: Any) -> Proposed:
        self.asked.append(("propose_start", shop_id, wish))
        return start_plans.propose(self.store, shop_id, wish)

    def propose_rule(self, scope: Any, key: str, rule: Any) -> Proposed:
        self.asked.append(("propose_rule", scope, key, rule))
        return rule_plans.propose(self.store, scope, key, rule, actor="owner")

    def propose_groups(self, groups: dict[int, str]) -> Proposed:
        self.asked.append(("propose_groups", groups))
        return rule_plans.propose_groups(self.store, groups, actor="owner")

    def choose_rows(self, plan_id: int, choice: Any, which: Any) -> int:
        self.asked.append(("choose_rows", plan_id, choice, which))
        return kinds.choose(self.store, plan_id, choice, which)

    def propose_undo(self, plan_id: int) -> Proposed:
        self.asked.append(("propose_undo", plan_id))
        return kinds.propose_undo(self.store, plan_id, actor="owner")

    def propose_again(self, plan_id: int) -> Proposed | None:
        self.asked.append(("propose_again", plan_id))
        return kinds.propose_again(self.store, plan_id, actor="owner")

    def start_plan(self, plan_id: int, *, confirmed_rows: int | None = None, seen_rows: int | None = None) -> int:
        self.asked.append(("start_plan", plan_id, confirmed_rows))
        return 1

    def decide_drift(self, asked: Any, choice: Any, number: int | None = None) -> Any:
        self.asked.append(("decide_drift", tuple(asked), choice, number))
        return decisions.decide(self.store, asked, choice, actor="owner", number=number)

    def undo_drift(self, drift_id: int) -> int:
        return decisions.undo(self.store, drift_id, actor="owner")

    def set_drift_rule(self, shop_id: str, rule: Any) -> None:
        self.asked.append(("set_drift_rule", shop_id, rule))
        decisions.set_rule(self.store, shop_id, rule)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **more: self.asked.append((name, *args, *more.values()))
