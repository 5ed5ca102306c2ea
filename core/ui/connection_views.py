"""Parts of the Connection page: the shop as it is connected now, and the three steps to a real one."""

from collections.abc import Sequence

import streamlit as st

from core import clock
from core.settings import MARKETS
from core.store.queries.shops import Heard, ShopRow, WarehouseRow
from core.sync.signin import KeptTokens
from core.ui import live, tables
from core.ui.text import DASH, ago, number, plain, plural

_REGIONS = {
    "US": "United States", "GB": "United Kingdom", "DE": "Germany", "FR": "France", "ES": "Spain", "IT": "Italy",
    "IE": "Ireland", "MX": "Mexico", "BR": "Brazil", "JP": "Japan", "ID": "Indonesia", "MY": "Malaysia",
    "PH": "Philippines", "SG": "Singapore", "TH": "Thailand", "VN": "Vietnam",
}  # fmt: skip
_FIELDS = ("app_key", "app_secret", "service_id")
_LINK = "connect_link"


def answer(shop: ShopRow | None) -> str:
    """The headline: which shop is connected."""
    if shop is None:
        return "No shop yet"
    if shop.problem:
        return f"{plain(shop.name)} needs you"
    return "The practice shop" if shop.practice else plain(shop.name)


def now(shop: ShopRow, places: Sequence[WarehouseRow], heard: Heard) -> None:
    """The connected shop: what it is, how long the sign-in lasts, its warehouses and its messages."""
    if shop.problem:
        st.error(f"{plain(shop.problem)} {plain(shop.problem_next or '')}")
    facts = {
        "Shop": plain(shop.name),
        "Region": f"{_REGIONS.get(shop.region, plain(shop.region))}, {plain(shop.currency)}, {plain(shop.timezone)}",
        "Mode": _mode(shop),
        "Connected": ago(shop.connected_at),
        **_sign_in(shop),
        "Messages from TikTok": _messages(heard),
    }
    st.table(facts, border="horizontal", width="content", alt="The connected shop")
    if places:
        tables.show(
            {
                "name": [place.name for place in places],
                "id": [place.id for place in places],
                "role": [", ".join(_role(place)) for place in places],
                "location": [place.location or DASH for place in places],
            },
            {
                "name": st.column_config.TextColumn("Warehouse on TikTok", width=200),
                "id": st.column_config.TextColumn("Number", width=170),
                "role": st.column_config.TextColumn("Role", width=150),
                "location": st.column_config.TextColumn("Your location", width=150),
            },
            key="warehouses",
            alt="The warehouses of the shop",
        )


def _role(place: WarehouseRow) -> list[str]:
    kind = place.kind.removesuffix("_WAREHOUSE").replace("_", " ").capitalize()
    return [kind, *(["default"] if place.is_default else []), *([] if place.enabled else ["switched off"])]


def _mode(shop: ShopRow) -> str:
    if shop.mode == "live":
        return ":green-badge[Live] Evenstock keeps this shop's stock even"
    return ":gray-badge[Watch] Nothing is sent before you approve a first plan on the Stock page"


def _sign_in(shop: ShopRow) -> dict[str, str]:
    rt = live.runtime()
    tokens = KeptTokens(rt.vault, shop.auth, rt.folder).load()
    if tokens is None:
        return {"Sign-in": "none; connect the shop again"}
    days = (tokens.refresh_expires_time - clock.now()) // 86_400
    renewed = f"Key renewed by itself, next {ago(tokens.access_expires_time * 1000)}"
    ends = f"the sign-in ends {ago(tokens.refresh_expires_time * 1000)}"
    return {"Sign-in": f"{renewed}; {ends}" + (". :orange-badge[Connect again soon]" if days < 14 else "")}


def _messages(heard: Heard) -> str:
    if not heard.total:
        return "none yet; the loop looks by itself"
    waiting = f", {number(heard.waiting)} not worked on yet" if heard.waiting else ""
    return f"{plural(heard.total, 'message')}, the last {ago(heard.last_at)}{waiting}"


def connect(redirect: str) -> None:
    """Three steps to a real shop; what the owner types is checked at the step where they can mend it."""
    st.markdown("**1. Your app.** Open TikTok Shop Partner Center, App & Service, your app: all four are on its page.")
    with st.form("app", border=False, enter_to_submit=False):
        left, right = st.columns(2)
        left.text_input("App key", key="app_key", autocomplete="off")
        right.text_input("App secret", key="app_secret", type="password", autocomplete="off",
                         help="Sealed on this computer, shown nowhere, sent to TikTok only.")  # fmt: skip
        left.text_input("Service ID", key="service_id", autocomplete="off")
        regions = sorted(MARKETS, key=lambda code: _REGIONS.get(code, code))
        right.selectbox("Region of the shop", regions, key="region", format_func=lambda code: _REGIONS.get(code, code),
                        index=regions.index("GB"))  # fmt: skip
        st.form_submit_button("Make the authorise link", key="begin", on_click=_begin, disabled=not live.can_act(),
                              type="secondary" if st.session_state.get(_LINK) else "primary")  # fmt: skip
    st.markdown(
        "**2. Agree on TikTok's page.** Sign in there with the account that owns the shop. In your app, the redirect "
        f"address must be `{redirect}`."
    )
    if link := st.session_state.get(_LINK):
        st.link_button("Open TikTok's page", link)
    else:
        st.caption("The link appears here after step 1.")
    st.markdown(
        "**3. Come back.** TikTok usually brings you back here by itself. If not, paste the whole address it ended on."
    )
    with st.form("redirect", border=False, clear_on_submit=True):
        st.text_input(
            "Address from the browser",
            key="pasted",
            placeholder="http://127.0.0.1:8501/oauth/callback?code=…&state=…",
            autocomplete="off",
        )
        st.form_submit_button("Connect", key="finish", on_click=_finish, disabled=not live.can_act(),
                              type="primary" if st.session_state.get(_LINK) else "secondary")  # fmt: skip


def _begin() -> None:
    key, secret, service = (str(st.session_state.get(name, "")).strip() for name in _FIELDS)
    missing = [
        label for label, given in (("app key", key), ("app secret", secret), ("service ID", service)) if not given
    ]
    if missing:
        live.say(f"Still empty: {', '.join(missing)}.", wrong=True)
        return
    link = live.attempt(live.runtime().connect_begin, key, secret, service, st.session_state["region"])
    if link is not None:
        for name in _FIELDS:
            st.session_state[name] = ""  # sealed now; nothing of it stays in the page
        st.session_state[_LINK] = link
        live.say("The app is saved. Now agree on TikTok's page; the link works for ten minutes.")


def _finish() -> None:
    pasted = str(st.session_state.get("pasted", "")).strip()
    if not pasted:
        live.say("Paste the address of the page that TikTok ended on.", wrong=True)
        return
    result = live.attempt(live.runtime().connect_finish, pasted)
    if result is not None:
        if result.ok:
            st.session_state.pop(_LINK, None)
        live.say(f"{result.sentence} {result.next_step}".strip(), wrong=not result.ok)


def came_back() -> None:
    """Tell how the sign-in ended that TikTok sent the owner back from, in plain text: anybody can make an address."""
    query = st.query_params
    if query.get("connected"):
        st.session_state.pop(_LINK, None)
        st.success("The shop is connected. The first sync runs now.")
    elif query.get("problem"):
        st.error(plain(f"{query['problem']} {query.get('next', '')}"[:400]), title="The sign-in did not work")
