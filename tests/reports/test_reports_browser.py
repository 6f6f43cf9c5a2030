"""Pages in a real browser, from file://."""

from __future__ import annotations

import re
from pathlib import Path

from browser import browse, needs_browser
from mlctl.reports import html, plots
from mlctl.reports.plots import Series

pytestmark = needs_browser


def example() -> str:
    table = html.table(["name", "value"], [["b", 10.0], ["c", 9.0], ["a", 100.0]])
    drawing = plots.lines([Series("<b>one</b>", [0, 1], [1, 2]), Series("two", [0, 1], [2, 3])])
    sections = [html.Section("Table", table), html.Section("Plot", html.figure(drawing, "Loss"))]
    return html.page("A <page>", "subtitle", sections)


def names(dom: str) -> list[str]:
    body = dom.split("<tbody>")[1].split("</tbody>")[0]
    return re.findall(r"<tr><td[^>]*>(\w)</td>", body)


def test_the_page_shows_without_complaint(tmp_path: Path) -> None:
    dom, complaints = browse(example(), tmp_path)
    assert complaints == ""
    assert names(dom) == ["b", "c", "a"]
    assert "&lt;b&gt;one&lt;/b&gt;" in dom


def test_clicks_on_a_head_sort_by_value(tmp_path: Path) -> None:
    script = """<script>[1, 1, 0].forEach(function (at) {
        document.querySelectorAll("th")[at].click();
        var rows = [].slice.call(document.querySelector("tbody").rows);
        document.body.dataset.orders = (document.body.dataset.orders || "")
          + rows.map(function (row) { return row.cells[0].textContent }).join("") + ";";
    })</script></body>"""
    dom, complaints = browse(example().replace("</body>", script), tmp_path)
    assert complaints == ""
    assert 'data-orders="cba;abc;abc;"' in dom
    assert dom.count('aria-sort="ascending"') == 1


def test_the_browser_itself_refuses_what_slips_in(tmp_path: Path) -> None:
    slipped = '<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png"></body>'
    _, complaints = browse(example().replace("</body>", slipped), tmp_path)
    assert complaints.count("Content Security Policy") >= 2
