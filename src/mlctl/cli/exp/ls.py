"""`mlctl exp ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.experiments.search import Listing

app = typer.Typer()


@app.command()
def ls(
    directory: Directory = None,
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=1, help="How many runs.")
    ] = 20,
    all_runs: Annotated[bool, typer.Option("--all", "-a", help="Every run.")] = False,
    where: Annotated[
        str | None,
        typer.Option("--where", "-w", metavar="EXPR", help="Only runs of which it holds."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", metavar="FIELD", help="Least first; -FIELD or FIELD:desc: greatest."
        ),
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="FIELD,...", help="Show these instead.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="FIELD", help="Sum up the runs by its value.")
    ] = None,
    pareto: Annotated[
        str | None,
        typer.Option(
            "--pareto", metavar="FIELD:max,...", help="Only runs that no other one beats."
        ),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived runs, too.")] = False,
    json: Json = False,
) -> int:
    """List the recorded runs, newest first.

    Shows the metrics, and of the parameters those that differ between the runs, as the terminal has
    room for. A run goes by its short id, which is characters 11 to 16 of its id, by the start of
    either, by its name, by `last`, or by `last~1`, the one before. A record that cannot be read is
    named on stderr, and the rest is listed.

    Fields are metrics.NAME (.max, .min and .last of what was logged by steps), params.NAME, status,
    name, tags, stage, failed, started, seconds, git.branch, git.commit, git.dirty, notes, kept.
    Tests are = != < <= > >=, in (a, b), in 0.8..0.9, contains, ~ (a regular expression) and
    is null; they go together with and, or, not and parentheses. A date is 2026-11-23, an age as 7d
    is the moment so long ago. A run that lacks a field fulfils no test of it but is null.

    Examples:

        $ mlctl exp ls

        $ mlctl exp ls --where 'metrics.auc > 0.9 and params.train.lr in 0.01..0.1'

        $ mlctl exp ls -w 'started > 7d and not tags contains baseline' --sort -metrics.auc

        $ mlctl exp ls --group params.model

        $ mlctl exp ls --pareto metrics.auc:max,seconds:min --columns metrics.auc,seconds
    """
    from mlctl.cli.exp import _saying
    from mlctl.experiments.query import search_runs
    from mlctl.experiments.search import Search

    root = _saying.runs_root()
    limit = None if all_runs or group or pareto else number
    asked = Search(where, sort, limit, archived)
    listing = search_runs(root, asked)
    chosen = [name.strip() for name in columns.split(",")] if columns else []
    if group or pareto or chosen:
        from mlctl.experiments.choosing import best
        from mlctl.experiments.fields import check_fields, parse_goals
        from mlctl.experiments.search import known_values

        goals, known = parse_goals(pareto) if pareto else (), known_values(root)
        check_fields([goal.name for goal in goals], known, "--pareto")
        check_fields([group] if group else [], known, "--group")
        check_fields(chosen, known, "--columns")
        listing = best(listing, goals) if goals else listing
    if json:
        _print_json(listing, group)
    else:
        _print_table(listing, asked.where, group, chosen)
    return 0


def _print_json(listing: Listing, group: str | None) -> None:
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.experiments.events import facts_json, name_of
    from mlctl.experiments.fields import facts_for
    from mlctl.records.canonical import plain

    damaged = [asdict(damage) for damage in listing.damaged]
    data = {"total": listing.total, "archived": listing.hidden, "damaged": damaged}
    if group is not None:
        from mlctl.cli.exp._groups import group_json
        from mlctl.experiments.choosing import groups

        made = [group_json(it) for it in groups(listing, group)]
        print_json("exp.ls", plain({**data, "group": group, "groups": made}))
        return
    runs = []
    for head in listing.heads:
        facts = facts_for(listing.facts, head.id)
        runs.append({**asdict(head), "name": name_of(head.name, facts), **facts_json(facts)})
    print_json("exp.ls", plain({**data, "runs": runs}))


def _print_table(listing: Listing, where: str | None, group: str | None, chosen: list[str]) -> None:
    import shutil
    import sys

    from mlctl.adapters.clock import now
    from mlctl.cli._output import say

    for damage in listing.damaged:
        hint = f" ({damage.hint})" if damage.hint else ""
        sys.stderr.write(f"warning: {damage.message}{hint}\n")
    width = shutil.get_terminal_size((160, 24)).columns
    if not listing.heads:
        say(_nothing(listing, where))
        return
    if group is not None:
        from mlctl.cli.exp._groups import group_lines
        from mlctl.experiments.choosing import groups

        lines = group_lines(groups(listing, group), group, width)
    else:
        from mlctl.cli.exp._table import table_lines

        lines = table_lines(listing, now=now(), width=width, chosen=chosen)
    for line in lines:
        say(line)


def _nothing(listing: Listing, where: str | None) -> str:
    if listing.hidden:
        return f"No runs but {listing.hidden} that are archived (--archived)."
    if where:
        return "No run is like that."
    return "No runs are recorded yet. `mlctl run` records one when a stage runs."
