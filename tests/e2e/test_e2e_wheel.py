"""What a stranger gets: the wheel, an empty virtual environment, an empty home, no cache."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import readme
from mlctl.projects import demo
from readme import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_templates_are_inside_and_the_tests_are_not(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "templates"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    wanted = {f"mlctl/_{path}" for path in listed if (ROOT / path).exists()}
    assert wanted
    assert wanted <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_demo_of_the_readme_runs_from_the_wheel(wheel, tmp_path):
    line = readme.command("demo")
    assert "'.[demo]'" in line
    line = line.replace("'.[demo]'", shlex.quote(f"{wheel}[demo]"))
    place, home = tmp_path / "place", tmp_path / "home"
    place.mkdir()
    home.mkdir()
    (place / "constraints.txt").write_bytes((ROOT / "constraints.txt").read_bytes())
    done = subprocess.run(
        ["bash", "-c", line], cwd=place, env=_bare(home), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    project = tmp_path / "mlctl-demo"
    for what, pattern in demo.MADE:
        assert [path for path in project.glob(pattern) if path.stat().st_size], what
    took = re.search(r"^Done in (\d+) s\. In ", done.stdout, re.MULTILINE)
    assert took, done.stdout
    assert ".pyc" not in done.stdout
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "dvc.yaml" in tracked
    page = next(project.glob("reports/run/**/*.html")).read_text(encoding="utf-8")
    assert "<svg" in page


def _bare(home: Path) -> dict[str, str]:
    """The environment of a new user: their pip's settings, and the Python that we run on."""
    python = Path(sys.base_prefix) / "bin"
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {**pip, "PIP_NO_CACHE_DIR": "1", "HOME": str(home), "PATH": f"{python}:/usr/bin:/bin"}
