"""Stages on this machine, each in a process group of its own.

A stage writes straight into its log file, not into a pipe: a background process that it leaves
behind cannot block us, and the log is whole even if mlctl is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from mlctl.adapters.files import hold
from mlctl.errors import NotAble
from mlctl.executors import Exit, Job
from mlctl.executors._usage import Meter, Sampler

# ru_maxrss is in KiB on Linux and in bytes on macOS (getrusage(2) of each).
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
# How long a stage may take to end itself after each signal, in seconds.
_GRACE = ((signal.SIGINT, 5.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0))


class Executor:
    """Runs each command with the user's shell, as DVC does."""

    def __init__(self) -> None:
        self._environ = dict(os.environb)  # bytes, which need not be encoded for every command
        self._groups: set[int] = set()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._sampler = Sampler()

    def run(self, job: Job) -> Exit:
        deadline = None if job.timeout is None else time.monotonic() + job.timeout
        peak, cpu = 0, 0.0
        env = {**self._environ, **{os.fsencode(k): os.fsencode(v) for k, v in job.env.items()}}
        devices = env.get(b"CUDA_VISIBLE_DEVICES")
        code, timed_out = 0, False
        if job.watcher is not None:
            job.watcher.start()
        with (
            open(job.log, "ab", buffering=0) as log,
            self._sampler.meter(None if devices is None else os.fsdecode(devices)) as meter,
        ):
            hold(log.fileno())  # inherited: the log counts as live while anything may write to it
            for command in job.commands:
                left = None if deadline is None else deadline - time.monotonic()
                code, timed_out, usage = self._run_command(
                    command, job, env, log.fileno(), left, meter
                )
                peak = max(peak, usage[0])
                cpu += usage[1]
                if code or timed_out or self._cancelled.is_set():
                    break
            used = meter.usage(cpu, peak)
        return Exit(code, timed_out, self._cancelled.is_set(), peak or None, cpu, usage=used)

    def settle(self, job: Job) -> None:
        """Nothing is kept of a job that ran here."""

    def leave(self) -> None:
        self.cancel()

    def close(self) -> None:
        self._sampler.close()

    def cancel(self, *, now: bool = False) -> None:
        self._cancelled.set()
        for number, grace in _GRACE[-1:] if now else _GRACE:
            end = time.monotonic() + grace
            self._signal_all(number)
            while time.monotonic() < end:
                with self._lock:
                    if not self._groups:
                        return
                time.sleep(0.02)

    def _run_command(
        self,
        command: str,
        job: Job,
        env: dict[bytes, bytes],
        log: int,
        left: float | None,
        meter: Meter,
    ) -> tuple[int, bool, tuple[int, float]]:
        if self._cancelled.is_set():
            return -signal.SIGINT, False, (0, 0.0)
        try:
            process = subprocess.Popen(
                [*shell(), command],
                cwd=job.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise NotAble(f"cannot start the command of {job.address!r}: {error}") from None
        with self._lock:
            self._groups.add(process.pid)
        if self._cancelled.is_set():  # it was, between the question above and now
            _kill(process.pid, signal.SIGTERM)
        if job.watcher is not None:
            job.watcher.began(process.pid)
        meter.began(process.pid)
        try:
            return _wait(process, left)
        finally:
            # A grandchild may have outlived the shell; what a good stage leaves behind may stay.
            if process.returncode or self._cancelled.is_set():
                _kill(process.pid, signal.SIGKILL)
            meter.ended(process.pid)
            with self._lock:
                self._groups.discard(process.pid)
            if job.watcher is not None:
                job.watcher.ended(process.pid)

    def _signal_all(self, number: int) -> None:
        with self._lock:
            groups = list(self._groups)
        for group in groups:
            _kill(group, number)


def shell() -> list[str]:
    """The user's shell without its start-up files, as DVC calls it (`dvc.stage.run`)."""
    path = os.environ.get("SHELL") or "/bin/sh"
    options = {"zsh": ["--no-rcs"], "bash": ["--noprofile", "--norc"], "fish": ["--no-config"]}
    return [path, *options.get(os.path.basename(path).lower(), []), "-c"]


def _wait(
    process: subprocess.Popen[bytes], timeout: float | None
) -> tuple[int, bool, tuple[int, float]]:
    """Wait for the process (in seconds at most); its code, whether it timed out, its usage."""
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        _kill(process.pid, signal.SIGTERM)

    timers: list[threading.Timer] = []
    if timeout is not None:
        patience = max(timeout, 0.0)
        kill = threading.Timer(patience + _GRACE[0][1], _kill, (process.pid, signal.SIGKILL))
        timers = [threading.Timer(patience, end), kill]
        for timer in timers:
            timer.daemon = True
            timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    for timer in timers:
        timer.cancel()
    if timed_out.is_set():
        _kill(process.pid, signal.SIGKILL)
    process.returncode = os.waitstatus_to_exitcode(status)
    used = (usage.ru_maxrss * _MAXRSS_UNIT, usage.ru_utime + usage.ru_stime)
    return process.returncode, timed_out.is_set(), used


def _kill(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
