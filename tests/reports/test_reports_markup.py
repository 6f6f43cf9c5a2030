"""Markup, numbers and pages: everything is escaped, and stands in one file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.reports import html, markdown
from mlctl.reports.markup import Html, element, escape, join, number

VOID = {"meta", "br", "img", "hr"}
HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&\x00\ud800"


class Reader(HTMLParser):
    """Checks that tags nest, and keeps what a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def example(name: str = "a") -> str:
    rows = [[name, 1.5, html.badge("ok", "good")], ["b", None, html.Cell("<1", 0.5, right=True)]]
    sections = [
        html.Section(name, html.table(["name", "value", name], rows), note=name),
        html.Section("Twice", html.cards({name: name, "n": 12345})),
        html.Section("Twice", html.figure(html.image(b"abc", ".png", name), name, name)),
        html.Section("Code", join([html.code(name), html.paragraph(name, " b")])),
    ]
    return html.page(name, name, sections, footer=name)


def test_a_page_nests_and_refers_to_nothing_outside() -> None:
    reader = read(example())
    names = [tag for tag, _ in reader.tags]
    assert names.count("section") == 4
    assert not {"link", "iframe", "object", "base"} & set(names)
    for tag, attributes in reader.tags:
        for key in ("src", "href", "action", "srcset"):
            value = attributes.get(key) or ""
            assert value == "" or value.startswith(("data:", "#")), (tag, value)
    assert "@import" not in example()
    assert "url(" not in example()


def test_the_csp_forbids_the_network() -> None:
    policies = [a["content"] or "" for tag, a in read(example()).tags if "http-equiv" in a]
    assert len(policies) == 1
    assert "default-src 'none'" in policies[0]
    assert "http" not in policies[0]


def test_hostile_text_stays_text() -> None:
    calm, hostile = read(example()), read(example(HOSTILE))
    assert [tag for tag, _ in calm.tags] == [tag for tag, _ in hostile.tags]
    assert "<script>alert('x')</script>" in hostile.text
    example(HOSTILE).encode("utf-8")


@given(st.text())
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_an_element(value: str) -> None:
    found = read(element("p", value, title=value))
    value = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "\ufffd", value)
    assert found.text == value
    assert found.tags[0][1]["title"] == value


def test_anchors_are_unique_and_linked() -> None:
    reader = read(example())
    ids = [a["id"] for tag, a in reader.tags if tag == "section"]
    links = [(a["href"] or "")[1:] for tag, a in reader.tags if tag == "a"]
    assert ids == links == ["a", "twice", "twice--2", "code"]


def test_pages_are_deterministic() -> None:
    assert example() == example()


def test_numbers_sort_by_value_and_stand_right() -> None:
    table = html.table(["n", "s"], [[1234567.0, "x"], [0.000012345, "y"], [None, "z"]])
    cells = [a for tag, a in read(table).tags if tag == "td"]
    assert [a.get("data-value") for a in cells[::2]] == ["1234567.0", "1.2345e-05", None]
    assert {a.get("class") for a in cells[::2]} == {"n"}
    assert {a.get("class") for a in cells[1::2]} == {None}


def test_only_html_is_trusted() -> None:
    assert escape("<b>") == "&lt;b&gt;"
    assert escape(Html("<b>")) == "<b>"
    assert join(["<", Html("<br>")], " & ") == "&lt; &amp; <br>"
    assert element("td") == "<td></td>"
    assert element("rect", x=1.50, fill=None) == '<rect x="1.5"/>'


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (1.236, "1.24"), (-0.001, "0"), (float("nan"), "0"), (100, "100")],
)
def test_coordinates_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_markdown_cells_cannot_break_out() -> None:
    table = markdown.table(
        ["a|b", "c"], [[HOSTILE, "x\n| y |"], [markdown.Raw("`z`"), 3]], right=" r"
    )
    lines = table.splitlines()
    assert len(lines) == 4
    assert lines[1] == "| --- | ---: |"
    assert all(line.replace("\\|", "").count("|") == 3 for line in lines)
    assert "<script" not in table.replace("\\<", "")
    assert lines[3] == "| `z` | 3 |"
    table.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("a_b*c", "a\\_b\\*c"),
        ("1. x", "1\\. x"),
        ("- x", "\\- x"),
        ("# x @me", "\\# x \\@me"),
        ("", ""),
    ],
)
def test_markdown_text_is_no_markup(value: str, text: str) -> None:
    assert markdown.escape(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a|b", "`a\\|b`"), ("", "")],
)
def test_markdown_code(value: str, text: str) -> None:
    assert markdown.code(value) == text
