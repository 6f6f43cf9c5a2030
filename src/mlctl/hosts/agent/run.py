"""The child's side of a job: waits for the word to start, runs the commands, writes their end.

It is a process of its own, so that the exit code is written even if the supervisor is killed.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import threading
import time
from typing import IO, Any, Mapping, Sequence

from mlctl.hosts.agent import processes
from mlctl.hosts.agent.jobs import Job

_GRACE = 5.0  # seconds from SIGTERM to SIGKILL after a timeout


def main(home: str, name: str) -> int:
    """Run the job's commands as `spec.json` says; standard input holds their environment."""
    job = Job(home, name)
    spec = job.spec()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with os.fdopen(0, "rb", closefd=False) as stream:
        word = stream.read()
    if not word.endswith(b"\n"):  # the supervisor died before it gave the word
        return 1
    environment = json.loads(word.decode())
    job.record("begun", b"")
    job.record("rc.json", _run(job, spec, environment))
    return 0


def _run(job: Job, spec: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    begin = time.monotonic()
    limit = spec.get("timeout")
    timed_out, over = threading.Event(), threading.Event()

    def stop() -> None:
        timed_out.set()
        while not over.wait(0.05):  # one more command may just be starting
            processes.end(job.name, _GRACE, keep=(os.getpid(), os.getppid()))

    timer = None
    if limit is not None:
        timer = threading.Timer(limit, stop)
        timer.daemon = True
        timer.start()
    before = processes.oom_kills()
    code = 0
    with open(job.path("log"), "ab", buffering=0) as log:
        for command in spec["commands"]:
            code = _command(command, job, spec, environment, log)
            if code or timed_out.is_set():
                break
    over.set()
    if timer is not None:
        timer.cancel()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    killed = code in (-signal.SIGKILL, 128 + signal.SIGKILL)
    return {
        "code": code,
        "timed_out": timed_out.is_set(),
        "seconds": round(time.monotonic() - begin, 3),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
        "peak_memory": used.ru_maxrss * 1024,
        "out_of_memory": bool(killed and processes.oom_kills() > before),
    }


def _command(
    command: str,
    job: Job,
    spec: Mapping[str, Any],
    environment: Mapping[str, str],
    log: IO[bytes],
) -> int:
    shell = _shell(spec["shell"])
    try:
        child = subprocess.Popen(
            [*shell, command],
            cwd=os.path.join(job.work, spec["wdir"]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_hear_signals,
        )
    except OSError as error:
        log.write("mlctl: cannot start {}: {}\n".format(shell[0], error).encode())
        return 127
    return child.wait()


def _shell(wanted: Sequence[str]) -> Sequence[str]:
    """The client's shell, wherever it is here, or else that of the system."""
    path, *options = wanted
    if os.access(path, os.X_OK):
        return wanted
    import shutil  # which takes its time, and is seldom needed

    found = shutil.which(os.path.basename(path))
    return [found, *options] if found else ["/bin/sh", "-c"]


def _hear_signals() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
