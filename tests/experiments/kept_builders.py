"""A DVC project in which runs were made, whose outs are real objects of the cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import run_builders

from mlctl.experiments.capture import write_record
from mlctl.records.ulid import new_ulid

START = run_builders.START


def make_project(root: Path, *, remote: Path | None = None) -> None:
    """DVC's files in the repository at `root`, and a default remote."""
    (root / ".dvc").mkdir()
    said = f"[core]\n    remote = here\n['remote \"here\"']\n    url = {remote}\n" if remote else ""
    (root / ".dvc" / "config").write_text(said)
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".gitignore").write_text("/.mlctl\n/model.txt\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "project")


def put(root: Path, content: str) -> str:
    """An object in the cache; its md5."""
    md5 = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    path = cached(root, md5)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o444)
    return md5


def put_folder(root: Path, files: dict[str, str]) -> str:
    """A folder in the cache; the md5 of its listing."""
    entries = [{"md5": put(root, text), "relpath": name} for name, text in sorted(files.items())]
    md5 = put(root, json.dumps(entries))
    path = cached(root, md5)
    path.rename(f"{path}.dir")
    return f"{md5}.dir"


def cached(root: Path, md5: str) -> Path:
    return root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]


def make_run(root: Path, outs: dict[str, str], at: float = START) -> str:
    """The record of a run with these outs (path and md5); its id."""
    result = run_builders.run_result(started=at)
    write_record(str(root), result, None, "# CPython 3.11.9\n# Linux x86_64\nx==1\n")
    folder = root / "runs" / record_day(result.run_id) / result.run_id
    stage = json.loads((folder / "stages.jsonl").read_text())
    stage["outs"] = [{"path": path, "digest": f"md5:{md5}"} for path, md5 in outs.items()]
    (folder / "stages.jsonl").write_text(json.dumps(stage, sort_keys=True) + "\n")
    return result.run_id


def record_day(run_id: str) -> str:
    from mlctl.records.run import run_folder

    return run_folder(run_id).split("/")[1]


def record_of(root: Path, run_id: str) -> Path:
    return root / "runs" / record_day(run_id) / run_id


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def dvc(root: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *args], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def clone(origin: Path, target: Path) -> Path:
    git(origin.parent, "clone", "-q", str(origin), str(target))
    git(target, "config", "user.name", "Bob")
    git(target, "config", "user.email", "bob@example.org")
    return target


def event_id(at: float) -> str:
    return new_ulid(at, os.urandom(10))


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
