"""Hosts, on loopback: against `ssh`, `rsync`, `tar` and `ssh cat` over the same connection."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import far
import sshd
from benchmarks.harness import DVC, MLCTL, Bench, Row, Size, run
from hosts import test_hosts_leases as leases
from mlctl.adapters.ssh import Ssh
from mlctl.hosts.client import Host
from mlctl.hosts.packing import Source
from mlctl.store.hashing import file_md5


@contextmanager
def host(folder: Path, round_trip: float = 0.0) -> Iterator[tuple[sshd.Sshd, list[str]]]:
    """A host called `box`, and the words that run a command there over a warm connection.

    With a `round_trip` (in seconds) it is that far away.
    """
    with ExitStack() as stack:
        server = stack.enter_context(sshd.running(folder.parent / "host"))
        if round_trip:
            port = stack.enter_context(far.link(server.port, round_trip))
            server.write_client(server.folder / "host.pub", port)
        before = os.environ.get("MLCTL_SSH_CONFIG")
        os.environ["MLCTL_SSH_CONFIG"] = str(server.config)
        connection = Ssh("box")
        connection.open()
        try:
            options = ["-o", f"ControlPath=/tmp/mlctl-ssh-{os.getuid()}/%C", "-o", "BatchMode=yes"]
            yield server, ["ssh", "-F", str(server.config), *options, "box"]
        finally:
            connection.close()
            os.environ.pop("MLCTL_SSH_CONFIG")
            if before is not None:
                os.environ["MLCTL_SSH_CONFIG"] = before


def noop(folder: Path, size: Size) -> Row:
    """A run in which a stage of a host has nothing to do asks the host nothing."""
    with host(folder) as (_, ssh):
        _project(folder, "true")
        run([*MLCTL, "run", "-q", "--on", "box"], folder)
        ours, here, peer = _by_turns(
            size.repeats,
            lambda: run([*MLCTL, "run", "--on", "box"], folder),
            lambda: run([*MLCTL, "run"], folder),
            lambda: run([*ssh, "true"], folder),
        )
    return Row("unchanged stage of a host, beyond a local one", max(ours - here, 0.0001),
               "`ssh host true`", peer, f"{max(ours - here, 0) / peer:.1f} times",
               "at most 3 times")  # fmt: skip


def start(folder: Path, size: Size) -> Row:
    """A stage that does nothing, on a warm host that has all that it needs."""
    with host(folder) as (_, ssh):
        _project(folder, "true")
        run([*MLCTL, "run", "-q", "--on", "box"], folder)
        ours, here, peer = _by_turns(
            size.repeats,
            lambda: run([*MLCTL, "run", "-q", "-f", "--on", "box"], folder),
            lambda: run([*MLCTL, "run", "-q", "-f", "--no-run-cache"], folder),
            lambda: run([*ssh, "true"], folder),
        )
    return Row("stage `true` on a host, beyond a local one", ours - here, "`ssh host true`", peer,
               f"{1000 * (ours - here):.0f} ms", "under 400 ms")  # fmt: skip


def resync(folder: Path, size: Size) -> Row:
    """That a folder has not changed: what a host is asked, against rsync's look at both sides."""
    if shutil.which("rsync") is None:
        pytest.skip("NOT RUN: no rsync (apt install rsync)")
    with host(folder) as (server, ssh):
        data = _many(folder / "data", size.files)
        sources = _sources(data)
        client = Host("box", {})
        client.put(sources, sources)
        words = shlex.join(ssh[:-1])
        rsync = ["rsync", "-a", "-e", words, f"{data}/", f"box:{server.home}/copy/"]
        run(rsync, folder)
        (folder / "dvc.yaml").write_text("stages: {a: {cmd: ls data, deps: [data]}}\n")
        run(["git", "init", "-q"], folder)
        run([*DVC, "init", "-q"], folder)
        (folder / ".gitignore").write_text("/data\n")
        (folder / "mlctl.yaml").write_text("hosts: {box: {}}\n")
        run([*MLCTL, "run", "-q", "--on", "box"], folder)
        load = [sys.executable, "-c", _ASK, str(folder)]
        ours, peer = _by_turns(size.repeats, lambda: run(load, folder), lambda: run(rsync, folder))
        client.close()
    return Row(f"an unchanged dep of {size.files} files, again", ours, "`rsync -a`, no-op", peer,
               f"{ours / peer:.2f} times", "no slower")  # fmt: skip


_ASK = """\
import sys
from mlctl.hosts import cargo
from mlctl.hosts.client import Host
from mlctl.store.workspace import open_workspace
host = Host("box", {})
host.meet()
load = cargo.load(open_workspace(sys.argv[1]), ["data"], [])
needed = host.call("missing", md5s=[load.code, *(dep["md5"] for dep in load.deps)])["missing"]
assert needed == [], needed
"""


def send(folder: Path, size: Size) -> Row:
    with host(folder) as (server, ssh):
        count = min(size.files, 10_000)
        data = _many(folder / "data", count)
        sources = _sources(data)
        client = Host("box", {})
        client.channel()
        there = "mkdir t.$$; tar -C t.$$ -xf -; sync -f t.$$"
        tar = f"tar -C {data} -cf - . | {shlex.join(ssh)} {shlex.quote(there)}"

        def ours_() -> None:
            _put_aside(server, folder)
            client.put(sources, sources)

        ours, peer = _by_turns(min(size.repeats, 3), ours_, lambda: run(["sh", "-c", tar], folder))
        client.close()
    return Row(f"{count} small files, first sent", ours, "`tar` over `ssh`, and `sync`", peer,
               f"{ours / peer:.2f} times", "at most 2 times")  # fmt: skip


def send_far(folder: Path, size: Size) -> Row:
    """The same over a link of 50 ms, where each question costs a round trip."""
    if shutil.which("rsync") is None:
        pytest.skip("NOT RUN: no rsync (apt install rsync)")
    with host(folder, round_trip=0.05) as (server, ssh):
        count = min(size.files, 10_000)
        data = _many(folder / "data", count)
        sources = _sources(data)
        client = Host("box", {})
        client.channel()
        words = shlex.join(ssh[:-1])
        copies = (server.home / f"copy{number}" for number in itertools.count())

        def theirs() -> None:
            run(["rsync", "-a", "-e", words, f"{data}/", f"box:{next(copies)}/"], folder)

        def ours_() -> None:
            _put_aside(server, folder)
            client.put(sources, sources)

        ours, peer = _by_turns(min(size.repeats, 3), ours_, theirs)
        client.close()
    return Row(f"{count} small files, first sent, 50 ms away", ours, "`rsync -a`", peer,
               f"{peer / ours:.1f} times faster", "at least 2 times faster")  # fmt: skip


def fetch(folder: Path, size: Size) -> Row:
    with host(folder) as (server, ssh):
        amount = size.large // 2
        there = folder / "big"
        with there.open("wb") as file:
            block = os.urandom(1 << 20)
            for _ in range(max(1, amount >> 20)):
                file.write(block)
        md5 = file_md5(str(there))
        client = Host("box", {})
        client.put([md5], {md5: str(there)})
        path = server.home / ".mlctl-host/objects/files/md5" / md5[:2] / md5[2:]
        cat = f"{shlex.join(ssh)} cat {path} | tee {folder}/cat | md5sum"

        def ours_() -> None:
            assert list(client.get([md5], lambda _: f"{folder}/got")) == [md5]

        ours, peer = _by_turns(min(size.repeats, 3), ours_, lambda: run(["sh", "-c", cat], folder))
        client.close()
    return Row(f"an out of {amount / 1e9:g} GB, fetched", ours,
               "`ssh cat`, file and `md5sum` at once", peer, f"{ours / peer:.2f} times",
               "at most 1.3 times")  # fmt: skip


def gpus(folder: Path, size: Size) -> Row:
    """Eight clients at once ask for one or two of two GPUs; every journal entry is checked."""
    jobs = min(200, size.stages)
    before = dict(os.environ)
    tools = folder / "tools"
    tools.mkdir()
    shutil.copy(leases.FAKE, tools / "nvidia-smi")
    (tools / "nvidia-smi").chmod(0o755)
    os.environ.update(
        PATH=f"{tools}:{os.environ['PATH']}", MLCTL_LOCKS=str(folder / "locks"), FAKE_GPUS="2",
        FAKE_GPU_USERS=str(folder / "users"),
    )  # fmt: skip
    try:
        began = time.monotonic()
        leases.test_jobs_of_eight_clients_take_turns(folder, jobs)
        took = time.monotonic() - began
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Row(f"{jobs} jobs of 8 clients for 2 GPUs", took, "", None, "none doubled, in order",
               "no double lease, order kept, all done")  # fmt: skip


def _by_turns(repeats: int, *acts: Callable[[], object]) -> list[float]:
    """The medians in seconds; the first turn does not count."""
    times: list[list[float]] = [[] for _ in acts]
    for _ in range(repeats + 1):
        for act, taken in zip(acts, times, strict=True):
            begin = time.perf_counter()
            act()
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken[1:]) for taken in times]


def _project(folder: Path, command: str) -> None:
    run(["git", "init", "-q"], folder)
    run([*DVC, "init", "-q"], folder)
    (folder / "mlctl.yaml").write_text("hosts: {box: {}}\n")
    (folder / "in.txt").write_text("1\n")
    (folder / "dvc.yaml").write_text(f"stages: {{a: {{cmd: {command!r}, deps: [in.txt]}}}}\n")


def _many(folder: Path, count: int) -> Path:
    for number in range(count):
        place = folder / f"{number % 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(f"small file {number}\n")
    return folder


def _put_aside(server: sshd.Sshd, folder: Path) -> None:
    """The host has no objects any more. None is deleted: that would take time of its own."""
    objects = server.home / ".mlctl-host/objects"
    if objects.exists():
        objects.rename(folder / f"old{time.monotonic_ns()}")


def _sources(folder: Path) -> dict[str, Source]:
    return {file_md5(str(path)): str(path) for path in folder.rglob("*") if path.is_file()}


BENCHES: dict[str, Bench] = {
    "host noop": noop,
    "host start": start,
    "host resync": resync,
    "host send": send,
    "host far": send_far,
    "host fetch": fetch,
    "host gpus": gpus,
}
