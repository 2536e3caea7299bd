"""`pyfutures timeline`: a list, csv, a calendar file, and pictures in a real browser."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import icalendar
import pytest

from pyfutures.cli import run

TODAY = ["--today", "2026-10-01"]
SPAN = ["--from", "2026-10-01", "--to", "2026-12-31"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def pyfutures(capsys):
    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


# By hand: the last trade of December crude is three business days before 25 November 2026, a
# Wednesday before Thanksgiving: the 20th. Notice is two business days after. The roll is 40 days
# before: 11 October; positions close two sessions before the last trade, the 18th. December E-mini
# ends on the third Friday, 18 December, at 08:30 in Chicago; it rolls four days before.
EXPECTED = [
    ("2026-10-11", "CL", "2026Z", "roll", "yes", "2026-11-18", "", "2027Z", ""),
    ("2026-11-18", "CL", "2026Z", "deadline", "yes", "", "", "", ""),
    ("2026-11-20", "CL", "2026Z", "last_trade", "yes", "", "2026-11-20T19:30:00Z", "", ""),
    ("2026-11-24", "CL", "2026Z", "first_notice", "yes", "", "", "", ""),
    ("2026-12-14", "ES", "2026Z", "roll", "yes", "2026-12-18", "", "2027H", ""),
    ("2026-12-18", "ES", "2026Z", "last_trade", "yes", "", "2026-12-18T14:30:00Z", "", ""),
]


class TestCsv:
    def test_held_months(self, pyfutures):
        code, out, _ = pyfutures("timeline", "CL", "ES", "--csv", *SPAN, *TODAY)
        assert code == 0
        header, *rows = csv.reader(io.StringIO(out))
        assert header == [
            "date", "root", "month", "event", "held", "until", "at_utc", "forward", "status",
        ]  # fmt: skip
        assert [tuple(row) for row in rows] == EXPECTED

    def test_all_months(self, pyfutures):
        _, out, _ = pyfutures("timeline", "CL", "--csv", *SPAN, *TODAY, "--all-months")
        rows = list(csv.DictReader(io.StringIO(out)))
        ends = {r["month"]: r["date"] for r in rows if r["event"] == "last_trade"}
        assert ends == {"2026X": "2026-10-20", "2026Z": "2026-11-20", "2027F": "2026-12-21"}
        assert {r["month"] for r in rows if r["held"] == "no"} == {"2026X", "2027F"}

    def test_an_expiry_on_another_day(self, pyfutures):
        """DC of April 2024, by hand: see the catalogue; the two days differ."""
        _, out, _ = pyfutures(
            "timeline", "DC", "--csv", "--from", "2024-03-01", "--to", "2024-05-31", "--all-months"
        )
        rows = {(r["month"], r["event"]): r["date"] for r in csv.DictReader(io.StringIO(out))}
        assert rows["2024H", "last_trade"] == "2024-04-02"
        assert rows["2024H", "expiry"] == "2024-04-03"


class TestText:
    def test_what_comes(self, pyfutures):
        code, out, _ = pyfutures("timeline", "CL", "ES", *TODAY, "--to", "2026-12-31")
        assert code == 0
        lines = out.splitlines()
        assert lines[0] == "Sun 2026-10-11    in 10 d  CL 2026Z roll to 2027Z  until Wed 2026-11-18"
        assert lines[-1] == "Fri 2026-12-18    in 78 d  ES 2026Z last trade  14:30 UTC"
        assert len(lines) == len(EXPECTED)

    def test_unknown_dates_are_counted(self, pyfutures):
        """Hong Kong's calendar does not reach so far, and no date is made up."""
        code, out, _ = pyfutures("timeline", "HSI", "--year", "2050", "--all-months")
        assert (code, out) == (0, "HSI: 12 months of this span without known dates\n")

    def test_projected_dates_say_so(self, pyfutures):
        _, out, _ = pyfutures("timeline", "A0F", "--year", "2030")
        assert "(projected)" in out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["ES", "out.html", "--html"], "`out.html` is no root; to write it, --out out.html"),
            (["XXX"], "unknown root `XXX`"),
            (["ES", "--year", "2026", "--to", "2026-12-31"], "give --year, or --from and --to"),
            (["ES", "--from", "2026-12-31", "--to", "2026-01-01"], "nothing to see from"),
        ],
    )
    def test_wrong_usage(self, pyfutures, words, said):
        code, _, err = pyfutures("timeline", *words)
        assert (code, said in err) == (2, True), err


class TestIcs:
    @pytest.fixture
    def text(self, pyfutures):
        return pyfutures("timeline", "CL", "ES", "--ics", *SPAN, *TODAY)[1]

    def test_read_by_a_library(self, text):
        found = icalendar.Calendar.from_ical(text)
        events = [
            (e.decoded("DTSTART"), e.decoded("DTEND"), str(e["SUMMARY"])) for e in found.events
        ]
        assert found.errors == []
        assert all(event.errors == [] for event in found.events)
        day = dt.date
        assert events == [
            (day(2026, 10, 11), day(2026, 11, 18), "CL 2026Z roll to 2027Z"),
            (day(2026, 11, 18), day(2026, 11, 19), "CL 2026Z deadline"),
            (day(2026, 11, 20), day(2026, 11, 21), "CL 2026Z last trade"),
            (day(2026, 11, 24), day(2026, 11, 25), "CL 2026Z first notice"),
            (day(2026, 12, 14), day(2026, 12, 18), "ES 2026Z roll to 2027H"),
            (day(2026, 12, 18), day(2026, 12, 19), "ES 2026Z last trade"),
        ]

    def test_ids_are_unique_and_stay(self, pyfutures, text):
        ids = re.findall(r"^UID:(.*)\r$", text, re.MULTILINE)
        assert len(set(ids)) == len(ids) == len(EXPECTED)
        later = pyfutures("timeline", "CL", "ES", "--ics", *SPAN, "--today", "2026-11-01")[1]
        assert re.findall(r"^UID:(.*)\r$", later, re.MULTILINE) == ids

    def test_form(self, pyfutures, text, tmp_path):
        path = tmp_path / "x.ics"
        pyfutures("timeline", "CL", "ES", "--ics", *SPAN, *TODAY, "--out", path)
        data = path.read_bytes()
        assert data.decode() == text
        lines = data.split(b"\r\n")
        assert b"\n" not in b"".join(lines)
        assert max(map(len, lines)) <= 75

    def test_it_is_no_invitation(self, text):
        """RFC 5546: what is published by METHOD has an ORGANIZER; a file for import has neither."""
        assert "METHOD" not in text

    def test_the_whole_catalogue(self, pyfutures):
        _, out, _ = pyfutures("timeline", "--ics", "--year", "2027", "--today", "2026-10-01")
        events = icalendar.Calendar.from_ical(out).events
        ids = {str(event["UID"]) for event in events}
        assert len(ids) == len(events) > 3000


class TestPictures:
    @pytest.fixture
    def svg(self, pyfutures):
        _, out, _ = pyfutures("timeline", "CL", "ES", "DC", "--svg", "--today", "2026-11-23")
        return ET.fromstring(out)  # noqa: S314 - ours

    def test_places_are_to_scale(self, svg):
        """The ends of CL 2026Z and 2027Z are as far apart as their dates, to a tenth of a pixel."""
        lines = {
            title.text: line
            for line in svg.iter(f"{SVG}line")
            if (title := line.find(f"{SVG}title")) is not None
        }
        ends = [
            float(lines[f"CL {text}"].get("x2"))
            for text in ("2026Z: last trade Fri 2026-11-20", "2027Z: last trade Fri 2027-11-19")
        ]
        # 92 left, 24 right of 1240; the span is 120 days back and 500 ahead, both included.
        scale = (1240 - 92 - 24) / 621
        assert ends[1] - ends[0] == pytest.approx(364 * scale, abs=0.11)
        assert ends[0] == pytest.approx(92 + 117 * scale, abs=0.06)

    def test_what_is_shown(self, svg):
        titles = [item.text for item in svg.iter(f"{SVG}title")]
        assert "CL 2026Z: roll from Sun 2026-10-11, before Wed 2026-11-18" in titles
        assert "CL 2027Z: held from Sun 2026-10-11 to the roll, Sun 2027-10-10" in titles
        assert "CL 2026Z: first notice Tue 2026-11-24" in titles
        assert "ES 2026Z: last trade Fri 2026-12-18" in titles
        texts = [item.text for item in svg.iter(f"{SVG}text")]
        assert "ES · E-mini S&P 500 Futures" in texts
        assert "today, 23 Nov" in texts
        # The months that are held today stand out.
        strong = {e.text for e in svg.iter(f"{SVG}text") if e.get("class") == "strong"}
        assert {"2027Z", "2026Z"} <= strong

    def test_nothing_lies_outside(self, svg):
        width = float(svg.get("width"))
        for item in svg.iter(f"{SVG}rect"):
            x, w = float(item.get("x", 0)), float(item.get("width"))
            assert 0 <= x <= x + w <= width + 0.1
        for item in svg.iter(f"{SVG}line"):
            assert 0 <= float(item.get("x1")) <= float(item.get("x2")) <= width

    def test_a_root_without_a_roll(self, pyfutures, tmp_path):
        (tmp_path / "x").mkdir()
        text = (Path(__file__).parents[2] / "contracts/xcme/ES.yaml").read_text()
        text = re.sub(r"^roll:.*\n", "", text, flags=re.MULTILINE)
        text = text.replace("root: ES", "root: EZ").replace("symbol: ES", "symbol: EZ")
        text = re.sub(r"^name: .*$", 'name: "a <b> & c"', text, flags=re.MULTILINE)
        (tmp_path / "x/EZ.yaml").write_text(text)
        for style in ("--svg", "--html"):
            code, out, _ = pyfutures("--contracts", tmp_path, "timeline", "EZ", "ES", style)
            assert code == 0
            assert "no roll in the spec" in out
            assert "a &lt;b&gt; &amp; c" in out

    def test_needs_nothing_from_anywhere(self, pyfutures):
        for style in ("--html", "--svg"):
            _, out, _ = pyfutures("timeline", "ES", "CL", style)
            assert re.findall(r"(?:https?:)?//[^\s\"<]+", out.replace(SVG[1:-1], "")) == []
            assert not re.search(r"<script|<link(?! rel=\"icon\" href=\"data:)|@import|url\(", out)


# --- in a browser: what a reader sees

#: Written into a copy of the page: the contrast of every text against what it stands on, by WCAG.
PROBE = """
<script>
function rgb(text) { return text.match(/[\\d.]+/g).map(Number); }
function light(c) {
  const [r, g, b] = c.slice(0, 3).map((v) => {
    v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}
function ground(element) {
  for (let e = element; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
}
const styles = getComputedStyle(document.documentElement);
const probe = document.createElement("div");
document.body.append(probe);
function colour(name) {
  probe.style.color = `var(--${name})`;
  return rgb(getComputedStyle(probe).color);
}
const found = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || ["STYLE", "SCRIPT", "title"].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  if (element instanceof SVGElement) {
    const grounds = element.classList.contains("onheld")
      ? ["held", "held-next"] : ["card", "stripe"];
    for (const name of grounds) {
      found.push([element.textContent, contrast(rgb(style.fill), colour(name))]);
    }
  } else {
    found.push([element.textContent, contrast(rgb(style.color), ground(element))]);
  }
}
const marks = ["held", "held-next", "window", "notice", "last", "today"].map(
  (name) => [name, contrast(colour(name), colour("card"))]);
const box = [...document.querySelectorAll(".month")].map((e) => e.getBoundingClientRect().width);
const out = document.createElement("pre");
out.id = "probe";
out.textContent = JSON.stringify({
  texts: found.length,
  worst: found.sort((a, b) => a[1] - b[1])[0],
  marks: Object.fromEntries(marks),
  page: styles.getPropertyValue("--page"),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  months: document.querySelectorAll(".month").length,
  cards: document.querySelectorAll(".card svg").length,
  bars: document.querySelectorAll("rect.held").length,
  now: document.querySelectorAll(".days .now").length,
  narrowest: Math.min(...box),
});
document.body.append(out);
</script>
"""


def browse(page, tmp_path, *words, dark=False):
    """What the browser prints for a page: its stdout, and the lines of its console."""
    profile = tmp_path / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={profile}", "--hide-scrollbars",
            "--enable-logging=stderr", "--window-size=1320,900",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}", *words, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


# The words of a picture that lie under a bar or over other words, by the browser's own measure.
CLASHES = """<script>
const box = item => item.getBoundingClientRect();
const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
  && a.top < b.bottom - 1 && b.top < a.bottom - 1;
const texts = [...document.querySelectorAll("svg text.strong, svg text.title, svg text.soft")];
const bars = [...document.querySelectorAll("svg rect.held")];
const found = texts.flatMap(text => [...texts.filter(other => other !== text), ...bars]
  .filter(other => over(box(text), box(other))).map(() => text.firstChild.data));
const pre = document.body.appendChild(document.createElement("pre"));
pre.id = "clashes";
pre.textContent = JSON.stringify([texts.length, found]);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
class TestBrowser:
    @pytest.fixture
    def page(self, pyfutures, tmp_path):
        path = tmp_path / "page.html"
        words = ["timeline", "ES", "CL", "GC", "ZC", "--html", "--today", "2026-11-23"]
        assert pyfutures(*words, "--out", path)[0] == 0
        return path

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_readable(self, page, tmp_path, dark):
        probed = tmp_path / "probed.html"
        probed.write_text(page.read_text().replace("</body>", f"{PROBE}</body>"))
        dom, console = browse(probed, tmp_path, "--dump-dom", dark=dark)
        assert console == []
        found = json.loads(re.search(r'<pre id="probe">(.*?)</pre>', dom).group(1))
        assert found["page"] == ("#0e131c" if dark else "#f6f8fb")
        assert found["texts"] > 500
        assert found["worst"][1] >= 4.5, found["worst"]
        # Marks need less, but nobody may miss what says that delivery comes.
        assert min(found["marks"][name] for name in ("held", "notice", "last", "today")) >= 3
        assert found["wide"] == 0
        assert (found["months"], found["cards"], found["now"]) == (12, 5, 1)
        assert found["bars"] > 20
        assert found["narrowest"] > 250

    def test_long_names_hide_nothing(self, pyfutures, tmp_path):
        own = tmp_path / "own"
        own.mkdir()
        root, name = "LONG_MICRO_NAME_WM20", f"A <b> & {'name that goes on ' * 12}"
        assert len(root) == 20  # as long as a root can be
        assert pyfutures("--contracts", own, "new", root, "--like", "ES", "--name", name)[0] == 0
        words = ["timeline", root, "ES", "BANKNIFTY", "--svg", "--today", "2026-11-23"]
        code, svg, _ = pyfutures("--contracts", own, *words)
        assert code == 0
        page = tmp_path / "page.html"
        page.write_text(f"<!doctype html><meta charset='utf-8'><body>{svg}{CLASHES}</body>")
        dom, console = browse(page, tmp_path, "--dump-dom")
        assert console == []
        texts, clashes = json.loads(re.search(r'<pre id="clashes">(.*?)</pre>', dom).group(1))
        assert texts > 60
        assert clashes == []

    def test_no_errors_as_it_is(self, page, tmp_path):
        dom, console = browse(page, tmp_path, "--dump-dom")
        assert console == []
        assert "<h2>Year 2026</h2>" in dom
        assert "2026Z first notice" in dom

    def test_light_and_dark_look_different(self, pyfutures, tmp_path):
        """The picture by itself, as in an <img>: its style is within."""
        path = tmp_path / "x.svg"
        pyfutures("timeline", "ES", "CL", "--svg", "--today", "2026-11-23", "--out", path)
        page = tmp_path / "img.html"
        page.write_text(f'<!doctype html><link rel=icon href="data:,"><img src="{path.as_uri()}">')
        shots = []
        for dark in (False, True):
            shot = tmp_path / f"{dark}.png"
            _, console = browse(page, tmp_path, f"--screenshot={shot}", dark=dark)
            assert console == []
            shots.append(shot.read_bytes())
        assert all(shot[:8] == b"\x89PNG\r\n\x1a\n" and len(shot) > 20_000 for shot in shots)
        assert shots[0] != shots[1]


@pytest.mark.parametrize("style", ["html", "svg"])
def test_a_page_is_not_poured_into_a_terminal(style):
    master, terminal = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pyfutures", "timeline", "ES", f"--{style}"],
            stdout=terminal, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(master)
    assert done.returncode == 2
    assert f"--out timeline.{style}" in done.stderr
