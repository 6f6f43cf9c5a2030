"""Environments on a host, from the project's lock file."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

import sshd
from e2e.sandbox import wait_until
from hosts.test_hosts_run import jobs
from mlctl.errors import ConfigError
from mlctl.hosts.environments import Wanted, mismatches, wanted

SHOW = "import six, sys; open('a.out', 'w').write(six.__version__ + ' ' + sys.prefix)\n"


@pytest.fixture
def project(box):
    box.write("a.py", SHOW)
    box.stages({"a": {"cmd": "python a.py", "deps": ["a.py"], "outs": ["a.out"]}})
    return box


def environments(server):
    return sorted(server.home.glob(".mlctl-host/envs/*/.ready"))


def test_it_is_made_once_from_requirements(project, server):
    project.write("requirements.txt", "six==1.16.0\n")
    done = project.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "box makes the environment" in done.stdout
    version, prefix = project.read("a.out").split(" ", 1)
    assert version == "1.16.0"
    assert prefix.startswith(str(server.home))
    (made,) = environments(server)
    before = made.stat()
    done = project.mlctl("run", "--on", "box", "-f")
    assert "makes the environment" not in done.stdout
    assert made.stat().st_ino == before.st_ino
    project.write("requirements.txt", "six==1.17.0\n")
    assert project.mlctl("run", "--on", "box", "-f").returncode == 0
    assert project.read("a.out").startswith("1.17.0")
    assert len(environments(server)) == 2


def test_two_jobs_that_need_it_build_it_once(project, server):
    project.write("requirements.txt", "six==1.16.0\n")
    stage = {"cmd": "python -c 'import six'", "meta": {"mlctl": {"on": "box"}}}
    project.stages({name: {**stage, "desc": name} for name in "abc"})
    done = project.mlctl("run", "-j3")
    assert done.returncode == 0, done.stdout
    assert len(environments(server)) == 1


def test_a_build_that_fails_is_said_with_its_last_words(project, server):
    project.write("requirements.txt", "no-such-package-at-all==1.0\n")
    done = project.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "no environment" in done.stdout
    assert "no-such-package-at-all" in done.stdout
    assert environments(server) == []


def test_a_build_that_is_killed_is_begun_anew(project, server):
    project.write("requirements.txt", "six==1.16.0\n")
    with project.started("run", "--on", "box") as run:
        wait_until(lambda: list(server.home.glob(".mlctl-host/envs/*/bin")), 60)
        subprocess.run(["pkill", "-KILL", "-f", str(server.home / ".mlctl-host")], check=False)
        assert run.wait(120) == 0
    assert project.read("a.out").startswith("1.16.0")
    assert len(environments(server)) == 1


def test_none_uses_what_is_there(project, server):
    project.write("mlctl.yaml", "hosts:\n  box: {env: none}\n")
    project.write("requirements.txt", "no-such-package-at-all==1.0\n")
    project.write("a.py", "import sys; open('a.out', 'w').write(sys.prefix)\n")
    assert project.mlctl("run", "--on", "box").returncode == 0
    assert project.read("a.out") == sys.prefix
    assert next(iter(jobs(server).values()))["code"] == 0


def test_an_unknown_setting_is_refused(project, server):
    project.write("mlctl.yaml", "hosts:\n  box: {env: docker}\n")
    done = project.mlctl("run", "--on", "box")
    assert done.returncode == 2
    assert "mlctl.yaml:2: hosts.box.env: expected `auto`, `none` or `conda:NAME`" in done.stderr


def test_a_python_that_will_not_do_is_said_before(project, server):
    lock = {"lock-version": '"1.0"', "requires-python": '">=3.99"', "packages": "[]"}
    project.write("pylock.toml", "".join(f"{key} = {value}\n" for key, value in lock.items()))
    done = project.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "pylock.toml wants Python >=3.99, the host has 3." in done.stdout
    assert jobs(server) == {}


def test_a_pylock_becomes_hashed_requirements(tmp_path):
    package = {"name": "six", "version": "1.16.0", "wheels": [{"hashes": {"sha256": "ab"}}]}
    text = (
        'lock-version = "1.0"\nrequires-python = ">=3.11"\n[[packages]]\n'
        f"name = {json.dumps(package['name'])}\nversion = {json.dumps(package['version'])}\n"
        "marker = \"sys_platform == 'linux'\"\n"
        '[[packages.wheels]]\nname = "six.whl"\n[packages.wheels.hashes]\nsha256 = "ab"\n'
    )
    (tmp_path / "pylock.toml").write_text(text)
    (tmp_path / "requirements.txt").write_text("other\n")
    found = wanted(str(tmp_path))
    assert found == Wanted(
        "pylock.toml", b"six==1.16.0 ; sys_platform == 'linux' --hash=sha256:ab\n", ">=3.11"
    )
    (tmp_path / "pylock.toml").write_text("packages = [")
    with pytest.raises(ConfigError, match=r"pylock.toml: not valid TOML"):
        wanted(str(tmp_path))
    assert wanted(str(tmp_path), "none") is None


@pytest.mark.parametrize(
    ("requirements", "cuda", "bad"),
    [
        ("nvidia-cublas-cu12==12.8\n", "12.4", False),
        ("nvidia-cublas-cu12==12.8\n", "11.8", True),
        ("torch==2.11.0+cu130\n", "12.8", True),
        ("torch==2.11.0+cu130\n", "13.0", False),
        ("torch==2.11.0+cu130\n", None, False),
        ("six==1\n", "11.0", False),
    ],
)
def test_a_driver_that_is_too_old(requirements, cuda, bad):
    need = Wanted("requirements.txt", requirements.encode())
    assert bool(mismatches(need, python="3.11.2", cuda=cuda)) is bad


def wheel(folder):
    """The package `tiny` 1.0, as a folder that pip and uv can install from."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "word = 'installed'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder


def test_a_host_without_venv_is_sent_our_uv(box, tmp_path, monkeypatch):
    """As on Debian, whose own Python can make no environments."""
    # Not beside the tests' own Python: the other hosts here would find and use it.
    tools = tmp_path / "tools"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tools)]
    if shutil.which("uv") is None and subprocess.run([*pip, "uv==0.13.9"]).returncode:
        pytest.skip("NOT RUN: no uv (pip install uv)")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tools}/bin")
    box.write("a.py", "import tiny, sys; open('a.out', 'w').write(tiny.word + ' ' + sys.prefix)\n")
    box.stages({"a": {"cmd": "python a.py", "deps": ["a.py"], "outs": ["a.out"]}})
    links = wheel(tmp_path / "wheels")
    box.write("requirements.txt", f"--no-index\n--find-links {links}\ntiny==1.0\n")
    box.write("mlctl.yaml", "hosts:\n  box: {uv: send}\n")
    with sshd.running(tmp_path / "other", env={"PATH": "/usr/bin:/bin"}) as host:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(host.config))
        done = box.mlctl("run", "--on", "box")
        assert done.returncode == 0, done.stdout + done.stderr
        word, prefix = box.read("a.out").split(" ", 1)
        assert (word, prefix.startswith(str(host.home))) == ("installed", True)
        (log,) = host.home.glob(".mlctl-host/jobs/*/environment.log")
        assert ".uv venv " in log.read_text()
        assert not list(host.home.glob(".mlctl-host/envs/*.uv"))
