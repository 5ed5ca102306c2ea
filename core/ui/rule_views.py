"""Parts of the Rules page: whom a rule is for, its five fields, the rules there are, and one item's rule in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.store.queries import items
from core.store.queries import rules as kept
from core.store.queries.rules import ListingOf, RuleRow
from core.store.queries.shops import ShopRow
from core.sync import rule_plans, rules
from core.sync.plans import Proposed
from core.sync.rule_changes import Foreseen
from core.sync.rules import InForce, Rule, Scope
from core.sync.targets import MOST
from core.ui import live, tables, words
from core.ui.text import ago, number, plural

SCOPES = {"all": "Everything", "shop": "A shop", "group": "A group", "item": "An item"}
_SCOPE_WORDS = {
    "shop": words.Word("Shop", "blue"), "group": words.Word("Group", "violet"), "item": words.Word("Item", "gray"),
}  # fmt: skip
_SPLIT = {"": "As above", "yes": "Split", "no": "Not split"}
_ROUND, _SEEN = "rules_round", "rules_seen"
FEW = 20_000  # so many listings are looked at while the owner types; of more only once asked


@dataclass(frozen=True, slots=True)
class Place:
    """Whom a rule is for, and how they are called."""

    scope: Scope
    key: str
    name: str


def answer(rule: Rule) -> str:
    """The headline: what the rule for everything says."""
    said = rules.sentence(rules.effective(rule))
    return f"{said[0].upper()}{said[1:]}" if said else "Everything that is free"


def splitting(rule: Rule) -> str:
    """What happens to the last units, in a sentence."""
    if rules.effective(rule).split:
        return "The last units are split between your channels, so that none is sold twice."
    return "The last units are not split: every channel shows all of them."


def place(shops: Sequence[ShopRow]) -> Place | None:
    """Ask whom the rule is for; None until that is said."""
    scope = Scope(tables.views("For", SCOPES, "rules_scope"))
    if scope is Scope.SHOP:
        names = {shop.id: shop.name for shop in shops}
        key = tables.choice("Shop", names, "rules_shop", width=300)
        return Place(scope, key, names[key])
    if scope is Scope.GROUP:
        return _group()
    if scope is Scope.ITEM:
        sku = item()
        with live.runtime().store.read() as connection:
            found = kept.item_named(connection, sku) if sku else None
        return None if found is None else Place(scope, str(found.item_id), found.sku)
    return Place(scope, "", "everything")


def _group() -> Place | None:
    with live.runtime().store.read() as connection:
        names = [group.name for group in kept.groups(connection)]
    chosen = st.session_state.get("rules_group")
    known = [*names, chosen] if chosen and chosen not in names else names
    picked = st.selectbox("Group", known, index=None, key="rules_group", accept_new_options=True, width=300,
                          placeholder="Choose a group, or name a new one")  # fmt: skip
    name = (picked or "").strip()
    return Place(Scope.GROUP, name, name) if name else None


def item() -> str | None:
    """Ask for one item; returns its SKU."""
    st.session_state.setdefault("rules_item", st.query_params.get("item"))
    search = st.text_input("Find the item", key="rules_find", type="search", live="300ms", placeholder="SKU or name")
    with live.runtime().store.read() as connection:
        found = items.find(connection, search)
        chosen = kept.item_named(connection, st.session_state.get("rules_item") or "")
    names = {each.sku: f"{each.sku}: {each.title} {each.variant}" for each in found}
    if chosen is not None:
        names.setdefault(chosen.sku, f"{chosen.sku}: {chosen.title} {chosen.variant}")
    if not names:
        st.caption("No item has these words. Try fewer of them, or import your catalogue first.")
        return None
    return st.selectbox("Item", list(names), format_func=lambda sku: names.get(sku, sku), key="rules_item", width=460,
                        placeholder="Choose an item")  # fmt: skip


def fields(where: Place, said: Rule) -> Rule:
    """The five fields, each empty for what holds above; returns the rule as it is typed."""
    as_above = "as usual" if where.scope is Scope.ALL else "as above"
    with live.runtime().store.read() as connection:
        above = rules.above(connection, where.scope, where.key)
    end = f"{where.scope}_{where.key}_{st.session_state.get(_ROUND, 0)}"
    typed: dict[str, int | None] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="rule_fields"):
        for name, (label, most, help_) in _FIELDS.items():
            value = st.number_input(
                label, min_value=0, max_value=most, value=getattr(said, name), step=1, width=200, help=help_,
                placeholder=_holds(as_above, name, above), key=f"rule_{name}_{end}",
            )  # fmt: skip
            typed[name] = None if value is None else int(value)
        split = st.segmented_control(
            "The last units", list(_SPLIT), key=f"rule_split_{end}", required=True,
            default={None: "", True: "yes", False: "no"}[said.split],
            format_func=lambda key: _SPLIT[key] if key else _holds(as_above, "split", above).capitalize(),
            help=_SPLIT_HELP,
        )  # fmt: skip
    return Rule(**typed, split={"": None, "yes": True, "no": False}[split or ""])


def _holds(as_above: str, name: str, above: Rule) -> str:
    """What holds where a field is left empty, as far as it is the same in every shop."""
    value = getattr(above, name)
    if value is None:
        return as_above
    if name == "split":
        return f"{as_above}: {'split' if value else 'not split'}"
    return f"{as_above}: {'no limit' if name == 'cap' and value >= MOST else number(value)}"


_FIELDS = {
    "buffer": ("Keep back, units", MOST, "Never offered on TikTok, so they are always left for your own store."),
    "share": ("Offer of the rest, percent", 100, "Rounded down, so half of one unit is none."),
    "zero_below": ("Show none below, units", MOST, "With fewer free units than this, TikTok shows none."),
    "cap": ("Show at most, units", MOST, "However many there are. 99,999, the most that TikTok takes, is no limit."),
}
_SPLIT_HELP = (
    "Of the last few units each channel offers a share of its own, so that two buyers are never sold the same one. "
    "A listing that is not split shows all of them."
)


def clear() -> None:
    """Draw the fields anew, from what is saved."""
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def foreseen(where: Place, rule: Rule) -> Foreseen | None:
    """What the typed rule would do, looked at once for each state of the store; None where it is too much to ask."""
    store = live.runtime().store
    asked = (store.revision(), where, rule)
    known = st.session_state.get(_SEEN)
    if known is None or known[0] != asked:
        with store.read() as connection:
            many = kept.links(connection) > FEW and where.scope in (Scope.ALL, Scope.SHOP)
        seen = None if many or not live.can_act() else live.attempt(
            rule_plans.look, store, where.scope, where.key, rule
        )  # fmt: skip
        st.session_state[_SEEN] = known = (asked, seen)
    found: Foreseen | None = known[1]
    return found


def label(changed: bool, seen: Foreseen | None) -> str:
    """What the one primary button will do."""
    if not changed:
        return "Nothing is changed yet"
    if seen is None:
        return "Review the changes"
    return f"Review {plural(len(seen.rows), 'change')}" if seen.rows else "Save the rule"


def follows(changed: bool, seen: Foreseen | None) -> str:
    """What else there is to know before pressing it."""
    if not changed or seen is None:
        return "Nothing is saved or sent before you have reviewed what it changes."
    told = [] if seen.rows else ["Saving this changes no number on TikTok now."]
    if seen.later:
        told.append(f"{plural(seen.later, 'more listing')} will follow once what holds them up is settled.")
    return " ".join(told)


def review(where: Place, rule: Rule) -> None:
    """Plan the rule and go and read the plan; without a change on TikTok it is saved at once."""
    went(live.attempt(live.runtime().propose_rule, where.scope, where.key, rule), "The rule is saved")


def went(plan: Proposed | None, done: str) -> None:
    """Open the plan, or say that all was done already."""
    if plan is None:
        return
    clear()
    if plan.rows:
        st.session_state["go_plan"] = plan.id
    else:
        live.say(f"{done}. No number on TikTok changes now.")


def change(row_id: str) -> None:
    """Take a rule of the table into the form."""
    scope, _, key = row_id.partition(":")
    st.session_state["rules_view"] = "rules"
    st.session_state["rules_scope"] = scope
    st.session_state[f"rules_{scope}"] = key
    clear()


def row_id(row: RuleRow) -> str:
    """By what `change` finds a rule: an item by its SKU, all others by their key."""
    return f"{row.scope}:{row.name if row.scope == 'item' else row.key}"


def columns(rows: Sequence[RuleRow]) -> dict[str, list[Any]]:
    """The rules that there are, column by column."""
    split = {None: "", True: "Split", False: "Not split"}
    return {
        "scope": [tables.chip(_SCOPE_WORDS, row.scope) for row in rows],
        "name": [row.name for row in rows],
        "open": ["Change" for _ in rows],
        "buffer": [row.buffer for row in rows],
        "share": [row.share for row in rows],
        "zero_below": [row.zero_below for row in rows],
        "cap": [row.cap for row in rows],
        "split": [split[row.split] for row in rows],
        "listings": [row.listings for row in rows],
        "changed": [ago(row.changed_at) if row.changed_at else "" for row in rows],
    }


def config(on_click: Any) -> dict[str, Any]:
    """How its columns look."""
    column = st.column_config
    return {
        "scope": tables.chips(_SCOPE_WORDS, "For", width=70), "name": column.TextColumn("Name", width=200),
        "open": column.ButtonColumn("", width=76, type="tertiary", on_click=on_click, key="rules_change"),
        "buffer": tables.numbers("Kept back", 80), "share": tables.numbers("Share %", 76),
        "zero_below": tables.numbers("None below", 88), "cap": tables.numbers("At most", 76),
        "split": column.TextColumn("Last units", width=90), "listings": tables.numbers("Listings", 76),
        "changed": column.TextColumn("Changed", width=100),
    }  # fmt: skip


_FROM = {
    Scope.ITEM: "this item", Scope.GROUP: "its group", Scope.SHOP: "the shop", Scope.ALL: "everything",
    Scope.DEFAULT: "as usual",
}  # fmt: skip


def in_force(listings: Sequence[ListingOf], found: Mapping[str, InForce]) -> None:
    """The rule in force for each listing of an item, each part with the place that it comes from."""

    def told(listing: ListingOf, field: str, value: str) -> str:
        return f"{value} ({_FROM[found[listing.shop_id].origin[field]]})"

    each = [(listing, found[listing.shop_id]) for listing in listings]
    cap = {listing.sku_id: "no limit" if rule.cap is None or rule.cap >= MOST else number(rule.cap)
           for listing, rule in each}  # fmt: skip
    tables.show(
        {"shop": [listing.shop for listing, _ in each],
         "sku": [listing.seller_sku or listing.sku_id for listing, _ in each],
         "buffer": [told(listing, "buffer", number(rule.buffer)) for listing, rule in each],
         "share": [told(listing, "share", f"{rule.share}%") for listing, rule in each],
         "zero_below": [told(listing, "zero_below", number(rule.zero_below)) for listing, rule in each],
         "cap": [told(listing, "cap", cap[listing.sku_id]) for listing, _ in each],
         "split": [told(listing, "split", "split" if rule.split else "not split") for listing, rule in each],
         "shows": [listing.available for listing, _ in each]},
        {"shop": "Shop", "sku": "SKU", "buffer": "Kept back", "share": "Share", "zero_below": "None below",
         "cap": "At most", "split": "Last units", "shows": tables.numbers("TikTok shows", 92)},
        key="in_force", alt="The rule in force for each listing of the item and where each part comes from",
    )  # fmt: skip
