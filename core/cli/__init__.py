"""The command line: `python -m core …`, quick to start, scriptable, with the same exit codes everywhere.

0 fine, 1 failed, 2 wrong use, 3 something differs or needs attention.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.cli import out
from core.cli.told import Told

# Commands import what they need when they run, so that --help answers at once.
app = typer.Typer(
    cls=Told,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="One desk for a TikTok Shop and a store of your own. Exit codes: 0 fine, 1 failed, 2 wrong use, "
    "3 something differs or needs attention.",
)
plan = typer.Typer(no_args_is_help=True, help="Look at changes, agree to them, and send them.")
app.add_typer(plan, name="plan")
Json = out.Json
PlanId = Annotated[int, typer.Argument(min=1, metavar="NUMBER", help="The number of the plan.")]


class What(StrEnum):
    """What to bring up to date."""

    ORDERS = "orders"
    STOCK = "stock"
    CATALOG = "catalog"
    ALL = "all"


class Kind(StrEnum):
    """What can be exported; the same kinds as core.sync.exports."""

    ITEMS = "items"
    STOCK = "stock"
    ORDERS = "orders"
    MOVEMENTS = "movements"
    SALES = "sales"


@app.command()
def run() -> None:
    """Run the loop without the dashboard, until Ctrl-C."""
    from core.cli.serving import run_loop

    run_loop()


@app.command()
def sync(
    what: Annotated[What, typer.Argument(help="What to bring up to date.")] = What.ALL,
    shop: Annotated[str, typer.Option(metavar="ID", help="Only this shop.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent, as a plan.")] = False,
    as_json: Json = False,
) -> None:
    """Read TikTok now, and send what must be sent.

    Exit 0 when both sides are even then, 3 where they still differ.
    """
    from core.cli.syncing import sync_shops

    out.finish(sync_shops(what.value, shop, dry_run=dry_run, as_json=as_json))


@app.command()
def reconcile(
    all_rows: Annotated[bool, typer.Option("--all", help="Show the listings that are even as well.")] = False,
    as_json: Json = False,
) -> None:
    """Compare both sides, listing by listing.

    Exit 0 when all is even, 3 where something differs.
    """
    from core.cli.stock import reconcile_stock

    out.finish(reconcile_stock(all_rows=all_rows, as_json=as_json))


@plan.command("list")
def plan_list(as_json: Json = False) -> None:
    """The last plans and what became of them."""
    from core.cli.planning import list_plans

    list_plans(as_json=as_json)


@plan.command("show")
def plan_show(number: PlanId, as_json: Json = False) -> None:
    """Every change of a plan: from what, to what, and why."""
    from core.cli.planning import show_plan

    show_plan(number, as_json=as_json)


@plan.command("approve")
def plan_approve(
    number: PlanId,
    rows: Annotated[int | None, typer.Option(help="The number of rows, for a plan above your limits.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="SKU", help="Only this row; may be given often.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="SKU", help="Not this row; may be given often.")] = None,
) -> None:
    """Agree to a plan, or to some of its rows. Nothing is sent by this."""
    from core.cli.planning import approve_plan

    approve_plan(number, rows, only or [], without or [])


@plan.command("run")
def plan_run(number: PlanId, as_json: Json = False) -> None:
    """Send a plan that was approved.

    Exit 0 when every row went through, 3 where one needs another look.
    """
    from core.cli.planning import run_plan

    out.finish(run_plan(number, as_json=as_json))


@plan.command("undo")
def plan_undo(number: PlanId, as_json: Json = False) -> None:
    """Plan to take a plan back, and show what would go back. Nothing is changed by this.

    Exit 0, or 3 where a row can no longer be undone.
    """
    from core.cli.planning import undo_plan

    out.finish(undo_plan(number, as_json=as_json))


@app.command()
def connect(
    code: Annotated[str, typer.Option(help="The code, or the whole address TikTok sent you to; for scripts.")] = "",
    region: Annotated[str, typer.Option(help="US for a shop in the United States; otherwise leave it out.")] = "",
) -> None:
    """Connect a TikTok shop.

    Key, secret and service id are asked for, or taken from TIKTOK_SHOP_APP_KEY, TIKTOK_SHOP_APP_SECRET and
    TIKTOK_SHOP_SERVICE_ID. A secret is never taken from the command line.
    """
    from core.cli.connecting import connect_shop

    out.finish(connect_shop(code, region))


@app.command()
def status(as_json: Json = False) -> None:
    """Show connections, sign-ins, queue, last runs and sync delay.

    Exit 0, or 3 where a shop needs its owner.
    """
    from core.cli.state import show_status

    out.finish(show_status(as_json=as_json))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check all that a support person would ask.

    Exit 0 when healthy, 3 when something needs attention.
    """
    from core.cli.doctor import examine

    out.finish(examine(as_json=as_json))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file of your goods.")],
    partial: Annotated[bool, typer.Option("--partial", help="Leave rows with errors out, take the others.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree that many items go to zero.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a CSV file of your goods in: all of it, or nothing."""
    from core.cli.files import import_csv

    out.finish(import_csv(file, partial=partial, dry_run=dry_run, yes=yes, as_json=as_json))


@app.command()
def export(
    kind: Annotated[Kind, typer.Argument(help="What to write.")],
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write what is known to a CSV file; never with buyers' data."""
    from core.cli.files import export_csv

    export_csv(kind.value, file, force=force)


@app.command()
def practice(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop.")] = 7,
    products: Annotated[int, typer.Option(min=1, max=100_000, help="How many products it sells.")] = 120,
    orders: Annotated[int | None, typer.Option(min=0, max=2_000_000, help="How many orders it had.")] = None,
) -> None:
    """Serve a practice shop on its own, until Ctrl-C."""
    from core.cli.serving import run_practice

    run_practice(port, seed, products, orders)


@app.command()
def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to; otherwise into the folder backups.")] = None,
) -> None:
    """Copy the store to a file, also while Evenstock runs."""
    from core.cli.files import back_up

    back_up(file)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A backup of Evenstock.")]) -> None:
    """Put a backup in place of the store, which is kept too."""
    from core.cli.files import restore_backup

    restore_backup(file)


def main() -> None:
    """Run the command that was typed."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal of another code page still shows the rest
    app(prog_name="python -m core")
