"""The filter, the order, and what they say of mistakes; asked of real records."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_builders import write_run

from mlctl.errors import InvalidInput
from mlctl.experiments import events
from mlctl.experiments.query import search_runs
from mlctl.experiments.search import Search
from mlctl.experiments.where.parse import parse
from mlctl.records.run import CodeState


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs called a to e, a hour apart from 2026-11-23T23:03:20Z on."""
    root = tmp_path_factory.mktemp("where")
    write_run(root, 0, name="a", params={"lr": 0.1, "model": "tree", "deep": True, "n": None},
              metrics={"auc": 0.8, "best:f1": 1}, seconds=5.0)  # fmt: skip
    write_run(root, 1, name="b", params={"lr": 0.2, "model": "net", "deep": False},
              metrics={"auc": 0.9}, curves={"val/loss": [3.0, 1.0, 2.0]})  # fmt: skip
    write_run(root, 2, name="c", params={"lr": "auto", "model": "nets"},
              metrics={"auc": float("nan")}, status="failed", failed=("train",))  # fmt: skip
    write_run(root, 3, name="d", params={"lr": 1}, metrics={"auc": 0.95}, ran=("prepare", "train"))
    write_run(root, 4, name="e", git=CodeState("beef" + "0" * 36, "topic", None, dirty=True))
    found = search_runs(str(root), Search())
    ids = {head.name: head.id for head in found.heads}
    events.tag(str(root), [ids["b"], ids["d"]], ["baseline", "paper 2"], remove=False)
    events.tag(str(root), [ids["d"]], ["baseline"], remove=True)
    events.rename(str(root), ids["e"], "epsilon", "e")
    events.note(str(root), ids["a"], "too slow")
    return root


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("params.lr = 0.1", "a"),
        ("params.lr = 1.0", "d"),
        ("params.lr > 0.1", "bd"),
        ("params.lr != 0.1", "bcd"),
        ("params.lr = auto", "c"),
        ("params.lr in (auto, 0.1)", "ac"),
        ("params.lr not in (auto, 0.1)", "bde"),
        ("params.lr in 0.1..0.2", "ab"),
        ("params.lr = 0.1..0.2", "ab"),
        ("params.lr in (0.15 .. 2)", "bd"),
        ("params.lr is null", "e"),
        ("params.n is null", "abcde"),
        ("params.lr is not null and not params.model = tree", "bcd"),
        ("params.model ~ ^net", "bc"),
        ("params.model ~ '^net$'", "b"),
        ("params.model !~ '^net$'", "acde"),
        ("params.model contains net", "bc"),
        ("params.deep = true", "a"),
        ("params.deep = false", "b"),
        ("metrics.auc >= 0.9", "bd"),
        ("metrics.auc = NaN", "c"),
        ("metrics.auc < 0.9 or metrics.auc > 0.9 and params.lr = 1", "ad"),
        ("(metrics.auc < 0.9 or metrics.auc > 0.9) and params.lr = 1", "d"),
        ("not (metrics.auc < 0.9)", "bcde"),
        ("metrics.best:f1 = 1", "a"),
        ("metrics.`best:f1` = 1", "a"),
        ("metrics.val/loss.max = 3 and metrics.val/loss.min = 1", "b"),
        ("metrics.val/loss.last = 2", "b"),
        ("metrics.auc.max > 0.85", "bd"),
        ("status = failed", "c"),
        ("status != finished", "c"),
        ("name = epsilon", "e"),
        ("name = e", ""),
        ("name ~ '^[ab]$'", "ab"),
        ("tags contains baseline", "b"),
        ("tags = 'paper 2'", "bd"),
        ("tags in (baseline, nothing)", "b"),
        ("tags is null", "ace"),
        ("tags ~ ^pap", "bd"),
        ("notes contains slow", "a"),
        ("stage = prepare", "d"),
        ("ran contains train and status = finished", "abde"),
        ("failed = train", "c"),
        ("git.dirty = true", "e"),
        ("git.dirty = no", "abcd"),
        ("git.branch = topic", "e"),
        ("git.commit = beef", "e"),
        ("git.commit != beef", "abcd"),
        ("seconds < 10s", "a"),
        ("seconds = 1.5m", "bcde"),
        ("started = 2026-11-23", "a"),
        ("started != 2026-11-23", "bcde"),
        ("started > 2026-11-23", "bcde"),
        ("started >= 2026-11-23", "abcde"),
        ("started <= 2026-11-23", "a"),
        ("started < 2026-11-24T01:00", "ab"),
        ("started in 2026-11-24T01:00Z..2026-11-24", "cde"),
        ("started > 1d and started < 1d", ""),
        ("archived = false", "abcde"),
        ("NOT kept = true AND status = failed", "c"),
    ],
)  # fmt: skip
def test_a_filter(project: Path, where: str, names: str) -> None:
    asked = Search(where)
    found = search_runs(str(project), asked)
    assert "".join(sorted(str(head.name) for head in found.heads)) == names
    assert found.total == len(names)


@pytest.mark.parametrize(
    ("where", "said", "at", "hint"),
    [
        ("metrics.acu > 0.5", "no run has a field 'metrics.acu'", 0, "metrics.auc"),
        ("status = failed and lr > 1", "no run has a field 'lr'", 20, "params.lr"),
        ("branch = main", "no run has a field 'branch'", 0, "git.branch"),
        ("metrics.auc >", "a value is expected here", 13, None),
        ("metrics.auc", "is expected here", 11, None),
        ("metrics.auc > 0.5 metrics.auc < 1", "`and` or `or` is expected here", 18, None),
        ("(metrics.auc > 0.5", "`)` is expected here", 18, None),
        ("params.model ~ '['", "no regular expression", 15, None),
        ("params.model = 'net", "a quote that is not closed", 15, None),
        ("seconds > long", "a number is expected here, not 'long'", 10, None),
        ("started > soon", "a date or an age is expected here", 10, "a date is 2026-11-23"),
        ("git.dirty = maybe", "`true` or `false` is expected here", 12, None),
        ("metrics.auc in 0.5", "a range, 0.8..0.9, or a list", 18, None),
        ("and", "the name of a field is expected here", 0, None),
        ("metrics.auc < 0.1..0.2", "no range may follow <", 17, None),
    ],
)
def test_a_mistake_is_pointed_at(
    project: Path, where: str, said: str, at: int, hint: str | None
) -> None:
    with pytest.raises(InvalidInput) as caught:
        search_runs(str(project), Search(where))
    first, text, mark = caught.value.message.split("\n")
    assert said in first
    assert text == f"  {where}"
    assert mark.index("^") - 2 == at
    assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (None, "edcba"),
        ("started", "abcde"),
        ("metrics.auc", "abdce"),
        ("-metrics.auc", "dbace"),
        ("metrics.auc:desc", "dbace"),
        ("params.lr", "abdce"),
        ("params.lr:desc", "dbace"),
        ("seconds", "aedcb"),
        ("-name", "edcba"),
    ],
)
def test_an_order(project: Path, sort: str | None, names: str) -> None:
    found = search_runs(str(project), Search(sort=sort)).heads
    assert "".join(str(head.name) for head in found) == names
    three = search_runs(str(project), Search(sort=sort, limit=3))
    assert "".join(str(head.name) for head in three.heads) == names[:3]
    assert three.total == 5


def test_an_order_that_means_nothing_is_refused(project: Path) -> None:
    with pytest.raises(InvalidInput, match="--sort: no run has a field 'auc'"):
        search_runs(str(project), Search(sort="auc"))


def test_deep_filters_do_not_end_in_a_traceback(project: Path) -> None:
    long = " or ".join(["status = failed"] * 500)
    assert search_runs(str(project), Search(long)).total == 1
    with pytest.raises(InvalidInput, match="too deep"):
        parse("(" * 3000 + "status = failed" + ")" * 3000)
    with pytest.raises(InvalidInput, match="at most 500 tests"):
        parse(" and ".join(["status = failed"] * 501))
    nested = "(not " * 9 + "status = failed" + ")" * 9
    assert search_runs(str(project), Search(nested)).total == 4
