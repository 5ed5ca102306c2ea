"""Parts of the Catalogue page: listings beside items with what differs, and bringing in a file of the own store."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.money import from_units
from core.store.queries import places
from core.store.queries.catalog import CatalogCounts, CatalogRow
from core.sync import imports
from core.ui import live, tables, words
from core.ui.text import currency_name, number, plain, plural
from core.ui.words import Word

DIFFERS = {
    "title": Word("Title", "violet"),
    "price": Word("Price", "orange"),
    "stock": Word("Stock", "blue"),
    "unlinked": Word("Not linked", "gray"),
    "only_here": Word("Only here", "gray"),
    "gone": Word("Gone from TikTok", "gray"),
    "bundle": Word("Bundle", "gray"),
}
ORIGIN = {
    "sku": "same SKU",
    "normal": "similar SKU",
    "barcode": "same barcode",
    "title": "same title",
    "owner": "by you",
}


def answer(counts: CatalogCounts) -> str:
    """The headline."""
    if not counts.all:
        return "There is nothing to compare yet"
    if not counts.different and not counts.unlinked and not counts.only_here:
        return f"Yes, all {plural(counts.all, 'product')}" if counts.all > 1 else "Yes"
    parts = [f"{number(counts.different)} differ" if counts.different else "",
             f"{number(counts.unlinked)} not linked" if counts.unlinked else "",
             f"{number(counts.only_here)} only here" if counts.only_here else ""]  # fmt: skip
    return f"Of {number(counts.all)}: {', '.join(part for part in parts if part)}"


def filters(counts: CatalogCounts) -> dict[str, str]:
    """The filter names with their counts."""
    found = {
        "all": ("All", counts.all), "different": ("Different", counts.different),
        "unlinked": ("Not linked", counts.unlinked), "only_here": ("Only here", counts.only_here),
        "gone": ("Gone from TikTok", counts.gone),
    }  # fmt: skip
    return {name: f"{label} {number(count)}" for name, (label, count) in found.items()}


def _marks(row: CatalogRow) -> list[str]:
    named = [
        ("only_here", row.sku_id is None),
        ("gone", row.gone),
        ("unlinked", row.sku_id is not None and not row.links),
        ("bundle", row.links > 1),
        ("title", row.differs_title),
        ("price", row.differs_price),
        ("stock", row.differs_stock),
    ]
    return [DIFFERS[name].text for name, applies in named if applies]


def _amount(units: int | None) -> float | None:
    return None if units is None else float(from_units(units))


def _name(title: str | None, variant: str | None) -> str:
    return f"{title}, {variant}" if title and variant else title or ""


def columns(rows: Sequence[CatalogRow]) -> dict[str, list[Any]]:
    """The table, column by column."""
    return {
        "sku": [row.seller_sku or row.item_sku or row.sku_id or "" for row in rows],
        "marks": [_marks(row) for row in rows],
        "theirs": [_name(row.title, row.variant) for row in rows],
        "ours": [_name(row.item_title, row.item_variant) for row in rows],
        "price_theirs": [_amount(row.price_units) for row in rows],
        "price_ours": [_amount(row.item_price_units) for row in rows],
        "stock_theirs": [row.available for row in rows],
        "stock_ours": [row.free for row in rows],
        "status": [tables.chip(words.LISTING, row.status) if row.status else [] for row in rows],
        "link": [ORIGIN.get(row.link_origin, row.link_origin) for row in rows],
    }


def config(currency: str) -> dict[str, Any]:
    """How the columns look."""
    column, sign = st.column_config, currency_name(currency)
    return {
        "sku": column.TextColumn("SKU", width=160),
        "marks": tables.chips(DIFFERS, "Differs in", width=128),
        "theirs": column.TextColumn("On TikTok", width=215),
        "ours": column.TextColumn("In your store", width=215),
        "price_theirs": tables.numbers(f"TikTok {sign}", 76, "Price on TikTok.", "%,.2f"),
        "price_ours": tables.numbers(f"Yours {sign}", 76, "Price in your store.", "%,.2f"),
        "stock_theirs": tables.numbers("TikTok stock", 86, "What TikTok offers."),
        "stock_ours": tables.numbers("Yours free", 80, "On hand, less promised to open orders."),
        "status": tables.chips(words.LISTING, "Listing", width=92),
        "link": column.TextColumn("Linked by", width=110),
    }  # fmt: skip


def bring_in() -> None:
    """Import the own store's file: choose it, see what it would do, then confirm; nothing is written before that."""
    st.markdown(
        "A CSV file from your store: one row a SKU, with a column for the SKU and any of title, variant, price, "
        "currency, barcode, cost and stock. Files exported by Shopify or WooCommerce are understood as they are."
    )
    given = st.file_uploader("CSV file", type=["csv", "txt", "tsv"], key="csv", label_visibility="collapsed")
    if given is None:
        return
    content = given.getvalue()
    seen = imports.preview(live.runtime().store, content, name=given.name, place=_place())
    if seen.refused:
        st.error(plain(seen.refused), title="This file cannot be used")
        _findings(seen)
        return
    _previewed(seen)
    partial = seen.needs_choice and st.checkbox(
        f"Leave {plural(seen.rejected, 'row')} out and import the others", key="partial"
    )
    sure = seen.needs_confirmation and st.checkbox("I have read the warning; import it all the same", key="sure")
    ready = (partial or not seen.needs_choice) and (sure or not seen.needs_confirmation)
    label = f"Import {plural(seen.new + seen.changed, 'item')}" if seen.new + seen.changed else "Nothing to import"
    st.button(
        label, key="import", type="primary", on_click=_import, args=(content, given.name),
        disabled=not ready or not live.can_act() or not seen.new + seen.changed,
    )  # fmt: skip


def _previewed(seen: imports.Preview) -> None:
    with st.grid(4, min_column_width=110, gap="small"):
        for label, count in (
            ("New", seen.new),
            ("Changed", seen.changed),
            ("Unchanged", seen.unchanged),
            ("With errors", seen.rejected),
        ):
            st.metric(label, number(count), border=True)
    for warning in seen.warnings:
        st.warning(plain(warning))
    _findings(seen)
    if seen.sample:
        st.markdown("**The first changes**")
        tables.show(
            {"sku": [each.sku for each in seen.sample], "field": [each.field for each in seen.sample],
             "old": [each.old for each in seen.sample], "new": [each.new for each in seen.sample]},
            {"sku": "SKU", "field": "Field", "old": "Now", "new": "After the import"}, key="sample",
            alt="The first changes the file would make", most=8,
        )  # fmt: skip


def _findings(seen: imports.Preview) -> None:
    if not seen.findings:
        return
    st.markdown(f"**What was noticed**, {plural(seen.findings_total, 'place')}")
    tables.show(
        {
            "row": [each.row or None for each in seen.findings],
            "field": [each.field for each in seen.findings],
            "level": [each.level.capitalize() for each in seen.findings],
            "sentence": [each.sentence for each in seen.findings],
        },
        {
            "row": tables.numbers("Row", 60),
            "field": st.column_config.TextColumn("Column", width=110),
            "level": st.column_config.TextColumn("Kind", width=80),
            "sentence": st.column_config.TextColumn("What", width=420),
        },
        key="findings",
        alt="Errors and warnings by row and column",
        most=8,
    )


def _place() -> int:
    """The location that the file's stock was counted in, asked where there are several."""
    with live.runtime().store.read() as connection:
        names = places.names(connection)
    if len(names) < 2:
        return places.STORE
    return st.selectbox("Stock in the file was counted in", list(names), format_func=lambda key: names.get(key, ""),
                        key="import_place")  # fmt: skip


def _import(content: bytes, name: str) -> None:
    partial, confirmed = (bool(st.session_state.get(key)) for key in ("partial", "sure"))
    place = int(st.session_state.get("import_place", places.STORE))
    done = live.attempt(imports.apply, live.runtime().store, content, partial=partial, confirmed=confirmed, name=name,
                        place=place)  # fmt: skip
    if done is not None:
        st.session_state.pop("importing", None)
        left = f" {plural(done.skipped, 'row')} left out." if done.skipped else ""
        counted = f"{number(done.created)} new, {number(done.updated)} changed, {number(done.counted)} counted"
        live.say(f"Imported {name}: {counted}.{left}")
