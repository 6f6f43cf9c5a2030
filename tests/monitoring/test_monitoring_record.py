"""The committed report: it round-trips, keeps its size, and is drawn from its data alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from mlctl.errors import ConfigError
from mlctl.monitoring.report.markdown import to_markdown
from mlctl.monitoring.report.page import to_html
from mlctl.monitoring.report.record import (
    fitted,
    parse_report,
    report_text,
    sealed,
    size_limit,
)
from mlctl.monitoring.report.words import headline
from mlctl.monitoring.results import (
    Alarm,
    ColumnReport,
    DataRef,
    Distribution,
    Estimate,
    Finding,
    JointReport,
    LabelState,
    MonitorReport,
    Score,
    SliceReport,
)
from mlctl.monitoring.spec import Thresholds

NAME = "reports/monitoring/inputs/x.json"


def column(at: int, width: int = 20) -> ColumnReport:
    rng = random.Random(at)
    shares = tuple(rng.random() / 5 for _ in range(10))
    return ColumnReport(
        name=f"column {at} ".ljust(width, "ä"),
        kind="numeric",
        state="drift" if at < 5 else "ok",
        reasons=("distribution", "missing") if at < 5 else (),
        effect=rng.random(),
        q=rng.random() / 1e6,
        missing=(rng.random(), rng.random()),
        missing_q=rng.random(),
        metrics={name: rng.random() for name in ("ks", "psi", "wasserstein")},
        distribution=Distribution(shares, shares[::-1], (), (-rng.random() * 1e6, rng.random())),
    )


def report(columns: int, width: int = 20, **more: object) -> MonitorReport:
    whole = MonitorReport(
        monitor="inputs",
        period="2026-05-01_2026-05-31",
        digest="sha256:" + "ab" * 32,
        verdict="drift",
        alarm=Alarm("raised", "2026-04-30", 2, 3),
        reference=DataRef("data/train.parquet", 1, 4000, "md5:" + "12" * 16),
        current=DataRef("data/new/*.parquet", 3, 900, "md5:" + "34" * 16),
        thresholds=Thresholds(),
        min_rows=30,
        counts={"drift": 5, "insufficient": 0, "ok": columns - 5},
        columns=tuple(column(at, width) for at in range(columns)),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("columns", [5, 20, 60, 61, 400])
@pytest.mark.parametrize("width", [12, 20, 90])
def test_json_and_html_keep_their_size(columns: int, width: int) -> None:
    small = fitted(report(columns, width))
    assert len(report_text(small).encode()) <= size_limit(columns)
    assert len(small.columns) + small.omitted == columns
    assert small.columns[0].name == column(0, width).name
    if columns == 60:
        assert len(to_html(small).encode()) <= 200_000
    if width < 90:
        assert small.omitted == 0


def test_the_size_limit_is_as_documented() -> None:
    assert size_limit(1) == size_limit(60) == 20_000
    assert size_limit(100) == 30_000


def test_columns_of_usual_names_keep_most_distributions() -> None:
    small = fitted(report(60, 14))
    kept = [one.distribution is not None for one in small.columns]
    assert sum(kept) >= 40
    assert kept == sorted(kept, reverse=True), "the mildest lose theirs first"


def test_absurd_names_lose_columns_but_are_counted() -> None:
    small = fitted(report(60, 2000))
    assert len(report_text(small).encode()) <= size_limit(60)
    assert small.omitted > 0
    assert f"{small.omitted} milder columns" in to_markdown(small)
    assert fitted(report(60, 60_000)).columns == ()


def test_it_round_trips() -> None:
    whole = fitted(
        report(
            12,
            findings=(Finding("new_column", "a<b> is new", "a<b>", "info"),),
            labels=LabelState("partial", 30, 90),
            scores=(
                Score(
                    "auc",
                    "partial",
                    0.8,
                    0.7,
                    0.9,
                    30,
                    "degraded",
                    0.85,
                    0.9,
                    Estimate(0.82, 0.75, 0.88, "CBPE", "no drift", True, "0 %", 0.02),
                ),
                Score("f1", "estimated", None, None, None, 90, "insufficient", note="none"),
            ),
            slices=(
                SliceReport("a=b", 40, "drift", {"drift": 1}, (("x", 0.3, 0.001),), {"f1": 1}),
            ),
            joint=(JointReport("pca", "ok", 0.02, 0.1, 0.5, ("x",), "error 1.00 times"),),
        )
    )
    text = report_text(whole)
    again = parse_report(text, name=NAME)
    assert report_text(again) == text
    assert (again.stem, again.counts) == ("2026-05-01_2026-05-31.abababab", whole.counts)
    for part in ("findings", "labels", "scores", "slices", "joint", "alarm", "thresholds"):
        assert getattr(again, part) == getattr(whole, part)
    assert to_html(again) == to_html(parse_report(report_text(again), name=NAME))


def test_a_line_for_each_column_so_that_it_diffs() -> None:
    lines = report_text(report(7)).splitlines()
    assert sum(line.startswith('  {"column":') for line in lines) == 7
    assert json.loads(report_text(report(7)))["schema"] == "mlctl.monitor-report/2"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not a record"),
        ('{"schema": "mlctl.monitor-report/3"}', "newer"),
        ('{"schema": "mlctl.run/1"}', "not a record of a monitor-report"),
        ('{"schema": "mlctl.monitor-report/2"}', "KeyError"),
    ],
)
def test_what_is_no_report_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_report(text, name=NAME)
    assert caught.value.file == NAME


def test_the_verdict_in_words() -> None:
    assert headline(report(20)).startswith("5 of 20 columns drifted: column 0")
    few = report(20, verdict="ok", thresholds=Thresholds(share=0.5))
    assert "fewer than the share of 0.5" in headline(few)
    none = {"drift": 0, "insufficient": 2, "ok": 9}
    calm = headline(replace(report(11, verdict="ok", counts=none), columns=()))
    assert calm == "no drift in 9 of 11 columns; 2 could not be judged"
    unsure = {"drift": 0, "insufficient": 3, "ok": 0}
    assert "not enough" in headline(report(3, verdict="insufficient", counts=unsure))


def test_hostile_names_are_text() -> None:
    name = "<script>alert(1)</script>|`x`\n**b** [l](u) &amp; \x00"
    calm = report(6)
    hostile = replace(calm, columns=(replace(column(1), name=name), *calm.columns[1:]))
    page, markdown = to_html(hostile), to_markdown(hostile)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    rows = [line for line in markdown.splitlines() if "alert" in line and line.startswith("|")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 8


def test_the_digest_is_that_of_all_other_content() -> None:
    whole = sealed(report(9))
    assert sealed(whole) == whole
    assert sealed(replace(whole, digest="sha256:0")) == whole
    assert sealed(replace(whole, revision=2)).digest != whole.digest
    assert sealed(replace(whole, alarm=Alarm("quiet"))).digest != whole.digest


def test_a_report_of_version_one_is_read() -> None:
    old = {
        "schema": "mlctl.monitor-report/1", "monitor": "inputs", "period": "2026-05-01",
        "digest": "sha256:" + "ab" * 32, "verdict": "drift",
        "counts": {"drift": 1, "insufficient": 0, "ok": 0},
        "reference": {"path": "a", "files": 1, "rows": 9, "digest": "md5:1"},
        "current": {"path": "b", "files": 1, "rows": 9, "digest": "md5:2"},
        "thresholds": {"q": 0.05, "effect": 0.1, "missing": 0.05}, "min_rows": 30,
        "new_columns": ["c"], "omitted": 0,
        "columns": [{"column": "x", "kind": "numeric", "state": "drift", "effect": 0.4, "q": 0.0}],
    }  # fmt: skip
    found = parse_report(json.dumps(old), name=NAME)
    assert (found.alarm.state, found.revision, found.columns[0].effect) == ("quiet", 1, 0.4)
    assert [finding.code for finding in found.findings] == ["new_column"]
    assert "1 of 1 columns drifted: x" in to_markdown(found)


def test_many_slices_and_findings_do_not_outgrow_it() -> None:
    slices = [
        SliceReport(
            f"c={n}", 9, "drift" if n == 199 else "ok", {"ok": 60}, (("x" * 40, 0.3, 0.0),) * 5
        )
        for n in range(200)
    ]
    findings = tuple(Finding("new_column", "very long " * 400, f"c{n}") for n in range(300))
    small = sealed(report(60, slices=tuple(slices), findings=findings))
    assert len(report_text(small).encode()) <= size_limit(60)
    assert small.slices[0].name == "c=199"
    assert sealed(small) == small
