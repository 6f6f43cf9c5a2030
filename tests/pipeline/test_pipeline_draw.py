import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.pipeline import draw
from mlctl.pipeline.layout import crossings, depths, layout
from mlctl.pipeline.picture import drawing
from mlctl.pipeline.spec import Dep, Out, Stage

NASTY = 'a"b\\c<d>&`#]['


def stage(name: str, group: str | None = None, file: str = "dvc.yaml") -> Stage:
    return Stage(
        file, name, cmd=f"python {name}", group=group, deps=(Dep("d", "d"),), outs=(Out("o", "o"),)
    )


STAGES = [
    Stage("raw.csv.dvc", None),
    Stage("labels.dvc", None),
    stage("prepare"),
    *(stage(f"train@{i}", "train") for i in range(3)),
    stage("split"),
    stage("evaluate"),
    stage("lonely", file="sub/dvc.yaml"),
]
EDGES = [
    ("raw.csv.dvc", "prepare"), ("prepare", "split"), ("split", "evaluate"),
    *(("prepare", f"train@{i}") for i in range(3)),
    *(("labels.dvc", f"train@{i}") for i in range(3)),
    *((f"train@{i}", "evaluate") for i in range(3)),
    ("not drawn", "prepare"),
]  # fmt: skip
STATE = {s.address: "unchanged" for s in STAGES} | {"train@1": "changed"}


def test_terminal_is_a_tree_with_its_joins_named() -> None:
    assert draw.terminal(STAGES, EDGES) == (
        "raw.csv.dvc\n"
        "└─ prepare\n"
        "   ├─ train@0  ← labels.dvc\n"
        "   ├─ train@1  ← labels.dvc\n"
        "   ├─ train@2  ← labels.dvc\n"
        "   └─ split\n"
        "      └─ evaluate  ← train@0, train@1, train@2\n"
        "labels.dvc\n"
        "sub/dvc.yaml:lonely"
    )


def test_terminal_collapsed_with_states() -> None:
    assert draw.terminal(STAGES, EDGES, state=STATE, collapse=True) == (
        "raw.csv.dvc [unchanged]\n"
        "└─ prepare [unchanged]\n"
        "   ├─ train ×3 [changed]  ← labels.dvc\n"
        "   └─ split [unchanged]\n"
        "      └─ evaluate [unchanged]  ← train ×3\n"
        "labels.dvc [unchanged]\n"
        "sub/dvc.yaml:lonely [unchanged]"
    )


def test_terminal_styles_by_state() -> None:
    text = draw.terminal(STAGES[:1], [], state=STATE, style=lambda word, state: f"<{state}:{word}>")
    assert text == "<unchanged:raw.csv.dvc>"


def test_terminal_of_a_very_long_chain_and_of_nothing() -> None:
    chain = [stage(f"s{i}") for i in range(3000)]
    edges = [(f"s{i}", f"s{i + 1}") for i in range(2999)]
    assert len(draw.terminal(chain, edges).splitlines()) == 3000
    assert draw.terminal([], []) == ""


def test_mermaid_groups_states_and_escapes() -> None:
    text = draw.mermaid([*STAGES, stage(NASTY)], EDGES, state=STATE)
    assert '    subgraph group3["train"]\n        node3["train@0"]:::unchanged\n' in text
    assert '    node0[("raw.csv.dvc")]:::unchanged\n' in text
    assert "    node0 --> node2\n" in text
    assert "classDef changed fill:" in text
    assert '    node9["a#34;b#92;c#60;d#62;#38;#96;#35;]["]\n' in text


def test_dot_is_what_graphviz_reads() -> None:
    text = draw.dot([*STAGES, stage(NASTY)], EDGES, state=STATE)
    assert 'node9 [label="a\\"b\\\\c<d>&`#]["]' in text
    assert text.count("{") == text.count("}") == 2
    if shutil.which("dot"):
        done = subprocess.run(
            ["dot", "-Tplain"], input=text, text=True, capture_output=True, check=True
        )
        assert done.stdout.count("\nnode ") == 10


def test_html_is_one_page_with_every_stage_and_edge() -> None:
    text = draw.html([*STAGES, stage(NASTY)], EDGES, state=STATE, title="A & B")
    picture = ET.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])  # type: ignore[index]
    names = {"svg": "http://www.w3.org/2000/svg"}
    labels = [node.text for node in picture.findall(".//svg:text", names)]
    assert labels == [s.address for s in STAGES] + [NASTY]
    assert len(picture.findall(".//svg:path[@class='edge']", names)) == len(EDGES) - 1
    assert "<title>A &amp; B</title>" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    edges = json.loads(re.search(r"const edges = (.*?);", text)[1])  # type: ignore[index]
    assert len(edges) == len(EDGES) - 1


def test_html_boxes_do_not_overlap() -> None:
    text = draw.html(STAGES, EDGES)
    boxes = [tuple(map(float, m)) for m in re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', text)]  # fmt: skip
    assert len(boxes) == len(STAGES)
    for i, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[i + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_collapsing_that_makes_a_cycle_is_still_drawn() -> None:
    stages = [stage("a@0", "a"), stage("b@0", "b"), stage("a@1", "a")]
    edges = [("a@0", "b@0"), ("b@0", "a@1")]
    assert len(draw.terminal(stages, edges, collapse=True).splitlines()) == 2
    assert "a ×2" in draw.html(stages, edges, collapse=True)


@pytest.mark.parametrize("render", [draw.terminal, draw.mermaid, draw.dot, draw.html])
def test_every_drawing_is_the_same_each_time(render: object) -> None:
    assert callable(render)
    assert render(STAGES, EDGES, state=STATE) == render(list(STAGES), list(EDGES), state=STATE)


DAGS = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30).map(
            lambda pairs: sorted({(min(p), max(p)) for p in pairs if p[0] != p[1]})
        ),
    )
)


@given(DAGS)
@settings(max_examples=80, deadline=None)
def test_layout_keeps_layers_and_distances(dag: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = dag
    found = layout(count, edges)
    for (a, b), bends in zip(edges, found.bends, strict=True):
        assert found.layer[a] < found.layer[b]
        assert [at for at, _ in bends] == list(range(found.layer[a] + 1, found.layer[b]))
    for layer in set(found.layer):
        row = sorted(found.across[i] for i in range(count) if found.layer[i] == layer)
        assert all(b - a >= 1 - 1e-9 for a, b in pairwise(row))
    assert min(found.across) >= 0


@given(DAGS)
@settings(max_examples=80, deadline=None)
def test_every_stage_is_drawn_once_under_a_producer(dag: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = dag
    stages = [stage(f"s{i}") for i in range(count)]
    lines = draw.terminal(stages, [(f"s{a}", f"s{b}") for a, b in edges]).splitlines()
    found = [re.sub(r"[ │├└─]*(\w+).*", r"\1", line) for line in lines]
    assert sorted(found) == sorted(s.address for s in stages)
    depth = depths(count, edges)
    for line, name in zip(lines, found, strict=True):
        assert (line.index("s") // 3) == depth[int(name[1:])]


def test_crossings_are_counted() -> None:
    assert crossings([0, 1], [2, 3], [(0, 3), (1, 2)]) == 1
    assert crossings([0, 1], [3, 2], [(0, 3), (1, 2)]) == 0
    assert crossings([0, 1, 2], [3, 4, 5], [(0, 5), (1, 4), (2, 3)]) == 3


def test_sweeps_untangle_what_can_be_untangled() -> None:
    stages = [stage(f"s{i}") for i in range(8)]
    edges = [(i, 7 - i) for i in range(4)]
    found = layout(8, edges)
    assert sorted(range(4), key=lambda i: found.across[i]) == sorted(
        range(4), key=lambda i: found.across[7 - i]
    )
    assert len(drawing(stages, [(f"s{a}", f"s{b}") for a, b in edges]).edges) == 4
