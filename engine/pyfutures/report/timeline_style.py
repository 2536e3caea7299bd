"""The colours of pictures of time, one set for light and one for dark; the reader's scheme picks.

Text has a contrast of at least 4.5 to 1 against what it stands on, in both (a test measures it in a
browser).
"""

from __future__ import annotations

from typing import Final

__all__ = ["PAGE_STYLE", "PICTURE_STYLE"]

_LIGHT: Final = {
    "page": "#f6f8fb", "card": "#ffffff", "ink": "#172033", "muted": "#566176", "grid": "#e3e8f0",
    "stripe": "#f4f6fa", "listed": "#b9c3d3", "held": "#2f62c9", "held-next": "#1d4796",
    "on-held": "#ffffff", "window": "#f0a832", "notice": "#a2359b", "last": "#c8302a",
    "expiry": "#7a5c00", "today": "#0a7d5c", "weekend": "#eef1f6",
}  # fmt: skip
_DARK: Final = {
    "page": "#0e131c", "card": "#161d2a", "ink": "#e6ebf5", "muted": "#9fabc0", "grid": "#283245",
    "stripe": "#1a2231", "listed": "#4a5870", "held": "#7ea6f5", "held-next": "#a9c4fa",
    "on-held": "#0d1526", "window": "#f5b94d", "notice": "#e08ad9", "last": "#ff7b72",
    "expiry": "#d9bd5a", "today": "#3fd0a0", "weekend": "#1c2434",
}  # fmt: skip


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


#: Of pictures; complete in itself, so that an SVG file follows the reader's scheme too.
PICTURE_STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(_LIGHT)}}}\n"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(_DARK)}}}}}\n"
    """\
svg.pf{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
.pf .back{fill:var(--card)}
.pf .stripe{fill:var(--stripe)}
.pf text{fill:var(--ink)}
.pf .soft{fill:var(--muted)}
.pf .strong{font-weight:650}
.pf .title{font-size:15px;font-weight:650}
.pf .grid{stroke:var(--grid);stroke-width:1}
.pf .year{stroke:var(--listed);stroke-width:1}
.pf .listed{stroke:var(--listed);stroke-width:2;stroke-linecap:round}
.pf .unheld{opacity:.55}
.pf .held{fill:var(--held)}
.pf .held.next{fill:var(--held-next)}
.pf .onheld{fill:var(--on-held);font-size:11px;font-weight:600}
.pf .window{fill:var(--window)}
.pf .notice{fill:var(--notice);stroke:var(--card);stroke-width:1.5}
.pf .last{stroke:var(--last);stroke-width:2.6;stroke-linecap:round;fill:none}
.pf .expiry{fill:none;stroke:var(--expiry);stroke-width:2}
.pf .projected{stroke-dasharray:2 3}
.pf rect.projected{fill-opacity:.72;stroke-dasharray:none}
.pf .today{stroke:var(--today);stroke-width:1.6}
.pf .todaytext{fill:var(--today);font-size:11px;font-weight:650}
"""
)

PAGE_STYLE: Final = """\
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1320px;margin:0 auto;padding:28px 24px 48px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:18px;margin:36px 0 12px}
p{margin:0 0 8px;color:var(--muted)}
a{color:inherit}
nav{margin:10px 0 0;display:flex;flex-wrap:wrap;gap:6px}
nav a{padding:2px 10px;border:1px solid var(--grid);border-radius:999px;background:var(--card);
text-decoration:none;font-size:13px}
nav a:hover,nav a:focus-visible{border-color:var(--held)}
.card{background:var(--card);border:1px solid var(--grid);border-radius:12px;padding:14px 16px;
overflow-x:auto}
.card+.card{margin-top:14px}
.card svg{display:block;width:100%;min-width:860px;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:6px 18px;padding:0;margin:14px 0 12px;list-style:none;
font-size:13px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:7px}
.key{margin:0 0 12px}
.legend svg{width:26px;height:14px;min-width:0;flex:none}
.months{display:grid;grid-template-columns:repeat(auto-fill,minmax(285px,1fr));gap:14px}
.month{margin:0!important}
.month h3{margin:0 0 8px;font-size:15px}
.days{display:grid;grid-template-columns:repeat(7,1fr);gap:2px;text-align:center;font-size:12px}
.days b{font-weight:500;color:var(--muted);font-size:11px}
.days>span{min-height:30px;border-radius:6px;padding-top:2px;line-height:1.3}
.days .we{background:var(--weekend);color:var(--muted)}
.days .has{font-weight:650}
.days .now{outline:2px solid var(--today);outline-offset:-2px}
.dots{display:flex;justify-content:center;gap:2px;height:6px;margin-top:2px}
.dot{width:6px;height:6px;border-radius:50%;flex:none;display:inline-block}
.dot.roll{background:var(--window)}
.dot.deadline{background:none;border:1.5px solid var(--window)}
.dot.first_notice{background:var(--notice);border-radius:1px;transform:rotate(45deg)}
.dot.last_trade{background:var(--last);border-radius:1px}
.dot.expiry{background:none;border:1.5px solid var(--expiry)}
.list{list-style:none;margin:10px 0 0;padding:8px 0 0;border-top:1px solid var(--grid);
font-size:13px}
.list li{display:grid;grid-template-columns:52px 8px 1fr;gap:7px;align-items:center}
.list time{color:var(--muted)}
.list .dot{width:7px;height:7px}
.none{color:var(--muted);font-size:13px;margin:10px 0 0}
footer{margin-top:32px;font-size:13px;color:var(--muted)}
@media print{body{background:none}.card{break-inside:avoid}}
"""
