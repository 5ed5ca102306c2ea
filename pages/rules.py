"""How much is offered on TikTok? The owner's rules, the groups they are for, and the rule in force for any item."""

import streamlit as st

from core.store.queries import rules as kept
from core.store.queries.shops import shops
from core.sync import rules
from core.sync.rules import Scope
from core.ui import group_views, live, rule_views, tables
from core.ui.text import plain, plural

QUESTION = "How much do you offer on TikTok?"
VIEWS = {"rules": "Rules", "groups": "Groups", "item": "One item"}

if plan := st.session_state.pop("go_plan", None):
    st.switch_page("plan.py", query_params={"plan": str(plan)})
rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to offer yet")
with rt.store.read() as connection:
    everything = rules.said(connection, Scope.ALL, "")
live.heading(QUESTION, rule_views.answer(everything))
st.caption(rule_views.splitting(everything))
view = tables.views("Show", VIEWS, "rules_view")

if view == "rules":
    with st.container(border=True, key="rule_form"):
        with rt.store.read() as connection:
            where = rule_views.place(shops(connection))
        if where is not None:
            with rt.store.read() as connection:
                said = rules.said(connection, where.scope, where.key)
            typed = rule_views.fields(where, said)
            changed = typed != said
            if changed:
                live.hold()  # what was typed is not saved yet
            seen = rule_views.foreseen(where, typed) if changed else None
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    rule_views.label(changed, seen), key="rule_review", type="primary", args=(where, typed),
                    disabled=not rt.owner or not changed, on_click=rule_views.review,
                )  # fmt: skip
                st.button("Reset", key="rule_reset", disabled=not changed, on_click=rule_views.clear)
                st.caption(rule_views.follows(changed, seen), width="stretch")
    st.subheader("Narrower rules", anchor=False)
    table = st.container()
    with rt.store.read() as connection:
        total = kept.total(connection)
        skip = tables.pages(total, "rules_page", noun="rule") if total else 0
        rows = kept.said(connection, tables.PAGE, skip)
    with table:
        if rows:
            ids = [rule_views.row_id(row) for row in rows]
            tables.show(
                rule_views.columns(rows),
                rule_views.config(lambda: tables.clicked("rules_change", ids, rule_views.change)),
                key="rules", alt="The rules of shops, groups and items",
            )  # fmt: skip
            st.caption("What is empty holds as above: an item goes before its group, a group before the shop.")
        else:
            tables.empty("The rule for everything holds everywhere", "Choose a shop, a group or an item above.")

elif view == "groups":
    live.hold()
    moved = group_views.take_over()
    with rt.store.read() as connection:
        groups = kept.groups(connection)
    with st.container(horizontal=True, vertical_alignment="center"):
        group = group_views.choose(groups)
        search = tables.find("Find a SKU or product", "rules_words")
        if moved:
            st.button("Start again", key="groups_clear", on_click=group_views.forget)
        label = f"Review {plural(len(moved), 'item')}" if moved else "Review"
        st.button(label, key="groups_review", type="primary", disabled=not rt.owner or not moved,
                  on_click=group_views.review)  # fmt: skip
    table = st.container()
    with rt.store.read() as connection:
        total = kept.member_total(connection, search=search, group=group)
        skip = tables.pages(total, "rules_page", noun="item") if total else 0
        members = kept.members(connection, search=search, group=group, limit=tables.PAGE, offset=skip)
    with table:
        if members:
            group_views.editor(members)
            group_views.bar(groups)
        else:
            tables.empty("No item matches", "Try fewer letters, or another group.")

else:
    sku = rule_views.item()
    with rt.store.read() as connection:
        found = kept.item_named(connection, sku) if sku else None
        listings = kept.listings_of(connection, found.item_id) if found else []
        in_force = {each.shop_id: rules.in_force(connection, each.shop_id, found.item_id)
                    for each in listings if found}  # fmt: skip
    if found is not None and listings:
        st.caption(f"In the group {plain(found.group_name)}." if found.group_name else "In no group.")
        rule_views.in_force(listings, in_force)
        st.button("Change the rule of this item", key="rule_of_item", on_click=rule_views.change,
                  args=(f"item:{found.sku}",))  # fmt: skip
    elif found is not None:
        tables.empty("No listing sells this item", "Link it on the Catalogue page; then its rule shows here.")
