"""Items processed side by side, each in a temporary place, and kept as soon as it is done."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mlctl.adapters import process
from mlctl.adapters.files import hold, is_locked
from mlctl.errors import MlctlError
from mlctl.executors.local import shell
from mlctl.pipeline.each.items import Files
from mlctl.pipeline.each.known import Lines, folder
from mlctl.pipeline.each.stage import Task
from mlctl.store import results
from mlctl.store.links import remove
from mlctl.store.observed import Entry
from mlctl.store.state import make_local_dir, signature
from mlctl.store.tree import TreeEntry
from mlctl.store.workspace import Workspace

_PLACE = re.compile(r"\{(item|input|output)\}")
_SHOWN = 1 << 20  # bytes of what one item prints, at its end


@dataclass(frozen=True, slots=True)
class Ended:
    """One item that was processed: what it printed, and `problem`, why it failed, or its files."""

    item: str
    said: str
    problem: str | None = None
    files: Files = ()


class Worker:
    """Processes single items; threads may share it."""

    def __init__(
        self, workspace: Workspace, task: Task, names: Mapping[str, str], lines: Lines, place: str
    ) -> None:
        self._workspace = workspace
        self._task = task
        self._names = names
        self._lines = lines
        self._place = place
        self._lock = threading.Lock()

    def process(self, number: int, item: Entry) -> Ended:
        """Run the command of one item and keep its result. Raises NotAble where it cannot start."""
        name = self._names[item.relpath]
        room = os.path.join(self._place, str(number))
        output = os.path.join(room, "out", os.path.basename(name))
        log = os.path.join(room, "log")
        os.makedirs(os.path.dirname(output))
        values = {"item": item.relpath, "input": item.path, "output": output}
        env = {f"MLCTL_{key.upper()}": value for key, value in values.items()}
        code = process.call_into(command_for(self._task.request.command, values), log, env)
        said = _end_of(log)
        problem = _problem(code, output, item)
        files: Files = ()
        if problem is None:
            try:
                files = self._keep(item, name, output)
            except MlctlError as error:
                problem = error.message
        remove(room)
        return Ended(item.relpath, said, problem, files)

    def _keep(self, item: Entry, name: str, output: str) -> Files:
        taken = results.take(self._workspace, output)
        files = tuple(
            TreeEntry(f"{name}/{file.relpath}" if file.relpath else name, file.md5)
            for file in taken
        )
        with self._lock:
            self._lines.append(TreeEntry(item.relpath, item.md5), files)
        return files


def process_all(
    worker: Worker, items: Sequence[Entry], *, jobs: int, keep_going: bool
) -> Iterator[Ended]:
    """Process `items`, up to `jobs` at a time; each as it ends. After a failure nothing new starts,
    unless `keep_going`."""
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    queue = enumerate(items)
    running: set[Future[Ended]] = set()
    stopped = False
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            while not stopped and len(running) < jobs and (following := next(queue, None)):
                running.add(pool.submit(worker.process, *following))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                ended = future.result()
                stopped = stopped or (ended.problem is not None and not keep_going)
                yield ended


def command_for(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The program and its arguments for one item; a single word is a line for the shell."""
    if len(command) == 1:
        return [*shell(), command[0]]
    return [_PLACE.sub(lambda match: values[match[1]], word) for word in command]


@contextmanager
def alone(local_dir: str, out: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Nobody else of ours works on the out while the block lasts.

    An engine that was killed may have left its command running. `waiting` is called where the
    block must wait for the end of such a one, whose results it can take then.
    """
    make_local_dir(local_dir)
    os.makedirs(folder(local_dir), exist_ok=True)
    name = hashlib.sha256(os.fsencode(out)).hexdigest()[:16]
    path = os.path.join(folder(local_dir), f"{name}.lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if is_locked(path):
            waiting()
        hold(handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def working_place(local_dir: str) -> Iterator[str]:
    """A folder for items under way, held while the block lasts; those of the dead are removed."""
    top = os.path.join(folder(local_dir), "work")
    make_local_dir(local_dir)
    os.makedirs(top, exist_ok=True)
    _sweep(top)
    place = os.path.join(top, f"{os.getpid()}-{os.urandom(4).hex()}")
    handle = os.open(f"{place}.lock", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        hold(handle)
        os.mkdir(place)
        yield place
    finally:
        remove(place)
        with suppress(FileNotFoundError):
            os.unlink(f"{place}.lock")
        os.close(handle)


def _end_of(log: str) -> str:
    with open(log, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _SHOWN))
        text = file.read().decode("utf-8", "replace")
    return f"[…]{text}" if size > _SHOWN else text


def _sweep(top: str) -> None:
    for name in os.listdir(top):
        path = os.path.join(top, name)
        if name.endswith(".lock"):
            with suppress(FileNotFoundError):
                if not is_locked(path):
                    remove(path.removesuffix(".lock"))
                    os.unlink(path)


def _problem(code: int, output: str, item: Entry) -> str | None:
    if code:
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    if not os.path.exists(output):
        return "it wrote nothing to MLCTL_OUTPUT"
    try:
        now = signature(os.stat(item.path))
    except FileNotFoundError:
        return "it vanished while it was processed"
    if (now.mtime, now.size) != (item.signature.mtime, item.signature.size):
        return "it changed while it was processed"
    return None
