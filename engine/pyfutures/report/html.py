"""One HTML page that needs nothing else: series, rolls and chains, plots and styles inlined.

Traces name the part they play, never a colour; a few lines of script paint them from the palette of
the reader's scheme, light or dark, and again when it changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

__all__ = ["ContractSpan", "RollMark", "Section", "page"]

type Trace = dict[str, object]


@dataclass(frozen=True, slots=True)
class ContractSpan:
    """One line of the chain timeline; `held` is None for a month that the series never held."""

    month: str
    first: dt.date
    last_trade: dt.date
    roll_date: dt.date | None = None
    held: tuple[dt.date, dt.date] | None = None


@dataclass(frozen=True, slots=True)
class RollMark:
    """One roll as a reader sees it; prices are texts, exact."""

    old: str
    new: str
    roll_date: dt.date
    at: dt.datetime
    pre_price: str
    post_price: str
    gap: str


@dataclass(frozen=True, slots=True)
class Section:
    """One root: its series over `times`, the rolls, and the contracts below."""

    root: str
    name: str
    currency: str
    summary: str
    times: Sequence[dt.datetime]
    unadjusted: Sequence[float | None]
    backward: Sequence[float | None]
    forward: Sequence[float | None]
    rolls: Sequence[RollMark]
    contracts: Sequence[ContractSpan] = field(default=())


def page(title: str, sections: Sequence[Section], *, notes: Sequence[str] = ()) -> str:
    """Return the whole page as text.

    Parameters
    ----------
    title
        Heading and title.
    sections
        One a root, in order.
    notes
        Paragraphs below the heading, plain text.

    Raises
    ------
    ImportError
        If plotly is not installed: ``pip install 'pyfutures[plots]'``.
    """
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - 5 MB, for this page alone

    figures: dict[str, object] = {}
    body: list[str] = []
    for section in sections:
        figures[f"series-{section.root}"] = _series(section)
        figures[f"chain-{section.root}"] = _timeline(section)
        body.append(_section(section))
    paragraphs = "\n".join(f"<p>{escape(note)}</p>" for note in notes)
    links = " · ".join(f'<a href="#{escape(s.root)}">{escape(s.root)}</a>' for s in sections)
    return _PAGE.format(
        title=escape(title),
        style=_STYLE,
        plotly=get_plotlyjs(),
        notes=paragraphs,
        links=links,
        body="\n".join(body),
        # `</` would end the script element, whatever string it stands in.
        figures=json.dumps(figures, separators=(",", ":")).replace("</", "<\\/"),
        script=_SCRIPT,
    )


def _series(section: Section) -> dict[str, object]:
    times = [f"{time:%Y-%m-%d %H:%M}" for time in section.times]
    hover = "%{x|%Y-%m-%d}  %{y:,.5~f}"
    lines: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "meta": {"part": part},
            "x": times,
            "y": list(values),
            "line": {"width": 1.6},
            "hovertemplate": hover,
        }
        for name, part, values in (
            ("unadjusted", "unadjusted", section.unadjusted),
            ("backward adjusted", "backward", section.backward),
            ("forward adjusted", "forward", section.forward),
        )
    ]
    closes = dict(zip(section.times, section.unadjusted, strict=True))
    marks: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "roll",
        "meta": {"part": "roll"},
        "x": [f"{roll.at:%Y-%m-%d %H:%M}" for roll in section.rolls],
        "y": [closes.get(roll.at) for roll in section.rolls],
        "text": [f"{r.old} → {r.new}<br>gap {r.gap}" for r in section.rolls],
        "marker": {"size": 9, "symbol": "diamond"},
        "hovertemplate": "%{text}<extra>roll</extra>",
    }
    shapes = [
        {
            "type": "line",
            "x0": f"{roll.at:%Y-%m-%d %H:%M}",
            "x1": f"{roll.at:%Y-%m-%d %H:%M}",
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "layer": "below",
            "line": {"width": 1, "dash": "dot"},
        }
        for roll in section.rolls
    ]
    layout = {
        **_LAYOUT,
        "height": 420,
        "hovermode": "x unified",
        "shapes": shapes,
        "yaxis": {"title": {"text": section.currency}, "automargin": True},
    }
    return {"data": [*lines, marks], "layout": layout}


def _timeline(section: Section) -> dict[str, object]:
    contracts = section.contracts
    # Titles of a category axis from bottom to top; the nearest contract belongs at the top.
    names = [contract.month for contract in reversed(contracts)]
    held = [(c.month, c.held) for c in contracts if c.held]
    data: list[Trace] = [
        _bars("listed", [(c.month, (c.first, c.last_trade)) for c in contracts], 3),
        _bars("held", held, 13),
        _points("roll date", "roll", "diamond", [(c.month, c.roll_date) for c in contracts]),
        _points("last trade", "last_trade", "x", [(c.month, c.last_trade) for c in contracts]),
    ]
    times = section.times
    layout = {
        **_LAYOUT,
        "height": 130 + 20 * len(contracts),
        "hovermode": "closest",
        "yaxis": {"categoryorder": "array", "categoryarray": names, "automargin": True},
    }
    if times:
        layout["xaxis"] = {"range": [f"{times[0]:%Y-%m-%d}", f"{contracts[-1].last_trade}"]}
    return {"data": data, "layout": layout}


def _bars(name: str, spans: Sequence[tuple[str, tuple[dt.date, dt.date]]], width: int) -> Trace:
    x: list[str | None] = []
    y: list[str | None] = []
    for month, (first, last) in spans:
        x += [first.isoformat(), last.isoformat(), None]
        y += [month, month, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "meta": {"part": name},
        "x": x,
        "y": y,
        "line": {"width": width},
        "hovertemplate": "%{y}  %{x|%Y-%m-%d}",
    }


def _points(
    name: str, part: str, symbol: str, points: Sequence[tuple[str, dt.date | None]]
) -> Trace:
    known = [(month, day) for month, day in points if day is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "meta": {"part": part},
        "x": [day.isoformat() for _, day in known],
        "y": [month for month, _ in known],
        "marker": {"size": 8, "symbol": symbol},
        "hovertemplate": "%{y}  %{x|%Y-%m-%d}",
    }


def _section(section: Section) -> str:
    root = escape(section.root)
    rows = "\n".join(f"<tr>{''.join(_cells(roll))}</tr>" for roll in section.rolls)
    return f"""<section id="{root}">
<h2>{root} <small>{escape(section.name)}</small></h2>
<p>{escape(section.summary)}</p>
<figure><figcaption>Unadjusted and continuous series</figcaption>
<div class="plot" id="series-{root}" role="img"
 aria-label="{root}: unadjusted, backward and forward adjusted series with roll marks"></div>
</figure>
<figure><figcaption>The chain: listed, held, roll date, last trade</figcaption>
<div class="plot" id="chain-{root}" role="img" aria-label="{root}: chain timeline"></div></figure>
<details><summary>{len(section.rolls)} rolls</summary><div class="wide"><table>
<thead><tr><th>from</th><th>to</th><th>roll date</th><th>rolled at (UTC)</th>
<th>old close</th><th>new close</th><th>gap</th></tr></thead>
<tbody>
{rows}
</tbody></table></div></details>
</section>"""


def _cells(roll: RollMark) -> Iterator[str]:
    for text in (roll.old, roll.new, f"{roll.roll_date}", f"{roll.at:%Y-%m-%d %H:%M}"):
        yield f"<td>{escape(text)}</td>"
    for text in (roll.pre_price, roll.post_price, roll.gap):
        yield f'<td class="number">{escape(text)}</td>'


_LAYOUT: Final[dict[str, object]] = {
    "margin": {"l": 60, "r": 16, "t": 8, "b": 36},
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "xaxis": {},
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{notes}
<nav>{links}</nav>
{body}
</main>
<script>{plotly}</script>
<script type="application/json" id="figures">{figures}</script>
<script>{script}</script>
</body>
</html>
"""

_STYLE: Final = """
:root { --ink: #1c2430; --soft: #56606f; --paper: #fdfdfc; --line: #dcdfe4; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #a3abb6; --paper: #15181d; --line: #353b45; --link: #8ab8ef; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .25rem; border-top: 1px solid var(--line);
  padding-top: 1.5rem; }
h2 small { font-weight: normal; color: var(--soft); }
p { max-width: 48rem; }
a { color: var(--link); }
figure { margin: 1rem 0; }
figcaption, summary { color: var(--soft); }
.plot { width: 100%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin-top: .5rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
.number { text-align: right; }
"""

_SCRIPT: Final = """
const palettes = {
  light: { ink: "#1c2430", grid: "#e3e6ea", hover: "#ffffff", unadjusted: "#6b7482",
    backward: "#1f5fa8", forward: "#b4590f", roll: "#a3195b", listed: "#b3bac5",
    held: "#1f5fa8", last_trade: "#1c2430" },
  dark: { ink: "#e6e8eb", grid: "#2b313a", hover: "#20252d", unadjusted: "#9aa3b0",
    backward: "#7db3f2", forward: "#f0a35e", roll: "#f07ab0", listed: "#4b5462",
    held: "#7db3f2", last_trade: "#e6e8eb" },
};
const scheme = window.matchMedia("(prefers-color-scheme: dark)");
const figures = JSON.parse(document.getElementById("figures").textContent);
function paint() {
  const colors = scheme.matches ? palettes.dark : palettes.light;
  for (const [id, figure] of Object.entries(figures)) {
    for (const trace of figure.data) {
      const color = colors[trace.meta.part];
      if (trace.line) trace.line.color = color;
      if (trace.marker) trace.marker.color = color;
    }
    const layout = figure.layout;
    layout.font = { color: colors.ink };
    layout.hoverlabel = { bgcolor: colors.hover, font: { color: colors.ink } };
    for (const axis of [layout.xaxis, layout.yaxis]) {
      axis.gridcolor = colors.grid;
      axis.linecolor = colors.grid;
      axis.zerolinecolor = colors.grid;
    }
    for (const shape of layout.shapes || []) shape.line.color = colors.roll;
    Plotly.react(id, figure.data, layout, { displaylogo: false, responsive: true });
  }
}
scheme.addEventListener("change", paint);
paint();
"""
