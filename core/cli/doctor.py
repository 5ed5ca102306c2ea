"""`doctor`: all that a support person would ask, each answer a sentence and what to do."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from core import clock
from core.cli import checks, out
from core.cli.checks import Check, attention, fine
from core.cli.desk import Reader, at_hand, shops_of
from core.cli.state import SignIn, sign_in_of
from core.cli.told import told
from core.settings import settings
from core.store import migrate
from core.store.queries import halted, health
from core.store.queries.shops import ShopRow, read_up_to, shops
from core.sync import ledger
from core.sync.context import ShopContext
from core.tiktok.api import ShopApi
from core.tiktok.errors import TikTokError

MOST_SKEW = 30  # seconds; TikTok Shop API: a timestamp may be 30 seconds ahead of its clock
SCOPES = {
    "seller.authorization.info": "to see which shops the sign-in is for",
    "seller.logistics": "to read warehouses",
    "seller.product.basic": "to read products and stock",
    "seller.product.write": "to write stock",
    "seller.order.info": "to read orders",
}
_SOON = 14 * 86_400
_SLOW_MS = 10 * 60_000
_DAY_MS = 86_400_000


def examine(*, as_json: bool) -> int:
    """Look at everything, tell it, and return the exit code."""
    found = checks.of_computer(settings())
    try:
        with at_hand() as reader:
            found += [*_store(reader), *_shops(reader), *_work(reader)]
    except Exception as error:
        problem = told(error)
        found.append(attention("store", problem.sentence, problem.next_step))
    healthy = all(check.state == "ok" for check in found)
    if as_json:
        out.document({"healthy": healthy, "checks": found})
    else:
        checks.tell(found)
        out.say("All is well." if healthy else "Something needs attention, see above.")
    return 0 if healthy else out.ATTENTION


def _store(reader: Reader) -> list[Check]:
    with reader.store.read() as connection:
        version = migrate.current(connection)
        proof = ledger.prove(connection)
        stopped = halted.items(connection)
    # Opening has upgraded an older layout already, and a newer one is refused there.
    found = [fine("migrations", f"The store has the newest layout, {version}.")]
    if reader.store.path is not None:
        found.insert(0, _sound(reader))
    if proof.broken:
        found.append(attention(
            "ledger", f"The ledger does not add up for {out.many(len(proof.broken), 'item')}: "
            f"{', '.join(proof.broken[:5])}.", "Count these items and enter the counts on the Stock page.",
        ))  # fmt: skip
    else:
        sentence = f"{out.many(proof.movements, 'movement')} add up to the stock of {out.many(proof.items, 'item')}."
        found.append(fine("ledger", sentence))
    return [*found, _stopped(stopped)]


def _stopped(found: list[halted.Halted]) -> Check:
    if not found:
        return fine("books", "Everything that moved since the last look adds up; nothing is stopped.")
    names = ", ".join(each.sku for each in found[:5])
    return attention(
        "books", f"Nothing of {names} is sent to TikTok: {found[0].why}",
        "Open the dashboard and add it up again there, or count it.",
    )  # fmt: skip


def _sound(reader: Reader) -> Check:
    with closing(reader.store.reader.raw_connection()) as raw:
        verdict = raw.cursor().execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict == "ok":
        return fine("store", f"{Path(str(reader.store.path)).absolute()} is sound.")
    return attention(
        "store", f"The store file is damaged: {verdict}.", "Restore the newest backup: python -m core restore FILE"
    )


def _shops(reader: Reader) -> list[Check]:
    with reader.store.read() as connection:
        known = shops(connection)
    if not known:
        return [attention("connection", "No shop is connected.", "Connect one: python -m core connect")]
    clients = {shop.shop_id: shop for shop in shops_of(reader.runtime)} if reader.runtime else {}
    found = []
    for shop in known:
        sign_in = sign_in_of(reader, shop.auth)
        found += [_sign_in(shop, sign_in), *([_scopes(shop, sign_in)] if sign_in.ends else [])]
        found += _asked(clients[shop.id]) if shop.id in clients else [_heard(reader, shop)]
    return found


def _sign_in(shop: ShopRow, sign_in: SignIn) -> Check:
    name = f"sign-in {shop.name}"
    if sign_in.ends is None:
        return attention(name, sign_in.problem, "Connect the shop again: python -m core connect")
    if sign_in.ends - clock.now() < _SOON:
        return attention(
            name, f"The sign-in ends {out.until(sign_in.ends)}.", "Sign in anew before: python -m core connect"
        )
    return fine(name, f"The sign-in ends {out.until(sign_in.ends)}, and renews itself until then.")


def _scopes(shop: ShopRow, sign_in: SignIn) -> Check:
    name = f"scopes {shop.name}"
    missing = [f"{scope} ({why})" for scope, why in SCOPES.items() if scope not in sign_in.scopes]
    if not sign_in.scopes:
        return fine(name, "TikTok did not list the permissions of this sign-in.")
    if not missing:
        return fine(name, "Every permission that Evenstock uses was given.")
    return attention(
        name, f"Missing: {', '.join(missing)}.", "Give your app these in Partner Center, then connect the shop again."
    )


def _asked(shop: ShopContext) -> list[Check]:
    """Ask the shop itself, and compare its clock with ours."""
    name = f"connection {shop.name}"
    try:
        if isinstance(shop.api, ShopApi):
            shop.api.authorized_shops()
        else:
            next(shop.api.product_pages(), None)
    except TikTokError as error:
        return [attention(name, error.sentence, error.next_step), *_skew(shop)]
    return [fine(name, "The shop answers."), *_skew(shop)]


def _skew(shop: ShopContext) -> list[Check]:
    skew = shop.api.clock_skew  # seconds that TikTok is ahead of us
    name = f"clock {shop.name}"
    if abs(skew) <= MOST_SKEW:
        return [fine(name, f"This computer's clock agrees with the service's to within {max(1, round(abs(skew)))} s.")]
    side = "behind" if skew > 0 else "ahead"
    minutes = round(abs(skew) / 60)
    span = out.many(minutes, "minute") if abs(skew) >= 90 else f"{abs(skew):.0f} seconds"
    sentence = f"This computer's clock is {span} {side}. Evenstock allows for it, but times on screen are wrong."
    return [attention(name, sentence, "Set the clock, and let the system keep it right by itself.")]


def _heard(reader: Reader, shop: ShopRow) -> Check:
    """What the Evenstock that is running elsewhere knows of the shop."""
    name = f"connection {shop.name}"
    if shop.problem:
        return attention(name, shop.problem, shop.problem_next or "")
    with reader.store.read() as connection:
        at = next((each.moved_at for each in read_up_to(connection) if each.source == f"stock:{shop.id}"), None)
    return fine(name, f"The running Evenstock read its stock last at {out.when(at)}.")


def _work(reader: Reader) -> list[Check]:
    now = clock.now_ms()
    with reader.store.read() as connection:
        queues = [(shop, health.backlog(connection, shop.id)) for shop in shops(connection)]
        trouble = health.trouble(connection, now - _DAY_MS)
        unread = connection.execute(text("SELECT count(*) FROM hook WHERE state = 'new'")).scalar_one()
    found = [_queue(shop, queue, now) for shop, queue in queues]
    wrong = out.counted({
        "failed runs": trouble.failed_runs, "writes without an answer": trouble.unknown_pushes,
        "records that could not be read": trouble.unreadable,
    })  # fmt: skip
    if wrong:
        found.append(
            attention("last day", f"{wrong} in the last 24 hours.", "The Activity page tells each in a sentence.")
        )
    else:
        found.append(fine("last day", "Nothing went wrong in the last 24 hours."))
    return [*found, fine("webhooks", f"{out.many(unread, 'message')} from TikTok waiting to be worked on.")]


def _queue(shop: ShopRow, queue: health.Backlog, now: int) -> Check:
    name = f"queue {shop.name}"
    if shop.mode == "live" and queue.since is not None and now - queue.since > _SLOW_MS:
        sentence = (
            f"{out.many(queue.waiting, 'listing')} wait to be looked at, the oldest for {out.span(now - queue.since)}."
        )
        return attention(name, sentence, "See that the loop runs (the dashboard, or python -m core run).")
    if queue.held:
        return attention(
            name, f"{out.many(queue.held, 'listing')} wait for your decision.", "Look at them on the Stock page."
        )
    return fine(name, f"{out.many(queue.waiting, 'listing')} waiting.")
