"""`status`: what a person or a script asks first."""

from dataclasses import dataclass

from core import clock
from core.cli import out
from core.cli.desk import Reader, is_taken, reading
from core.jobs import ALIVE_MS, read_beat
from core.store.queries import activity, drift, health
from core.store.queries.shops import ReadUpTo, ShopRow, read_up_to, shops
from core.store.vault import VaultLocked
from core.sync.signin import KeptTokens

_RUNS = 10
_DAYS_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """When a sign-in ends, in Unix seconds; `problem` when it cannot be opened."""

    access_ends: int | None
    ends: int | None
    scopes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ShopState:
    """One shop: its connection, its sign-in, what waits, and how long a change takes each way (last seven days).

    `questions` are the numbers that nothing explains: those to decide, those being checked, and those decided.
    """

    shop: ShopRow
    sign_in: SignIn
    queue: health.Backlog
    delay_to_tiktok: health.Delay | None
    delay_from_tiktok: health.Delay | None
    questions: drift.Counts


@dataclass(frozen=True, slots=True)
class Status:
    """The whole desk at one moment; `*_at` in milliseconds, `*_ends` in seconds."""

    desk: str
    data_folder: str
    running: bool
    beat_at: int | None
    paused: bool
    shops: list[ShopState]
    read_up_to: list[ReadUpTo]
    runs: list[activity.RunLine]


def show_status(*, as_json: bool) -> int:
    """Print the state of the desk; exit code 3 where a shop needs its owner."""
    with reading() as reader:
        found = read_status(reader)
    if as_json:
        out.document(found)
    else:
        _tell(found)
    return out.ATTENTION if any(each.shop.problem or each.sign_in.problem for each in found.shops) else 0


def read_status(reader: Reader) -> Status:
    """The state of the desk as stored."""
    folder = reader.settings.evenstock_data_dir
    beat, since = read_beat(folder), clock.now_ms() - _DAYS_MS
    with reader.store.read() as connection:
        known = shops(connection)
        cursors, last = read_up_to(connection), activity.runs(connection, limit=_RUNS)
        states = [
            ShopState(
                shop, sign_in_of(reader, shop.auth), health.backlog(connection, shop.id),
                health.delay_out(connection, shop.id, since),
                health.delay_in(connection, shop.id, shop.connected_at, since), drift.counts(connection, shop.id),
            )
            for shop in known
        ]  # fmt: skip
    alive = is_taken(reader.settings) and beat is not None and clock.now_ms() - beat < ALIVE_MS
    name = "practice shop" if reader.practice else "your shops"
    return Status(name, str(folder.absolute()), alive, beat, reader.choices().paused, states, cursors, last)


def sign_in_of(reader: Reader, auth: str) -> SignIn:
    """When a sign-in ends, without giving it away."""
    try:
        tokens = KeptTokens(reader.vault, auth, reader.settings.evenstock_data_dir).load()
    except VaultLocked as error:
        return SignIn(None, None, problem=str(error))
    if tokens is None:
        return SignIn(None, None, problem="Not signed in.")
    return SignIn(tokens.access_expires_time, tokens.refresh_expires_time, tokens.scopes)


def _tell(found: Status) -> None:
    loop = "paused" if found.running and found.paused else "running" if found.running else "not running"
    out.say(f"Desk: {found.desk}, in {found.data_folder}")
    out.say(f"Loop: {loop}" + ("" if found.beat_at is None else f", last sign of life {out.when(found.beat_at)}"))
    for each in found.shops:
        _tell_shop(each)
    out.say()
    out.table(("Read up to", "Last read"), [(each.source, out.when(each.moved_at)) for each in found.read_up_to])
    out.say()
    rows = [(out.when(run.started_at), run.kind, run.status, run.sentence) for run in found.runs]
    out.table(("Started", "Run", "State", "What happened"), rows)


def _tell_shop(each: ShopState) -> None:
    shop, queue = each.shop, each.queue
    mode = "kept even" if shop.mode == "live" else "only watched until you agree to a first plan"
    out.say()
    out.say(f"{shop.name} ({shop.id}), {mode}")
    if each.sign_in.problem:
        out.say(f"  Sign-in: {each.sign_in.problem}")
    else:
        ends, renewal = out.until(each.sign_in.ends), out.until(each.sign_in.access_ends)
        out.say(f"  Sign-in: ends {ends}; its key renews itself, the one in use ends {renewal}")
    out.say(f"  Waiting: {out.many(queue.waiting, 'listing')}, held for review: {queue.held:,}")
    if each.questions.open:
        out.say(f"  Nothing explains {out.many(each.questions.open, 'number')} on TikTok: decide under Questions")
    for words, delay in (("to TikTok", each.delay_to_tiktok), ("from TikTok", each.delay_from_tiktok)):
        measured = "" if delay is None else f" (95 % within {out.span(delay.p95_ms)}, {delay.samples} measured)"
        out.say(f"  Delay {words}: {out.span(None if delay is None else delay.median_ms)}{measured}")
    if shop.problem:
        out.say(f"  Problem: {shop.problem} {shop.problem_next or ''}".rstrip())
