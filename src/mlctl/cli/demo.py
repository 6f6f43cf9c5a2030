"""`mlctl demo`"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A new or empty folder.")] = Path(
        "mlctl-demo"
    ),
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Show a whole project on real data: from nothing to a model, its record and its reports.

    Runs mlctl's own commands one after another and prints each, so that you can run them yourself.

    Examples:

        $ mlctl demo

        $ mlctl demo /tmp/demo --json
    """
    from mlctl.adapters.clock import monotonic
    from mlctl.cli._output import print_json
    from mlctl.projects import demo as project

    project.check(folder)
    root = folder.resolve()
    began = monotonic()
    done = [_step(project.first_step(str(folder)), None, quiet=json)]
    for number, args in enumerate(project.STEPS):
        done.append(_step(args, root, quiet=json, enter=folder if number == 0 else None))
    seconds = monotonic() - began
    made = project.made(root)
    if json:
        paths = [{"what": what, "path": path} for what, path in made]
        print_json("demo", {"root": str(root), "steps": done, "seconds": seconds, "made": paths})
    else:
        _show_end(folder, made, project.NEXT, seconds)
    return 0


def _step(
    args: tuple[str, ...], cwd: Path | None, *, quiet: bool, enter: Path | None = None
) -> dict[str, Any]:
    from mlctl.adapters.clock import monotonic
    from mlctl.adapters.process import call, call_through
    from mlctl.cli._output import say, styled
    from mlctl.errors import AnswerNo

    command = shlex.join(("mlctl", *args))
    argv = [sys.executable, "-m", "mlctl", *args]
    began = monotonic()
    if quiet:
        result = call(argv, cwd=cwd, check=False)
        code, said = result.code, result.stderr.strip()
    else:
        if enter is not None:
            say("\n" + styled(f"$ cd {shlex.quote(str(enter))}", "1"))
        say("\n" + styled(f"$ {command}", "1"))
        sys.stdout.flush()
        code, said = call_through(argv, cwd=cwd), "its own words stand above"
    if code:
        place = f" in {cwd}" if cwd else ""
        raise AnswerNo(
            f"the demo stops: `{command}` ended with exit code {code}{place}", hint=said or None
        )
    return {"command": command, "seconds": round(monotonic() - began, 3)}


def _show_end(
    folder: Path, made: list[tuple[str, str]], following: tuple[str, ...], seconds: float
) -> None:
    from mlctl.cli._output import say, styled

    say(f"\n{styled('Done', '1;32')} in {seconds:.0f} s. In {folder} there are now:")
    width = max((len(what) for what, _ in made), default=0)
    for what, path in made:
        say(f"  {what:<{width}}  {path}")
    say("\nNext:")
    say(f"  cd {shlex.quote(str(folder))}")
    for command in following:
        say(f"  {command}")
