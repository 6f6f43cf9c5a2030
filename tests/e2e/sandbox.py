"""One small repository to run real `mlctl` processes in, and what to ask of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from conformance.twins import run_mlctl

MLCTL = [sys.executable, "-m", "mlctl"]
DVC = [sys.executable, "-m", "dvc"]

# Writes `STAGE start TIME` and `STAGE end TIME` to times.txt, and the out `STAGE.out` in between.
STAMP = """\
import os, sys, time
name, seconds = sys.argv[1], float(sys.argv[2])
def stamp(what):
    handle = os.open("times.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, f"{name} {what} {time.time()}\\n".encode())
    os.close(handle)
stamp("start")
time.sleep(seconds)
open(f"{name}.out", "w").write(name)
stamp("end")
"""


class Sandbox:
    """A git and DVC repository; `mlctl` is a process, `run` the same in this process."""

    def __init__(self, root: Path, *, git: bool = True) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        if git:
            self.git("init", "-q")
        (root / ".dvc").mkdir()
        (root / ".dvc" / "config").write_text("" if git else "[core]\n    no_scm = True\n")
        (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
        self.write("stamp.py", STAMP)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def stages(self, stages: Mapping[str, Any], folder: str = ".") -> None:
        """Write `dvc.yaml`."""
        self.write(f"{folder}/dvc.yaml", yaml.safe_dump({"stages": stages}, sort_keys=False))

    def run(self, *args: str) -> tuple[int, str]:
        """`mlctl ARGS` in this process."""
        return run_mlctl(self.root, *args)

    def json(self, *args: str) -> Any:
        """What `mlctl ARGS --json` answers, which must end well."""
        code, said = self.run(*args, "--json")
        assert code == 0, said
        return json.loads(said)

    def mlctl(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """`mlctl ARGS` as a process."""
        return call([*MLCTL, *args], self.root, **options)

    def dvc(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return call([*DVC, *args], self.root, **options)

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout

    @contextlib.contextmanager
    def started(
        self, *args: str, program: list[str] | None = None, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """`mlctl ARGS` that goes on beside the test; killed at the end of the block if need be."""
        process = subprocess.Popen(
            [*(program or MLCTL), *args],
            cwd=self.root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_hear_hangups,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()  # not read to its end: a stage left behind may hold it open

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "state")

    def locked(self, folder: str = ".") -> set[str]:
        """The stages in `dvc.lock`."""
        path = self.root / folder / "dvc.lock"
        return set(yaml.safe_load(path.read_text())["stages"]) if path.exists() else set()

    def spans(self) -> dict[str, tuple[float, float]]:
        """When each stage of STAMP began and ended, by its own clock; the last time it ran."""
        found: dict[str, dict[str, float]] = {}
        for line in self.read("times.txt").splitlines():
            name, what, when = line.split()
            found.setdefault(name, {})[what] = float(when)
        return {n: (t["start"], t.get("end", float("inf"))) for n, t in found.items()}

    def ran(self) -> list[str]:
        """The stages of STAMP in the order in which they began."""
        path = self.root / "times.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split()[0] for line in lines if line.split()[1] == "start"]

    def forget_times(self) -> None:
        (self.root / "times.txt").unlink(missing_ok=True)

    def records(self) -> list[dict[str, Any]]:
        """The heads of the run records, oldest first."""
        heads = sorted(self.root.glob("runs/*/*/run.json"))
        return [json.loads(head.read_text()) for head in heads]

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file below the root: its bytes and its time."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_file():
                found[str(path.relative_to(self.root))] = (
                    path.read_bytes(),
                    path.stat().st_mtime_ns,
                )
        return found


def stamp(name: str, seconds: float = 0.0, *, deps: tuple[str, ...] = (), **more: Any) -> Any:
    """A stage that writes `NAME.out` and when it ran; keywords are mlctl's own settings."""
    stage: dict[str, Any] = {
        "cmd": f"python stamp.py {name} {seconds}",
        "deps": ["stamp.py", *(f"{dep}.out" for dep in deps)],
        "outs": [f"{name}.out"],
    }
    if more:
        stage["meta"] = {"mlctl": more}
    return stage


def call(
    argv: list[str],
    cwd: Path,
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def wait_until(what: Callable[[], bool], seconds: float = 30) -> None:
    """Look until `what` holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return sys.platform == "darwin"
    return state != "Z"


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def _hear_hangups() -> None:
    """The suite itself may run under `nohup`, whose deafness a child would inherit."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
