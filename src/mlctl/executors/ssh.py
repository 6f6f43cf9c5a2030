"""Stages on a host over ssh.

Code and deps go there by content, the command runs there as a job that needs no connection, its
log comes back as it grows, and its outs by content, verified. Lost contact is no failure: the job
goes on, and we come back to it, in this run or in the next one.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mlctl.adapters import clock, ssh
from mlctl.adapters.files import hold
from mlctl.errors import AnswerNo, MlctlError, NotAble
from mlctl.executors import Exit, Files, Job, _shim
from mlctl.executors.local import shell
from mlctl.hosts import cargo, environments, intents
from mlctl.hosts.channel import LostContact, Refused
from mlctl.hosts.client import Gone, Host, Stopped, knows
from mlctl.hosts.elsewhere import elsewhere
from mlctl.hosts.fetching import fetch_logged
from mlctl.hosts.mirror import Mirror
from mlctl.records.ulid import RANDOM_BYTES, new_ulid
from mlctl.store import arrivals
from mlctl.store.digest import Digest

T = TypeVar("T")

_CANCELLED = Exit(0, cancelled=True)
_PATIENCE = 2.0  # seconds of silence before it is told that the host is away


class Executor:
    """Runs each stage as a job of its own on one host."""

    def __init__(self, host: str, options: Mapping[str, Any]) -> None:
        self._host = Host(host, options)
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}  # job -> stage
        self._cancelled = threading.Event()

    def run(self, job: Job) -> Exit:
        """Raises NotAble where the host cannot run it, AnswerNo where an out was not written."""
        files = _files(job)
        self._host.meet()  # the host's Python starts while we look at the files
        load = cargo.load(files.workspace, files.reads, [key for key, _ in files.outs])
        spec = self._spec(job, files, load)
        self._add_environment(job, files, load, spec)
        spec["modules"] = load.add(_modules())
        name = self._take_up(job, files, spec, load.prefix)
        secrets = {key: os.environ[key] for key in job.secrets}
        with self._lock:
            self._running[name] = job.address
        try:
            if self._cancelled.is_set():
                return _CANCELLED
            others = elsewhere(self._host.options.get("remote"), files.workspace.root, job.tell)
            self._patiently(
                job, lambda: self._host.submit(name, spec, secrets, load.source, others)
            )
            if self._cancelled.is_set():  # it was, before the host knew of the job
                self._patiently(job, lambda: self._host.call("cancel", job=name))
            end = self._follow(job, name)
            if end.get("logged"):
                self._fetch_logged(job, name)
            if ended_well(end):
                self._patiently(job, lambda: self._fetch(name, files, load.prefix))
            self._patiently(job, lambda: self._host.call("ack", job=name))
        except Stopped:  # what was sent or fetched is not sent or fetched again
            return _CANCELLED
        except Gone as gone:
            self.settle(job)
            raise NotAble(gone.message, hint="run again: a new job will make it") from None
        finally:
            with self._lock:
                self._running.pop(name, None)
        return self._exit(job, end)

    def facts(self) -> dict[str, Any]:
        """What the host says of itself. Raises NotAble."""
        return self._host.call("facts")

    def settle(self, job: Job) -> None:
        """What came of the job is recorded: it need not be taken up again."""
        intents.forget(_files(job).workspace.config.local_dir, job.address)

    def leave(self) -> None:
        """Hang up and wait for nothing: the next run takes the jobs up."""
        self._cancelled.set()
        self._host.stop()
        self._host.close()

    def close(self) -> None:
        """Hang up; a host has few sessions for each connection."""
        self._host.close()

    def cancel(self, *, now: bool = False) -> None:
        """Ask the host to end the jobs: their processes are asked first, and killed soon after.

        With `now`, hang up: where there is no contact, the host cannot be asked.
        """
        self._cancelled.set()
        self._host.stop()
        if now:
            self._host.close()
            return
        with self._lock:
            running = list(self._running)
        for name in running:
            try:
                self._host.call("cancel", job=name)
            except MlctlError:  # it goes on there, and is taken up by the next run
                continue

    def _spec(self, job: Job, files: Files, load: cargo.Cargo) -> dict[str, Any]:
        persistent = {load.prefix + key for key in files.persistent}
        return {
            "stage": job.address,
            "project": os.path.basename(files.workspace.root),
            "user": getpass.getuser(),
            "submitted": clock.now(),
            "code": load.code,
            "deps": [
                {**dep, "copy": True} if dep["path"] in persistent else dep for dep in load.deps
            ],
            "outs": [{"path": load.prefix + key} for key, _ in files.outs],
            "wdir": os.path.normpath(os.path.join(load.prefix, files.wdir)),
            "root": load.prefix,
            "commands": list(job.commands),
            "shell": shell(),
            "env": dict(job.env),
            "secrets": list(job.secrets),
            "timeout": job.timeout,
            "gpus": job.gpus,
        }

    def _add_environment(
        self, job: Job, files: Files, load: cargo.Cargo, spec: dict[str, Any]
    ) -> None:
        """What the project's lock file asks for. Raises NotAble where the host cannot have it."""
        setting = str(self._host.options.get("env", "auto"))
        need = environments.wanted(files.workspace.root, setting)
        if setting.startswith("conda:"):
            name = shlex.quote(setting.removeprefix("conda:"))
            shell_words = " ".join(map(shlex.quote, spec["shell"]))
            spec["python"] = ["conda", "run", "-n", setting.removeprefix("conda:"), "python"]
            spec["commands"] = [
                f"conda run --no-capture-output -n {name} {shell_words} {shlex.quote(command)}"
                for command in job.commands
            ]
        if need is None:
            return
        cuda = None
        if job.gpus:
            cuda = self._patiently(job, self.facts)["cuda"]
        python = self._patiently(job, self._host.channel).python
        problems = environments.mismatches(need, python=python, cuda=cuda)
        if problems:
            raise NotAble(
                f"on {self._host.name}: {'; '.join(problems)}",
                hint=f"`hosts: {{{self._host.name}: {{python: PATH}}}}` names another Python; "
                "`env: none` uses what is there",
            )
        spec["requirements"] = load.add(need.requirements)
        if self._host.options.get("uv") == "send":
            machine = self._patiently(job, self._host.channel).machine
            try:
                spec["uv"] = load.add_file(files.workspace, environments.uv_for(machine))
            except NotAble as error:  # the host may have its own, or the environment already
                job.tell(error.message)

    def _take_up(self, job: Job, files: Files, spec: Mapping[str, Any], prefix: str) -> str:
        """The job that an earlier run began for the very same, or a new one."""
        local_dir = files.workspace.config.local_dir
        params = {prefix + key for key in files.params}
        deps = [dep for dep in spec["deps"] if dep["path"] not in params]
        asked = intents.digest({**spec, "deps": deps, "params": files.values})
        known = intents.read(local_dir, job.address)
        if known is not None and known.host == self._host.name:
            state = self._patiently(job, lambda: knows(self._host, known.job))
            if known.asked == asked and (state is None or _can_be_used(state)):
                if state is not None:
                    job.tell(f"taking up job {known.job} on {self._host.name}")
                return known.job  # the same again is harmless, should it still be on its way
            if state is not None and state["state"] != "exited":
                job.tell(f"job {known.job} on {self._host.name} is out of date: ending it")
                self._patiently(job, lambda: self._host.call("cancel", job=known.job))
            if state is not None:
                self._patiently(job, lambda: self._host.call("ack", job=known.job))
        name = new_ulid(time.time(), os.urandom(RANDOM_BYTES))
        intents.write(local_dir, job.address, intents.Intent(self._host.name, name, asked))
        return name

    def _follow(self, job: Job, name: str) -> dict[str, Any]:
        with open(job.log, "ab", buffering=0) as log:
            hold(log.fileno())  # the log counts as live
            begin = log.tell()

            def write(data: bytes) -> None:
                while data:
                    data = data[log.write(data) :]

            def told(state: Mapping[str, Any]) -> None:
                if state["state"] == "waiting" and state["for"] == "gpus":
                    job.tell(f"waits for {state['gpus']} GPUs on {self._host.name}")
                elif state["state"] == "waiting":
                    job.tell(f"{self._host.name} makes the environment")

            mirror = Mirror(job.live) if job.live is not None else None

            def follow() -> dict[str, Any]:
                return self._host.follow(name, log.tell() - begin, write, told, mirror)

            return self._patiently(job, follow)

    def _fetch(self, name: str, files: Files, prefix: str) -> None:
        """The outs into the cache, and from there to their place."""
        outs = self._host.call("outs", job=name)
        wanted = {
            key: Digest(out["md5"], out["size"], out.get("nfiles"), out["isexec"])
            for key, _ in files.outs
            for out in [outs[prefix + key]]
        }
        cached = dict(files.outs)
        arrivals.bring(files.workspace, wanted, cached, self._host.get)

    def _fetch_logged(self, job: Job, name: str) -> None:
        """What its processes logged, which is no reason to fail."""
        folder = job.live
        if folder is not None:
            try:
                self._patiently(job, lambda: fetch_logged(self._host, name, folder))
            except Stopped:  # what came while it ran is here
                return
            except (Gone, Refused, OSError, ValueError) as error:
                job.tell(f"what the stage logged is lost: {error}")

    def _patiently(self, job: Job, act: Callable[[], T]) -> T:
        """Do `act`, again and again while there is no contact. Raises when we are cancelled."""
        since = time.monotonic()
        told = False
        pauses = ssh.waits(float("inf"))
        while True:
            try:
                result = act()
            except (LostContact, ssh.Unreachable) as error:
                if not self._host.was_met:  # a mistake, not a lost host
                    raise
                if self._cancelled.is_set():
                    raise NotAble(
                        f"no contact with {self._host.name}: the job goes on there",
                        hint="`mlctl run` takes it up again; `mlctl host cancel` ends it",
                    ) from None
                if not told and time.monotonic() - since > _PATIENCE:
                    told = True
                    job.tell(f"no contact with {self._host.name}; the job goes on there ({error})")
                self._cancelled.wait(next(pauses))
            else:
                if told:
                    job.tell(f"{self._host.name} is back after {time.monotonic() - since:.0f} s")
                return result

    def _exit(self, job: Job, end: Mapping[str, Any]) -> Exit:
        """How the job ended. Raises where that was not by its command."""
        reason = end["reason"]
        if reason in {"ended", "cancelled"}:
            if end.get("out_of_memory"):
                job.tell(f"{self._host.name} ran out of memory and killed it")
            self._warn(job, end)
            if end.get("code") or end.get("timed_out") or reason == "cancelled":
                self.settle(job)
            return Exit(
                end.get("code", 0),
                end.get("timed_out", False),
                reason == "cancelled",
                end.get("peak_memory"),
                end.get("cpu_seconds"),
                host=end.get("host"),
            )
        self.settle(job)
        detail = end.get("detail", "")
        if reason == "missing out":
            raise AnswerNo(f"out {detail!r} was not written")
        raise NotAble(f"on {self._host.name}: {reason}: {detail}")

    def _warn(self, job: Job, end: Mapping[str, Any]) -> None:
        for path in end.get("touched", ()):
            job.tell(f"the stage wrote into its dep {shlex.quote(path)} on the host")
        if end.get("stuck"):
            pids = ", ".join(map(str, end["stuck"]))
            job.tell(f"processes that nothing ends are left on {self._host.name}: {pids}")


def _modules() -> bytes:
    """What stages import as `mlctl`, as the host's agent unpacks it."""
    texts = {path: content.decode() for path, content in _shim.files().items()}
    return json.dumps(texts, sort_keys=True).encode()


def _files(job: Job) -> Files:
    if job.files is None:
        raise ValueError("a host needs to know what a job reads and writes")
    return job.files


def _can_be_used(state: Mapping[str, Any]) -> bool:
    """Whether the job lives, or ended well: a failed one is begun anew."""
    return state["state"] != "exited" or ended_well(state)


def ended_well(end: Mapping[str, Any]) -> bool:
    """Whether the commands of a job that has exited did what they should."""
    return bool(end["reason"] == "ended" and not end["code"] and not end["timed_out"])
