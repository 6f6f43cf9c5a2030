"""The supervisor of a job: prepares it, waits for its GPUs, starts it, and records its end.

It can be killed at any moment. The next one finds out by the job's files what was done, and goes on
from there: nothing runs twice, and what had ended is only recorded.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from typing import Any, Mapping, Sequence

from mlctl.hosts.agent import (
    disk,
    environments,
    facts,
    gpus,
    leases,
    live,
    packages,
    processes,
    tree,
    usage,
)
from mlctl.hosts.agent.jobs import PYTHON, Job, boot, clock
from mlctl.hosts.agent.objects import Damaged, Objects

GRACE = 5.0  # seconds from SIGTERM to SIGKILL of a job that is cancelled
_PERIOD = 0.1
_TRIES = 10
_SAMPLES = (1.0, 15.0)  # seconds between two looks at the GPUs, at first and later


def main(home: str, name: str) -> int:
    """Watch the job until it has ended; at once over where another supervisor does."""
    job = Job(home, name)
    claim = _claim(job)
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
        import traceback

        traceback.print_exc()
        if job.end() is None:
            processes.end(job.name, GRACE)
            said = traceback.format_exc(limit=0).strip().rpartition("\n")[2]
            job.finish({"reason": "internal", "detail": said, "finished": clock()})
    return 0


def _claim(job: Job) -> int | None:
    """The lock of who watches the job, or None where another does.

    Who only asks whether it is held (`disk.is_held`) holds it for a moment.
    """
    for _ in range(_TRIES):
        claim = disk.hold(job.path("claim"))
        if claim is not None:
            return claim
        time.sleep(_PERIOD / _TRIES)
    return None


class Supervisor:
    """One job, from wherever it stands to its end."""

    def __init__(self, job: Job, secrets: Mapping[str, str]) -> None:
        self.job = job
        self.spec = job.spec()
        self.objects = Objects(job.home)
        self.secrets = secrets
        self.lease = leases.Lease([], [])
        self.environment: environments.Environment | None = None
        self._packages: packages.Packages | None = None
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
        elif processes.is_alive(start):
            self._watch(start)
        else:
            self._after_runner(adopted=True)

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
            if lease is None or self._is_cancelled():
                self._lost("cancelled", "before it started")
                return
            tree.build(self.job, self.objects, self.spec)
            if self.spec.get("modules"):
                live.unpack(self.job, self.objects, self.spec["modules"])
        except environments.Cancelled:
            self._lost("cancelled", "while its environment was made")
            return
        except environments.Failed as error:
            self._lost("no environment", str(error))
            return
        except leases.NotEnough as error:
            self._lost("not enough GPUs", str(error))
            return
        except OSError as error:
            self._lost("cannot prepare", "{}: {}".format(error.filename, error.strerror))
            return
        runner = self._start(lease)
        self.lease = lease  # the runner has it, too: it is free when neither has it any more
        self._watch(disk.read(self.job.path("start.json")), runner)

    def _wanted_environment(self) -> environments.Environment | None:
        requirements, uv = self.spec.get("requirements"), self.spec.get("uv")
        if not requirements:
            return None
        return environments.Environment(
            self.job.home, self.objects.path(requirements), uv and self.objects.path(uv)
        )

    def _ask_again(self) -> None:
        try:
            self.environment = self._wanted_environment()
        except OSError:  # its requirements are gone
            return
        self._packages = packages.Packages(self._environment([]), self.spec.get("python"))

    def _make_environment(self) -> None:
        self.environment = self._wanted_environment()
        if self.environment is None:
            return

        def waits() -> None:
            self.job.record("wait.json", {"for": "environment", "time": clock()})

        with open(self.job.path("environment.log"), "ab", buffering=0) as log:
            self.environment.build(log, waits, self.job.name, self._is_cancelled)

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
        argv = [*PYTHON, program, "run", self.job.home, self.job.name]
        runner = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
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
        environment = self._environment(lease.uuids)
        try:
            assert runner.stdin is not None
            runner.stdin.write(json.dumps(environment).encode() + b"\n")
            runner.stdin.close()
        except OSError:  # it was killed: found out below
            pass
        self._packages = packages.Packages(environment, self.spec.get("python"))
        return runner

    def _environment(self, uuids: Sequence[str]) -> dict[str, str]:
        environment = dict(os.environ)
        environment.update(self.spec["env"])
        environment.update(self.secrets)
        environment.update(live.environment(self.job, environment))
        environment[processes.MARK] = self.job.name
        environment["DVC_ROOT"] = os.path.normpath(os.path.join(self.job.work, self.spec["root"]))
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
        while processes.is_alive(start):
            processes.reap()
            if not cancelled and self._is_cancelled():
                cancelled = True
                keep = (start["pid"],)
                processes.end(self.job.name, self.spec.get("grace", GRACE), keep=keep)
            self._sample(start["gpus"])
            _wait(runner)
        self._after_runner(adopted=runner is None)

    def _after_runner(self, *, adopted: bool) -> None:
        if os.path.exists(self.job.path("rc.json")):
            self._finish()
        elif adopted and not os.path.exists(self.job.path("begun")):
            self._begin()  # it never got the word: nothing has run
        else:
            self._lost("killed", "its runner was killed")

    def _finish(self) -> None:
        """The runner wrote an exit code: end what it left behind, take the outs, record it all."""
        host = self._host()  # before that: who asks for packages is our child, too
        stuck = self._end_processes()
        end = disk.read(self.job.path("rc.json"))
        end.update(reason="ended", finished=clock(), host=host)
        if stuck:
            end["stuck"] = stuck
        if self._is_cancelled():
            end["reason"] = "cancelled"
        changed = self._touched()
        if changed:
            end["touched"] = changed
        if self._logged():
            end["logged"] = True
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
        stuck = self._end_processes()
        self._touched()
        end: dict[str, Any] = {"reason": reason, "detail": detail, "finished": clock()}
        if stuck:
            end["stuck"] = stuck
        self.job.finish(end)

    def _end_processes(self) -> list[int]:
        """End all that is left of the job, and free its GPUs; those that nothing ends."""
        stuck = sorted(processes.end(self.job.name, GRACE))
        self.lease.release()
        return stuck

    def _touched(self) -> list[str]:
        """Deps that were written to; looked for also where the job did not end well, because
        others use the same objects.
        """
        if not os.path.exists(self.job.work):
            return []
        try:
            return tree.touched(self.job, self.objects, self.spec)
        except OSError:
            return []

    def _logged(self) -> bool:
        """Whether its processes logged anything; a log that cannot be kept fails no job."""
        try:
            return live.collect(self.job, self.objects)
        except (Damaged, OSError):
            return False

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
        if self._packages is None:  # another supervisor had asked, and was killed
            self._ask_again()
        if self._packages is not None:
            host["packages"] = self._packages.lines()
        return host


def _wait(runner: subprocess.Popen[bytes] | None) -> None:
    """A moment; less where the runner ends."""
    if runner is None or runner.stdout is None:
        time.sleep(_PERIOD)
    else:  # nothing is written there: it is closed when the runner ends
        select.select([runner.stdout], [], [], _PERIOD)
