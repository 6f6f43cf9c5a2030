"""The supervisor of a job: prepares it, waits for its GPUs, starts it, and records its end.

It can be killed at any moment. The next one finds out by the job's files what was done, and goes on
from there: nothing runs twice, and what had ended is only recorded.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from typing import Any, Mapping, Sequence

from mlctl.hosts.agent import disk, environments, facts, gpus, leases, processes, tree, usage
from mlctl.hosts.agent.jobs import Job, boot, clock
from mlctl.hosts.agent.objects import Damaged, Objects

GRACE = 5.0  # seconds from SIGTERM to SIGKILL of a job that is cancelled
_PERIOD = 0.1
_SAMPLES = (1.0, 15.0)  # seconds between two looks at the GPUs, at first and later


def main(home: str, name: str) -> int:
    """Watch the job until it has ended; at once over where another supervisor does."""
    job = Job(home, name)
    claim = disk.hold(job.path("claim"))
    ready = os.environ.pop("MLCTL_READY", None)
    if ready is not None:
        os.close(int(ready))
    if claim is None:
        return 0
    with os.fdopen(0, "rb", closefd=False) as stream:
        secrets = json.loads(stream.read().decode() or "{}")
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    processes.adopt_orphans()
    try:
        Supervisor(job, secrets).go_on()
    except Exception:
        traceback.print_exc()
        if job.end() is None:
            processes.end(job.name, GRACE)
            job.finish({"reason": "internal", "detail": traceback.format_exc(limit=3)})
    return 0


class Supervisor:
    """One job, from wherever it stands to its end."""

    def __init__(self, job: Job, secrets: Mapping[str, str]) -> None:
        self.job = job
        self.spec = job.spec()
        self.objects = Objects(job.home)
        self.secrets = secrets
        self.linked: tree.Links = {}
        self.environment: environments.Environment | None = None
        self._next_sample = 0.0
        self._period = _SAMPLES[0]

    def go_on(self) -> None:
        """Do what is left to be done."""
        if self.job.end() is not None:
            return
        start = disk.read(self.job.path("start.json"))
        if start is None:
            self._begin()
        elif os.path.exists(self.job.path("rc.json")):
            self._finish()
        elif start["boot"] != boot():
            self._lost("reboot", "the host was restarted while the job ran")
        elif processes.start_time(start["pid"]) == start["born"]:
            self._watch(start)
        elif not os.path.exists(self.job.path("begun")):
            self._begin()  # the runner never got the word: nothing has run
        else:
            self._after_runner()

    def _begin(self) -> None:
        if self._is_cancelled():
            self._lost("cancelled", "before it started")
            return
        missing = [name for name in self.spec["secrets"] if name not in self.secrets]
        if missing:
            self._lost("needs secrets", "{}: submit it again".format(", ".join(missing)))
            return
        try:
            self._make_environment()
            lease = self._lease()
        except environments.Failed as error:
            self._lost("no environment", str(error))
            return
        except leases.NotEnough as error:
            self._lost("not enough GPUs", str(error))
            return
        if lease is None:
            self._lost("cancelled", "while it waited for GPUs")
            return
        try:
            self.linked = tree.build(self.job, self.objects, self.spec)
        except OSError as error:
            self._lost("cannot prepare", "{}: {}".format(error.filename, error.strerror))
            return
        runner = self._start(lease)
        lease.release()  # the runner holds it from now on
        self._watch(disk.read(self.job.path("start.json")), runner)

    def _make_environment(self) -> None:
        requirements = self.spec.get("requirements")
        if not requirements:
            return
        self.environment = environments.Environment(self.job.home, self.objects.path(requirements))

        def waits() -> None:
            self.job.record("wait.json", {"for": "environment", "time": clock()})

        with open(self.job.path("environment.log"), "ab", buffering=0) as log:
            self.environment.build(log, waits)

    def _lease(self) -> leases.Lease | None:
        count = self.spec["gpus"]
        if not count:
            return leases.Lease([], [])
        shared = leases.Leases()
        ticket = shared.enter(self.job.name, count, self.spec["user"])
        try:
            lease = shared.try_take(ticket)
            if lease is not None:
                return lease
            self.job.record("wait.json", {"for": "gpus", "gpus": count, "time": clock()})
            return leases.wait_for(shared, ticket, self._is_cancelled)
        finally:
            ticket.leave()

    def _start(self, lease: leases.Lease) -> subprocess.Popen[bytes]:
        """The runner, with intent on disk before it may start anything."""
        program = self.job.path("agent.py")
        argv = [sys.executable, "-I", "-S", program, "run", self.job.home, self.job.name]
        runner = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=lease.handles,
            cwd="/",
        )
        start = {
            "pid": runner.pid,
            "born": processes.start_time(runner.pid),
            "boot": boot(),
            "gpus": lease.uuids,
            "time": clock(),
        }
        self.job.record("start.json", start)
        environment = json.dumps(self._environment(lease.uuids))
        try:
            assert runner.stdin is not None
            runner.stdin.write(environment.encode() + b"\n")
            runner.stdin.close()
        except OSError:  # it was killed: found out below
            pass
        return runner

    def _environment(self, uuids: Sequence[str]) -> dict[str, str]:
        environment = dict(os.environ)
        environment.update(self.spec["env"])
        environment.update(self.secrets)
        environment[processes.MARK] = self.job.name
        environment["DVC_ROOT"] = os.path.join(self.job.work, self.spec["root"])
        if self.environment is not None:
            environment["VIRTUAL_ENV"] = self.environment.path
            path = environment.get("PATH", os.defpath)
            environment["PATH"] = self.environment.bin + os.pathsep + path
        if uuids:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
        return environment

    def _watch(
        self, start: Mapping[str, Any], runner: subprocess.Popen[bytes] | None = None
    ) -> None:
        """Until the runner has ended."""
        cancelled = False
        while processes.start_time(start["pid"]) == start["born"]:
            if runner is not None and runner.poll() is not None:
                break
            if not cancelled and self._is_cancelled():
                cancelled = True
                keep = (start["pid"],)
                processes.end(self.job.name, self.spec.get("grace", GRACE), keep=keep)
            self._sample(start["gpus"])
            time.sleep(_PERIOD)
        self._after_runner()

    def _after_runner(self) -> None:
        if os.path.exists(self.job.path("rc.json")):
            self._finish()
        else:
            self._lost("killed", "its runner was killed")

    def _finish(self) -> None:
        """The runner wrote an exit code: end what it left behind, take the outs, record it all."""
        stuck = sorted(processes.end(self.job.name, GRACE))
        end = disk.read(self.job.path("rc.json"))
        end.update(reason="ended", finished=clock(), host=self._host())
        if stuck:
            end["stuck"] = stuck
        if self._is_cancelled():
            end["reason"] = "cancelled"
        changed = tree.touched(self.linked)
        if changed:
            end["touched"] = changed
        if end["reason"] == "ended" and end["code"] == 0 and not end["timed_out"]:
            try:
                outs = tree.collect(self.job, self.objects, self.spec["outs"])
                self.job.record("outs.json", outs)
            except tree.Missing as error:
                end.update(reason="missing out", detail=str(error))
            except Damaged as error:
                end.update(reason="unstable out", detail=str(error))
            except OSError as error:
                end.update(reason="disk", detail="{}: {}".format(error.filename, error.strerror))
        self.job.finish(end)

    def _lost(self, reason: str, detail: str) -> None:
        stuck = sorted(processes.end(self.job.name, GRACE))
        end: dict[str, Any] = {"reason": reason, "detail": detail, "finished": clock()}
        if stuck:
            end["stuck"] = stuck
        self.job.finish(end)

    def _is_cancelled(self) -> bool:
        return os.path.exists(self.job.path("cancel"))

    def _sample(self, uuids: Sequence[str]) -> None:
        """A line of what the job's GPUs do, now and then."""
        now = time.monotonic()
        if not uuids or now < self._next_sample:
            return
        self._next_sample = now + self._period
        self._period = min(self._period * 1.2, _SAMPLES[1])
        seen = gpus.seen()
        line = {"time": clock(), "gpus": [seen[u].to_dict() for u in uuids if u in seen]}
        with open(self.job.path("samples.jsonl"), "a") as file:
            file.write(json.dumps(line) + "\n")

    def _host(self) -> dict[str, Any]:
        """What there is to say of this machine, and of what the job's GPUs did."""
        host = facts.machine()
        if self.spec["gpus"]:
            samples = disk.read_lines(self.job.path("samples.jsonl"))
            host["gpus"] = usage.summary(samples)
            host["driver"] = gpus.driver()[0]
        return host
