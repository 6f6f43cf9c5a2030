"""What `freeze` and `unfreeze` do."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.cli._output import print_json, say


def set_frozen(stages: Sequence[str], *, frozen: bool, json: bool) -> int:
    """Freeze or unfreeze the stages and say which of them were not so already; always 0."""
    from mlctl.pipeline import freeze
    from mlctl.pipeline.project import Project

    changed = freeze.set_frozen(Project.open(), stages, frozen=frozen)
    if json:
        print_json("freeze" if frozen else "unfreeze", {"changed": changed})
        return 0
    for address in changed:
        say(f"{'froze' if frozen else 'unfroze'} {address}")
    if not changed:
        say(f"nothing to do: already {'frozen' if frozen else 'not frozen'}")
    return 0
