"""The forms that CI systems read: valid, escaped, and placed at the rule's line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlctl import plugins
from mlctl.cli.main import run
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.findings import Finding, Suite, rule_of, suite_of
from mlctl.data.forms import Form, github, gitlab, junit, markdown, sarif
from mlctl.data.validated import Validated

FORMS: list[Form] = [github, gitlab, junit, markdown, sarif]

CONTRACT = """\
schema: mlctl.contract/1
data: data/raw.csv
rows: {min: 500}
key: [id]
columns:
  id: {type: int, unique: true}
  price:
    type: float
    min: 0
    max_failing: 0.01
  plan: {type: str, in: [free, paid], regex: "^[a-z]+$"}
checks:
  - expr: "price >= 0"
  - expr: "plan == 'free' or price > 0"
"""
LINES = {
    ("", "rows min 500"): 3,
    ("", "key id"): 4,
    ("id", "unique"): 6,
    ("id", "not null"): 6,
    ("price", "type float"): 8,
    ("price", "min 0"): 9,
    ("plan", "in [free, paid]"): 11,
    ("plan", "regex ^[a-z]+$"): 11,
    ("", "expr: price >= 0"): 13,
    ("", "expr: plan == 'free' or price > 0"): 14,
    ("gone", "column missing"): 5,
    ("more", "column not in the contract"): 5,
    ("price", "a rule of a later version"): 7,
    ("", "a rule of a later version"): 1,
}
RULES = {
    "min 0": "min", "not null": "not-null", "rows min 3": "rows-min", "rows max 3": "rows-max",
    "in [a, b]": "in", "regex ^a": "regex", "type int": "type", "key a, b": "key",
    "expr: a < b": "expr", "unique": "unique", "column missing": "column-missing",
    "column not in the contract": "column-not-in-the-contract",
}  # fmt: skip


def result(*failures: Failure, **more: object) -> Validated:
    verdict = Verdict(100, 3, 20, failures)
    return Validated(
        "raw", "data/raw.csv", "md5:12", "contracts/raw.yaml", "sha256:3", verdict, **more
    )


def everything() -> list[Suite]:
    failures = [Failure(check, column, 2, 0.02, (3, 7), ("Ann", -1.5)) for column, check in LINES]
    failures.append(Failure("min 0", "price", 1, 0.01, (1,), (-2,), file="data/b.csv"))
    absent = Validated("later", "data/later.csv", "", "contracts/later.yaml", "sha256:4")
    good = Validated("good", "d", "md5:1", "contracts/good.yaml", "sha256:5", Verdict(1, 1, 4))
    return [suite_of(result(*failures), CONTRACT), suite_of(good, ""), suite_of(absent, "")]


def test_every_form_is_found_by_its_name() -> None:
    found = [plugins.load("mlctl.data.forms", name, kind="form") for name in FORM_NAMES]
    assert found == FORMS
    assert plugins.names("mlctl.data.forms") == FORM_NAMES


FORM_NAMES = ["github", "gitlab", "junit", "markdown", "sarif"]


@pytest.mark.parametrize(("check", "rule"), RULES.items())
def test_rules_have_stable_names(check: str, rule: str) -> None:
    assert rule_of(check) == rule


@pytest.mark.parametrize(("rule", "line"), LINES.items(), ids=str)
def test_a_finding_stands_at_its_rule(rule: tuple[str, str], line: int) -> None:
    (finding,) = suite_of(result(Failure(rule[1], rule[0], 1, 0.01)), CONTRACT).findings
    assert (finding.file, finding.line) == ("contracts/raw.yaml", line)


def test_fingerprints_follow_a_problem_and_tell_problems_apart() -> None:
    found = [finding.fingerprint for finding in everything()[0].findings]
    assert len(set(found)) == len(found)
    moved = suite_of(result(Failure("min 5", "price", 9, 0.09, (1,), (-9,))), "\n\n" + CONTRACT)
    before = suite_of(result(Failure("min 0", "price", 2, 0.02, (3,), (-1,))), CONTRACT)
    assert moved.findings[0].fingerprint == before.findings[0].fingerprint


def test_values_are_patterns_unless_asked_for() -> None:
    failure = Failure("regex ^x", "name", 1, 0.01, (3,), ("Ann",))
    for show, personal, seen in ((False, False, False), (True, False, True), (True, True, False)):
        names = frozenset({"name"}) if personal else frozenset()
        suites = [suite_of(result(failure, personal=names), CONTRACT, show=show)]
        assert all(("Ann" in form.render(suites)) is seen for form in FORMS)


def test_sarif_keeps_its_schema() -> None:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

    text = sarif.render(everything())
    log = Log.model_validate_json(text)
    (ran,) = log.runs
    assert [r.id for r in ran.tool.driver.rules] == sorted({r.ruleId for r in ran.results})
    assert all(ran.tool.driver.rules[r.ruleIndex].id == r.ruleId for r in ran.results)
    lines = [r.locations[0].physicalLocation.region.startLine for r in ran.results]
    assert lines == [*LINES.values(), 9]
    first = json.loads(text)["runs"][0]["results"][0]
    assert first["properties"]["rows"] == [3, 7]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] == "%SRCROOT%"


def test_sarif_paths_are_uris() -> None:
    found = Finding("large-file", "a", "big", "data/a b#1%.csv")
    log = json.loads(sarif.render([Suite("pointers", 1, (found,))]))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "data/a%20b%231%25.csv"


def test_junit_counts_what_it_lists() -> None:
    top = ET.fromstring(junit.render(everything()))
    assert top.tag == "testsuites"
    for suite in top:
        assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped"}
        cases = suite.findall("testcase")
        assert len(cases) == len(suite) == int(suite.attrib["tests"])
        assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"])
        assert len(suite.findall("testcase/skipped")) == int(suite.attrib["skipped"])
        assert all(case.attrib["name"] for case in cases)
    assert [suite.attrib["name"] for suite in top] == ["raw", "good", "later"]
    assert sum(int(suite.attrib["tests"]) for suite in top) == int(top.attrib["tests"])
    names = [case.attrib["name"] for case in top[0]]
    assert len(set(names)) == len(names)
    assert "contracts/raw.yaml:9" in junit.render(everything())


def test_gitlab_has_what_gitlab_needs() -> None:
    issues = json.loads(gitlab.render(everything()))
    assert len(issues) == len(LINES) + 1
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"]["path"] == "contracts/raw.yaml"
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["severity"] == "major"


def test_github_shows_nine_and_counts_the_rest() -> None:
    lines = github.render(everything()).splitlines()
    assert len(lines) == 10
    assert lines[-1] == f"::error title=mlctl::and {len(LINES) + 1 - 9} more"
    assert lines[0].startswith("::error file=contracts/raw.yaml,line=3,title=raw%3A rows min 500")
    nine = [Suite("raw", 9, everything()[0].findings[:9])]
    assert "more" not in github.render(nine).splitlines()[-1]
    assert github.render([]) == ""


def test_markdown_names_every_set_and_every_finding() -> None:
    text = markdown.render(everything())
    assert "| good | ok | 1 rows" in text
    assert "| later | not judged | data/later.csv is not here |" in text
    assert text.count("`contracts/raw.yaml:") == len(LINES) + 1


odd = st.text(alphabet=st.sampled_from("a %:,\n\r|<>&\"'`]\\\0é\ud800"), max_size=20)


@given(odd, odd, odd)
def test_no_text_breaks_out_of_a_form(subject: str, message: str, file: str) -> None:
    suites = [Suite(subject, 2, (Finding("min", subject, message, file or "f", 3, "do"),))]
    assert github.render(suites).count("\n") == 1
    assert "\r" not in github.render(suites)
    top = ET.fromstring(junit.render(suites))
    assert len(top.findall("testsuite/testcase")) == 2
    assert len(json.loads(sarif.render(suites))["runs"][0]["results"]) == 1
    assert len(json.loads(gitlab.render(suites))) == 1
    assert len(markdown.render(suites).splitlines()) == 7


@pytest.fixture
def invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of its own in a git repository, with data that breaks a promise."""
    (tmp_path / ".git").mkdir()
    root = tmp_path / "sub" / "project"
    for name in (".dvc", "data", "contracts"):
        (root / name).mkdir(parents=True)
    (root / ".dvc" / "config").touch()
    (root / "data" / "raw.csv").write_text("id\n1\n1\n")
    (root / "contracts" / "raw.yaml").write_text(
        "schema: mlctl.contract/1\ndata: data/raw.csv\ncolumns:\n  id: {type: int, unique: true}\n"
    )
    monkeypatch.chdir(root)
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(mark, raising=False)
    return root


def test_several_forms_of_one_run(invalid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["validate", "--format", "junit=out/junit.xml", "--format", "gitlab=quality.json"]
    assert run([*args, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["valid"] is False
    assert ET.parse(invalid / "out" / "junit.xml").getroot().attrib["failures"] == "1"
    (issue,) = json.loads((invalid / "quality.json").read_text())
    assert issue["location"] == {"path": "sub/project/contracts/raw.yaml", "lines": {"begin": 4}}
    assert run(args) == 1
    assert "invalid" in capsys.readouterr().out


def test_github_also_gets_a_summary(
    invalid: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = invalid / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run(["validate", "--format", "github"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("::error file=sub/project/contracts/raw.yaml,line=4,")
    assert out.count("\n") == 1
    assert summary.read_text().startswith("before\n| checked |")


def test_one_answer_on_stdout(invalid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--json"], ["--format", "gitlab"]):
        assert run(["validate", "--format", "sarif", *more]) == 2
        assert "both want stdout" in capsys.readouterr().err
    assert run(["validate", "--format", "sarfi"]) == 2
    assert "did you mean 'sarif'?" in capsys.readouterr().err
    assert not (invalid / "reports").exists()
