"""`mlctl monitor retrain`: answer an alarm as the monitor's policy says."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def retrain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The monitor.")],
    dry: Annotated[
        bool, typer.Option("--dry", "--dry-run", help="Only say whether it is due, and why.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Run the stages of the monitor's `retrain` where its alarm asks for it, and propose.

    At most once for an incident, not before the cool-down is over, and within the budget of 30
    days. The metric before and after, and whether to promote, go to
    reports/monitoring/NAME/retrain; nothing is promoted. Ends with 1 where the new model is not
    better, or a stage failed.

    Examples:

        $ mlctl monitor retrain requests --dry

        $ mlctl monitor retrain requests
    """
    from mlctl.adapters.process import call, call_through
    from mlctl.cli._output import print_json, say
    from mlctl.errors import AnswerNo
    from mlctl.monitoring import retrain as policy
    from mlctl.monitoring.running import load_monitor
    from mlctl.store.config import find_root

    root = find_root(".")
    spec = load_monitor(root, name)
    due = policy.judge(root, spec)
    if dry or not due.due or spec.retrain is None:
        if json:
            print_json("monitor.retrain", {"due": due.due, "why": due.why, "done": None})
        else:
            say(f"{'due' if due.due else 'not due'}: {due.why}")
        return 0
    before = policy.metric_of(root, spec.retrain)
    argv = [sys.executable, "-m", "mlctl", "run", *spec.retrain.run]
    code = call(argv, cwd=root, check=False).code if json else call_through(argv, cwd=root)
    if code:
        raise AnswerNo(
            f"training failed: `mlctl run {' '.join(spec.retrain.run)}` ended with {code}"
        )
    done = policy.conclude(root, spec, due, before, policy.metric_of(root, spec.retrain))
    if json:
        print_json("monitor.retrain", {"due": True, "why": due.why, "done": policy.as_json(done)})
    else:
        said = {True: "promote it", False: "keep the present model", None: "no metric to judge by"}
        numbers = f": {done.metric} {before:g} → {done.after:g}" if before and done.after else ""
        say(f"{said[done.promote]}{numbers}; see {done.key.removesuffix('.json')}.md")
    return 1 if done.promote is False else 0
