"""How stages of this machine use it over time: processors, memory and GPUs.

One thread per run looks at all stages that are over a second old, so that a run of many short ones
pays for nothing but a thread that sleeps. What a stage uses is what the processes of its session
use, and their descendants. The system tells of those under `/proc` alone: elsewhere than on Linux
there are no curves.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from mlctl.adapters import clock

POINTS = 60  # of a curve
_PERIOD = 1.0  # seconds between two looks, at least
_SHARE = 300  # looks that a stage gets while it doubles its age, about
_LONGEST = 5.0  # seconds between two looks, at most
_MOST = 8 * POINTS  # samples that are kept of a stage
_GPU_PERIOD = 5.0  # seconds between two questions to the driver, which is slow to answer
_GPU_PATIENCE = 10.0  # seconds that it may take

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Sample(NamedTuple):
    """What was used from `since` to `until` (seconds of the stage): cores (mean), bytes (peak)."""

    since: float
    until: float
    cpu: float
    memory: int


class Used(NamedTuple):
    """What a session has used: processor seconds so far, bytes now."""

    cpu: float
    memory: int


GpuRows = Sequence[Mapping[str, Any]]


class Meter:
    """One stage. `began` and `ended` name the leader of each session that it is made of."""

    def __init__(self, sampler: Sampler, gpus: str | None) -> None:
        self.began_at = clock.monotonic()
        self._sampler = sampler
        self._gpus = gpus
        self._samples: list[Sample] = []
        self._before: dict[int, float] = {}  # session -> processor seconds at the last look
        self._peak = 0
        self._looked = 0.0

    @property
    def age(self) -> float:
        return clock.monotonic() - self.began_at

    @property
    def sessions(self) -> list[int]:
        return list(self._before)

    def began(self, group: int) -> None:
        self._before[group] = 0.0

    def ended(self, group: int) -> None:
        self._before.pop(group, None)

    def add(self, used: Mapping[int, Used]) -> None:
        """Take a look; `used` is what each session has used by now."""
        now, cpu, memory = self.age, 0.0, 0
        for session, before in list(self._before.items()):
            if session in used:
                cpu += max(used[session].cpu - before, 0.0)
                memory += used[session].memory
                self._before[session] = used[session].cpu
        if now > self._looked:
            self._samples.append(Sample(self._looked, now, cpu / (now - self._looked), memory))
            self._looked = now
            self._peak = max(self._peak, memory)
        if len(self._samples) > _MOST:
            self._samples = thinned(self._samples, _MOST // 2)

    def usage(self, cpu_seconds: float, peak_memory: int) -> dict[str, Any] | None:
        """The `usage` of a stage that is over (docs/formats/run.md), None where nobody looked.

        `cpu_seconds` and `peak_memory` are what the system told of its commands at their end.
        """
        if not self._samples:
            return None
        points = thinned(self._samples, POINTS)
        usage: dict[str, Any] = {
            "cpu_mean": round(cpu_seconds / self.age, 2),
            "memory_peak": max(self._peak, peak_memory),
            "curve": {
                "seconds": [round(point.until, 1) for point in points],
                "cpu": [round(point.cpu, 2) for point in points],
                "memory": [point.memory for point in points],
            },
        }
        gpus = self._sampler.gpus_of(self.began_at, self._gpus)
        return {**usage, "gpus": gpus} if gpus else usage


class Sampler:
    """The thread of one run, which starts with the first stage."""

    def __init__(self) -> None:
        self._meters: list[Meter] = []
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._gpu_log: list[tuple[float, GpuRows]] = []

    @contextmanager
    def meter(self, gpus: str | None) -> Iterator[Meter]:
        """A meter for a stage that runs in the block; `gpus` is its CUDA_VISIBLE_DEVICES."""
        meter = Meter(self, gpus)
        if not sys.platform.startswith("linux"):
            yield meter
            return
        with self._lock:
            self._meters.append(meter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="usage", daemon=True)
                self._thread.start()
        self._busy.set()
        try:
            yield meter
        finally:
            with self._lock:
                self._meters.remove(meter)

    def close(self) -> None:
        self._closed.set()
        self._busy.set()

    def gpus_of(self, since: float, visible: str | None) -> list[dict[str, Any]]:
        """What the GPUs of a stage did since it began."""
        from mlctl.hosts.agent.usage import summary

        chosen = [(time, _visible(rows, visible)) for time, rows in self._gpu_log if time >= since]
        found = summary([{"time": time, "gpus": rows} for time, rows in chosen])
        # Where nobody said which GPUs a stage has, those that did nothing are none of its.
        return [gpu for gpu in found if visible is not None or gpu["busy"]]

    def _watch(self) -> None:
        has_driver = shutil.which("nvidia-smi") is not None
        while not self._closed.wait(self._pause()):
            with self._lock:
                meters = [meter for meter in self._meters if meter.age >= _PERIOD]
                if not self._meters:
                    self._busy.clear()
            if meters:
                self._look(meters)
                if has_driver:
                    self._ask_driver(min(meter.began_at for meter in meters))
            self._busy.wait()

    def _pause(self) -> float:
        with self._lock:
            youngest = min((meter.age for meter in self._meters), default=0.0)
        return min(max(_PERIOD, youngest / _SHARE), _LONGEST)

    def _look(self, meters: Sequence[Meter]) -> None:
        used = use_of({session for meter in meters for session in meter.sessions})
        for meter in meters:
            meter.add(used)

    def _ask_driver(self, oldest: float) -> None:
        now = clock.monotonic()
        if self._gpu_log and now - self._gpu_log[-1][0] < max(_GPU_PERIOD, (now - oldest) / _SHARE):
            return
        rows = _gpus()
        if rows:
            kept = [entry for entry in self._gpu_log if entry[0] >= oldest]
            self._gpu_log = [*kept, (now, rows)]


def thinned(samples: Sequence[Sample], points: int) -> list[Sample]:
    """As many samples at most, for spans of equal length: means of cores, peaks of memory."""
    if len(samples) <= points:
        return list(samples)
    width = samples[-1].until / points
    spans = itertools.groupby(samples, lambda it: min(int(it.since / width), points - 1))
    return [_together(list(span)) for _, span in spans]


def _together(samples: Sequence[Sample]) -> Sample:
    since, until = samples[0].since, samples[-1].until
    cpu = sum(it.cpu * (it.until - it.since) for it in samples) / (until - since)
    return Sample(since, until, cpu, max(it.memory for it in samples))


def use_of(sessions: Iterable[int]) -> dict[int, Used]:
    """What the processes of each session, and their descendants, have used.

    Memory is what is resident, so that pages that processes share count for each. The time of a
    process that has ended is its parent's, where that waited for it.
    """
    wanted = set(sessions)
    processes = _processes()
    found = dict.fromkeys(wanted, Used(0.0, 0))
    for pid in processes:
        session = _session_of(pid, processes, wanted)
        if session is not None:
            cpu, memory = found[session]
            found[session] = Used(cpu + processes[pid].cpu, memory + processes[pid].memory)
    return found


class _Process(NamedTuple):
    parent: int
    session: int
    cpu: float
    memory: int


def _session_of(pid: int, processes: Mapping[int, _Process], wanted: set[int]) -> int | None:
    seen: set[int] = set()
    while pid in processes and pid not in seen:
        seen.add(pid)  # numbers are given anew while we read: no tree is certain
        if processes[pid].session in wanted:
            return processes[pid].session
        pid = processes[pid].parent
    return None


def _processes() -> dict[int, _Process]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    found[int(name)] = _process(file.read())
            except (OSError, ValueError, IndexError):  # it has ended
                continue
    return found


def _process(stat: bytes) -> _Process:
    """The fields of proc_pid_stat(5), whose second is a name that may hold anything."""
    fields = stat[stat.rindex(b")") + 2 :].split()
    ticks = sum(int(field) for field in fields[11:15])  # its own, and of children it waited for
    return _Process(int(fields[1]), int(fields[3]), ticks / _TICKS, int(fields[21]) * _PAGE)


def _gpus() -> GpuRows:
    """What the driver says of each GPU now; nothing where it does not answer."""
    from mlctl.hosts.agent.gpus import FIELDS, Gpu

    argv = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(argv, capture_output=True, timeout=_GPU_PATIENCE).stdout.decode()
        rows = [[value.strip() for value in line.split(",")] for line in said.splitlines()]
        return [Gpu(row).to_dict() for row in rows if len(row) == len(FIELDS)]
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def _visible(rows: GpuRows, visible: str | None) -> GpuRows:
    if visible is None:
        return rows
    names = [name.strip() for name in visible.split(",")]
    return [row for row in rows if str(row["index"]) in names or row["uuid"] in names]
