"""The graph against networkx, which DVC uses, and its errors."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.pipeline import graph
from mlctl.pipeline.spec import Dep, Out, Stage


def stage(name, deps=(), outs=(), *, file="dvc.yaml", frozen=False):
    return Stage(
        file,
        name,
        cmd="true",
        deps=tuple(Dep(d, d) for d in deps),
        outs=tuple(Out(o, o) for o in outs),
        frozen=frozen,
    )


@st.composite
def random_stages(draw):
    """Stages that need any earlier ones, in a shuffled order."""
    count = draw(st.integers(1, 9))
    stages = []
    for n in range(count):
        needed = draw(st.lists(st.integers(0, n - 1), unique=True)) if n else []
        stages.append(stage(f"s{n}", [f"out{m}" for m in needed], [f"out{n}"]))
    return draw(st.permutations(stages))


def oracle(stages):
    """DVC's graph: an edge from each stage to the producers of its deps, in their order."""
    found = nx.DiGraph()
    producers = {out.key: index for index, s in enumerate(stages) for out in s.outs}
    found.add_nodes_from(range(len(stages)))
    for index, s in enumerate(stages):
        found.add_edges_from((index, producers[dep.key]) for dep in s.deps)
    return found


@given(random_stages())
def test_the_whole_graph_is_in_dvcs_serial_order(stages):
    expected = list(nx.dfs_postorder_nodes(oracle(stages)))
    assert graph.build(stages).order() == expected


@given(random_stages(), st.data())
def test_targets_bring_what_they_need(stages, data):
    target = data.draw(st.integers(0, len(stages) - 1))
    order = graph.build(stages).order([target])
    assert set(order) == {target} | nx.descendants(oracle(stages), target)
    assert order[-1] == target


@given(random_stages(), st.data())
def test_downstream_brings_what_needs_the_target(stages, data):
    target = data.draw(st.integers(0, len(stages) - 1))
    order = graph.build(stages).order([target], downstream=True)
    assert set(order) == {target} | nx.ancestors(oracle(stages), target)
    assert order[0] == target


def test_a_folder_dep_needs_every_stage_that_writes_into_it():
    stages = [stage("join", ["data"]), stage("a", [], ["data/a"]), stage("b", [], ["data/x/b"])]
    assert graph.build(stages).needs[0] == (1, 2)


def test_a_file_inside_a_folder_out_needs_its_stage():
    stages = [stage("use", ["data/x/y.csv"]), stage("make", [], ["data"])]
    assert graph.build(stages).needs[0] == (1,)


def test_a_frozen_stage_needs_nothing():
    stages = [stage("use", ["a"], frozen=True), stage("make", [], ["a"])]
    assert graph.build(stages).order([0]) == [0]


def test_a_component_is_all_that_hangs_together():
    stages = [stage("a", [], ["a"]), stage("b", ["a"], ["b"]), stage("c", ["a"]), stage("x")]
    assert graph.build(stages).component([1]) == [0, 1, 2]


def bad(*stages):
    with pytest.raises(ConfigError) as caught:
        graph.build(stages)
    assert caught.value.exit_code == 2
    return caught.value


def test_one_out_of_two_stages_is_refused():
    error = bad(stage("a", [], ["x"]), stage("b", [], ["x"]))
    assert str(error) == "dvc.yaml: stages.b.outs: 'x' is also an out of 'a'"


@pytest.mark.parametrize("outs", [("d", "d/x"), ("d/x", "d")])
def test_outs_inside_one_another_are_refused(outs):
    error = bad(*(stage(f"s{n}", [], [out]) for n, out in enumerate(outs)))
    assert f"'{outs[1]}' overlaps an out of 's0'" in str(error)


def test_a_cycle_is_shown():
    error = bad(stage("a", ["z"], ["x"]), stage("b", ["x"], ["y"]), stage("c", ["y"], ["z"]))
    assert "a → b → c → a" in error.message or "b → c → a → b" in error.message
    assert error.file == "dvc.yaml"


def test_a_stage_file_inside_an_out_is_refused():
    error = bad(stage("a", [], ["sub"]), stage("b", file="sub/dvc.yaml"))
    assert str(error).startswith("sub/dvc.yaml: this file lies inside an out of 'a'")
