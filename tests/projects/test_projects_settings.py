"""Project settings, committed and personal."""

from pathlib import Path

import pytest

from mlctl.errors import ConfigError
from mlctl.projects.settings import ProjectSettings, load_settings


def write(root: Path, committed: str | None, local: str | None = None) -> str:
    if committed is not None:
        (root / "mlctl.yaml").write_text(committed)
    if local is not None:
        (root / ".mlctl").mkdir()
        (root / ".mlctl/local.yaml").write_text(local)
    return str(root)


def test_an_adopted_project_has_none(tmp_path: Path) -> None:
    assert load_settings(str(tmp_path)) == ProjectSettings(False, False, None, {})


def test_an_empty_file_is_a_project(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "# nothing yet\n")) == ProjectSettings(exists=True)


def test_personal_settings_win(tmp_path: Path) -> None:
    committed = "records: {commit: auto}\njobs: 4\nhosts:\n  gpu1: {python: py2}\n  old:\n"
    local = "jobs: 8\nrecords:\n  commit: off\nhosts:\n  gpu1: {python: py1}\n"
    assert load_settings(write(tmp_path, committed, local)) == ProjectSettings(
        exists=True, records_commit=False, jobs=8, hosts={"gpu1": {"python": "py1"}, "old": {}}
    )


def test_personal_settings_alone_make_no_project(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, None, "records: {commit: auto}\n"))
    assert (settings.exists, settings.records_commit) == (False, True)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("jobs: 2\nrecord: {}\n", "mlctl.yaml:2: record: unknown key", "did you mean 'records'?"),
        ("records:\n  comit: auto\n", "mlctl.yaml:2: records.comit: unknown", "'commit'"),
        ("records:\n  commit: maybe\n", "mlctl.yaml:2: records.commit: expected `auto`", None),
        ("records: auto\n", "mlctl.yaml:1: records: expected a mapping", None),
        ("\njobs: 0\n", "mlctl.yaml:2: jobs: expected a whole number", None),
        ("jobs: true\n", "jobs: expected a whole number", None),
        ("hosts:\n  gpu1: 3\n", "mlctl.yaml:2: hosts.gpu1: expected a mapping", None),
        ("- a\n", "mlctl.yaml:1: expected a mapping", None),
        ("jobs: [\n", "mlctl.yaml:", None),
        ("zzz: 1\n", "unknown key 'zzz'", "known: records, jobs, hosts"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    assert message in str(caught.value)
    assert (hint or "") in (caught.value.hint or "")


def test_a_mistake_in_personal_settings_names_that_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.mlctl/local\.yaml:1: job: unknown key 'job'"):
        load_settings(write(tmp_path, "jobs: 2\n", "job: 2\n"))
