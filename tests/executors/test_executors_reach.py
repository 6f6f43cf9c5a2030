"""A stage finds `mlctl` where PATH has none, and nothing else that it would not find."""

import os
import shutil
import sys

import pytest

from e2e.conftest import box
from e2e.sandbox import call

__all__ = ["box"]

UPPER = """mlctl each 'tr a-z A-Z <"$MLCTL_INPUT" >"$MLCTL_OUTPUT"'"""
NAMES = ("python", "dvc", "pip", "pytest")
# A name at a time: dash's `command -v` answers for its first operand only.
LOOK = (
    f"for name in {' '.join(NAMES)}; do command -v $name; done > out; "
    "echo $PATH >> out; command -v mlctl >> out"
)


@pytest.fixture
def bare(box):
    """A PATH with git and the system's programs, and no mlctl."""
    folder = box.root / "tools"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git"))
    path = f"{folder}:/usr/bin:/bin"
    assert shutil.which("mlctl", path=path) is None
    return path


def run(box, path):
    """`mlctl run` of the one that is installed with the tests, called by its absolute path."""
    mlctl = os.path.join(os.path.dirname(sys.executable), "mlctl")
    done = call([mlctl, "run", "--force"], box.root, env={"PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_works_in_an_mlctl_called_by_its_path(box, bare):
    box.write("in/a", "text")
    box.stages({"upper": {"cmd": UPPER, "deps": ["in"], "outs": ["out"]}})
    run(box, bare)
    assert box.read("out/a") == "TEXT"


def test_mlctl_is_all_that_is_added(box, bare):
    box.stages({"look": {"cmd": LOOK, "outs": ["out"]}})
    run(box, bare)
    *found, path, mlctl = box.read("out").splitlines()
    known = [shutil.which(name, path=bare) for name in NAMES]
    assert found == [name for name in known if name]
    assert path == f"{bare}:{box.root}/.mlctl/bin"
    assert mlctl == f"{box.root}/.mlctl/bin/mlctl"
    assert os.listdir(box.root / ".mlctl" / "bin") == ["mlctl"]
    assert box.git("status", "--porcelain", ".mlctl") == ""


def test_the_link_follows_the_mlctl_that_runs(box, bare):
    box.stages({"look": {"cmd": LOOK, "outs": ["out"]}})
    link = box.root / ".mlctl" / "bin" / "mlctl"
    link.parent.mkdir(parents=True)
    link.symlink_to("/gone/bin/mlctl")
    run(box, bare)
    assert os.readlink(link) == os.path.join(os.path.dirname(sys.executable), "mlctl")


def test_an_mlctl_on_path_is_taken_and_path_stays(box, bare):
    other = box.root / "tools" / "mlctl"
    other.write_text("#!/bin/sh\necho other\n")
    other.chmod(0o755)
    box.stages({"look": {"cmd": f"{LOOK}; mlctl >> out", "outs": ["out"]}})
    run(box, bare)
    assert box.read("out").splitlines()[-3:] == [bare, str(other), "other"]
    assert not (box.root / ".mlctl" / "bin").exists()


def test_the_path_of_a_stages_own_settings_counts(box, bare):
    own = {"meta": {"mlctl": {"env": {"PATH": "/usr/bin:/bin"}}}}
    box.stages({"look": {"cmd": LOOK, "outs": ["out"], **own}})
    run(box, bare)
    assert box.read("out").splitlines()[-2] == f"/usr/bin:/bin:{box.root}/.mlctl/bin"
