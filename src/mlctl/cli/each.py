"""`mlctl each`: a stage's command that works item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.pipeline.each.run import Result
    from mlctl.pipeline.each.work import Ended

app = typer.Typer()

_EVERY = 10.0  # seconds between two lines about the progress
_NAMED = 10  # failed items that the last line names


@app.command(context_settings={"allow_interspersed_args": False})
def each(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND...", help="What to run for an item; one word is a shell line."
        ),
    ],
    over: Annotated[
        str | None,
        typer.Option(metavar="DEP", help="The folder of items; default: the dep that is a folder."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="OUT", help="The folder of results; default: the cached out."),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Each result's name in OUT, from {item} or {stem}."),
    ] = "{item}",
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Run a command for each new or changed item of a folder; for the cmd of a stage.

    The command finds its item in MLCTL_INPUT and writes MLCTL_OUTPUT; as words of the command,
    {input} and {output} stand for the same. Results of unchanged items are taken from the cache as
    long as nothing else that the stage reads has changed. How many run at a time, and what happens
    after a failure, is said by `each: {jobs: 4, keep_going: true}` under `meta.mlctl` of the stage.

    Examples, each as the cmd of a stage:

        $ mlctl each --name '{stem}.png' python resize.py {input} {output}

        $ mlctl each --over texts --out counts 'wc -w <"$MLCTL_INPUT" >"$MLCTL_OUTPUT"'
    """
    import os
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.pipeline.each.run import Listener, run
    from mlctl.pipeline.each.stage import Request
    from mlctl.records import canonical

    progress = _Progress(to_stderr=json)
    request = Request(tuple(command), over, out, name)
    listener = Listener(progress.waiting, progress.started, progress.ended)
    result = run(request, os.environ, listener)
    if json:
        print_json("each", canonical.plain({**asdict(result), "left": result.left}))
    progress.finish(result)
    return 1 if result.failed else 0


class _Progress:
    """Plain lines, since a stage writes to a log: what items print, whole, and counts at times."""

    def __init__(self, *, to_stderr: bool) -> None:
        import sys

        self._stream = sys.stderr if to_stderr else sys.stdout
        self._items = self._unchanged = self._done = 0
        self._said_at = 0.0

    def waiting(self) -> None:
        self._say("waits for the end of another `mlctl each` that works on the same out")

    def started(self, items: int, todo: int) -> None:
        import time

        self._items, self._unchanged = items, items - todo
        self._said_at = time.monotonic()
        self._say(f"{items} items, {self._unchanged} unchanged, {todo} to do")

    def ended(self, item: Ended) -> None:
        import time

        self._done += item.problem is None
        if item.said:
            self._stream.write(item.said if item.said.endswith("\n") else f"{item.said}\n")
        if item.problem is not None:
            self._say(f"FAILED {item.item}: {item.problem}")
        elif time.monotonic() - self._said_at >= _EVERY:
            self._said_at = time.monotonic()
            done = self._done + self._unchanged
            self._say(f"{done} of {self._items} items, {self._unchanged} unchanged")
        self._stream.flush()

    def finish(self, result: Result) -> None:
        from mlctl.cli._text import some

        if not result.failed:
            self._say(f"{result.items} items: {result.ran} done, {result.unchanged} unchanged")
            return
        named = [f"{item} ({problem})" for item, problem in sorted(result.failed.items())]
        left = f"; {result.left} not tried" if result.left else ""
        self._say(
            f"{len(result.failed)} of {result.items} items failed{left}: {some(named, _NAMED)}\n"
            "what is done is kept: the next run does the rest"
        )

    def _say(self, text: str) -> None:
        from mlctl.records import canonical  # a name may be no UTF-8

        self._stream.write(f"{canonical.plain(text)}\n")
        self._stream.flush()
