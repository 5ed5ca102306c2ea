"""Every chart of the dashboard. Colours are the theme's own places, which the browser fills, so charts follow it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Streamlit's plotly theme names its palette by these placeholders and puts the colours of light or dark in their place.
_COLOURS = ["#000001", "#000002", "#000003", "#000004", "#000005", "#000006"]
_STEPS = [f"#0000{11 + step}" for step in range(10)]
_BEFORE, _WORDS = "#000002", "#000037"


def _figure(height: int, **layout: Any) -> "Figure":
    import plotly.graph_objects as go

    figure = go.Figure().update_layout(
        template="streamlit",
        colorway=_COLOURS,
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0},
        hovermode="x unified",
        bargap=0.25,
        **layout,
    )
    words = {"color": _WORDS, "size": 12}
    return figure.update_xaxes(tickfont=words).update_yaxes(tickfont=words)


def _show(figure: "Figure", key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False, "responsive": True})


def over_time(
    labels: Sequence[str],
    values: Sequence[float],
    before: Sequence[float],
    *,
    key: str,
    alt: str,
    unit: str = "",
    names: tuple[str, str] = ("This period", "The period before"),
    height: int = 280,
) -> None:
    """Bars for a period over a thin line for the period before; `unit` stands before the amount."""
    figure = _figure(
        height, yaxis={"tickprefix": unit, "rangemode": "tozero"}, xaxis={"type": "category", "nticks": 10}
    )
    figure.add_bar(
        x=labels, y=values, name=names[0], marker={"color": _COLOURS[0]}, hovertemplate=f"{unit}%{{y:,.2~f}}"
    )
    if any(before):
        figure.add_scatter(
            x=labels, y=before, name=names[1], mode="lines", line={"color": _BEFORE, "width": 1.5, "dash": "dot"},
            hovertemplate=f"{unit}%{{y:,.2~f}}",
        )  # fmt: skip
    _show(figure, key, alt)


def heat(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]], *, key: str, alt: str, unit: str,
    height: int = 250,
) -> None:  # fmt: skip
    """A grid whose cells are the darker the more there is."""
    figure = _figure(height, yaxis={"autorange": "reversed"}, xaxis={"type": "category", "nticks": 12})
    scale = [[step / 9, colour] for step, colour in enumerate(_STEPS)]
    figure.add_heatmap(
        x=list(columns),
        y=list(rows),
        z=[list(row) for row in values],
        colorscale=scale,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:,.0f}} {unit}<extra></extra>",
    )
    figure.update_layout(hovermode="closest")
    _show(figure, key, alt)
