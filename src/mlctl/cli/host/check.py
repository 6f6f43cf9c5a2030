"""`mlctl host check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlctl.cli._options import Directory, Json
from mlctl.errors import NotAble

if TYPE_CHECKING:
    from mlctl.hosts.findings import Finding

app = typer.Typer()


@app.command()
def check(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="[HOST]...", help="Default: all.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Look at all that a host needs, and tell everything that is wrong at once.

    Ends with 3 where a host cannot be used.

    Examples:

        $ mlctl host check

        $ mlctl host check gpubox --json
    """
    from dataclasses import asdict

    from mlctl.cli._output import error_text, print_json
    from mlctl.cli.host._common import each_host

    answers = each_host(hosts, look_at)
    bad = False
    told = []
    for name, answer in answers.items():
        failed = isinstance(answer, NotAble)
        bad = bad or failed or any(finding.level == "problem" for finding in answer)
        if json and failed:
            told.append({"host": name, "error": str(answer), "hint": answer.hint, "findings": []})
        elif json:
            told.append({"host": name, "error": None, "findings": [asdict(f) for f in answer]})
        elif failed:
            typer.echo(error_text(str(answer), answer.hint), nl=False)
        else:
            show(name, answer)
    if json:
        print_json("host.check", {"usable": not bad, "hosts": told})
    return NotAble.exit_code if bad else 0


def look_at(host: Any) -> list[Finding]:
    """The findings on a host. Raises NotAble where it cannot even be asked."""
    import time

    from mlctl.hosts.findings import findings

    host.channel()  # so that the answer's time is that of one question
    before = time.time()
    facts = host.call("facts")
    skew = facts["time"] - (before + time.time()) / 2
    return findings(facts, skew=skew, sftp=host.has_sftp())


def show(host: str, found: Sequence[Finding]) -> None:
    """The findings on one host as text."""
    from mlctl.cli._output import say, styled

    marks = {"ok": ("✓", "32"), "warning": ("!", "33"), "problem": ("✗", "31")}
    if found:
        say(styled(host, "1"))
    for finding in found:
        mark, colour = marks[finding.level]
        say(f"  {styled(mark, colour)} {finding.what:<8} {finding.said}")
        if finding.hint:
            say(styled(f"    {' ' * 8} {finding.hint}", "2"))
