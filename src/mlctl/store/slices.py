"""Work on many small files, shared out to several processes.

What a small file costs is the kernel's work to open, make and name it. Threads do not share that,
since each call hands the interpreter's lock on; processes do. The items go in slices to processes
that run this module as a script, and one slice is worked on here.

    argv                      a module that has a function `work(item, argument)`, and the argument
    stdin of such a process   some items a line, as a list in JSON: a line for each costs more
    its stdout                their answers, likewise; null where `work` raised an OSError
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from typing import IO, Any

WORTH_IT = 2000  # items: to start a process takes as long as some hundred small files
_MOST = 4  # processes: more would wait for the file system's own locks
_LINE = 200  # items of a line

Work = Callable[[Any, str], Any]


def share_out(module: str, items: Sequence[Any], argument: str) -> list[Any]:
    """The answers of `module.work(item, argument)`, in the order of the items.

    Items and answers are what JSON has. None where the work raised an OSError, or its process was
    killed: the caller does that item by itself, and meets the error.
    """
    count = min(_MOST, os.cpu_count() or 1, 1 + len(items) // WORTH_IT)
    answers: list[Any] = [None] * len(items)
    work = _work_of(module)
    with ExitStack() as stack:
        others = []
        for n in range(1, count):
            with suppress(OSError):  # no more processes, no room for its items: left to the caller
                process = stack.enter_context(_process(module, items[n::count], argument))
                others.append((n, *process))
        answers[::count] = [_answer(work, item, argument) for item in items[::count]]
        for n, worker, said in others:
            worker.wait()
            said.seek(0)
            lines = said.read().split("\n")[:-1]  # a last line that was cut short is none
            places = range(n, len(items), count)
            given = chain.from_iterable(map(json.loads, lines))
            for place, answer in zip(places, given, strict=False):
                answers[place] = answer
    return answers


@contextmanager
def _process(
    module: str, items: Sequence[Any], argument: str
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that works on the items, and where its answers come; it ends with the block."""
    import tempfile  # slow to import, and seldom needed

    with tempfile.TemporaryFile("w+") as questions, tempfile.TemporaryFile("w+") as answers:
        lines = (items[n : n + _LINE] for n in range(0, len(items), _LINE))
        questions.writelines(json.dumps(line) + "\n" for line in lines)
        questions.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, module, argument],
            stdin=questions,
            stdout=answers,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        try:
            yield process, answers
        finally:
            process.kill()
            process.wait()


def _work_of(module: str) -> Work:
    work: Work = importlib.import_module(module).work
    return work


def _answer(work: Work, item: Any, argument: str) -> Any:
    try:
        return work(item, argument)
    except OSError:
        return None


def main() -> None:
    """Answer the items of stdin on stdout."""
    _, module, argument = sys.argv
    work = _work_of(module)
    with open(0) as items, open(1, "w") as answers:
        for line in items:
            given = [_answer(work, item, argument) for item in json.loads(line)]
            answers.write(json.dumps(given) + "\n")


if __name__ == "__main__":
    main()
