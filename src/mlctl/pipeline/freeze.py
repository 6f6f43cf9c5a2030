"""`mlctl freeze` and `unfreeze`: one key in a stage, the file's comments kept."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.adapters.files import read_text, write_text
from mlctl.errors import InvalidInput
from mlctl.pipeline import edit, targets
from mlctl.pipeline.project import Project


def set_frozen(project: Project, names: Sequence[str], *, frozen: bool) -> list[str]:
    """Write `frozen` into the stages that `names` mean; the addresses that were not so before."""
    changed = []
    for index in targets.resolve(project.stages, names, cwd=project.cwd):
        stage = project.stages[index]
        if stage.group is not None and stage.name is not None:
            raise InvalidInput(
                f"{stage.address!r} is generated from {stage.group!r}",
                hint=f"write `frozen: {str(frozen).lower()}` under `do:` in {stage.file}",
            )
        path = project.path(stage.file)
        before = read_text(path, name=stage.file)
        after = edit.set_frozen(before, stage.name, frozen, name=stage.file)
        if after != before:
            write_text(path, after)
            changed.append(stage.address)
    return changed
