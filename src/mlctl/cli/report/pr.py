"""`mlctl report pr`: what a pull request changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.projects.pull_request.gather import PullRequest

app = typer.Typer()


@app.command()
def pr(
    revisions: Annotated[
        str,
        typer.Argument(
            metavar="BASE..HEAD", help="Two git revisions; BASE...HEAD starts where HEAD left BASE."
        ),
    ],
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Write the Markdown there.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Print what a pull request changes, as Markdown for a comment on GitHub or GitLab.

    Shows the metrics and parameters that changed, verdicts on data, new runs, and folded away what
    changed of data and plots. The same revisions give the same text, of 65,536 characters at most.

    Examples:

        $ mlctl report pr main...HEAD

        $ mlctl report pr origin/main...HEAD -o comment.md
    """
    import sys

    from mlctl.cli._output import print_json, say
    from mlctl.pipeline.project import Project
    from mlctl.projects.pull_request.gather import gather
    from mlctl.projects.pull_request.render import to_comment

    found = gather(Project.open(), revisions)
    text = to_comment(found)
    if out is not None:
        from mlctl.adapters.files import write_text

        write_text(out, text)
    if json:
        print_json("report.pr", {**_data(found), "markdown": text})
    elif out is not None:
        say(out)
    else:
        sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8"))
    return 0


def _data(found: PullRequest) -> dict[str, Any]:
    from dataclasses import asdict

    from mlctl.cli._values import diff_json
    from mlctl.data.diffing.render import to_dict
    from mlctl.records.canonical import plain

    return {
        "a": found.a,
        "b": found.b,
        "metrics": diff_json(found.a, found.b, found.metrics)["changes"],
        "params": diff_json(found.a, found.b, found.params)["changes"],
        "runs": {
            "total": found.runs.total,
            "newest": plain([asdict(head) for head in found.runs.newest]),
            "before": plain(asdict(found.runs.before)) if found.runs.before else None,
        },
        "validations": plain([asdict(it) for it in found.validations]),
        "monitored": plain([asdict(it) for it in found.monitored]),
        "data": plain(to_dict(found.data)["data"]) if found.data is not None else None,
        "plots": [{"id": it.definition.id, "title": it.definition.title} for it in found.plots],
        "notes": list(found.notes),
    }
