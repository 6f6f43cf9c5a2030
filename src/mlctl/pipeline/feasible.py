"""Whether a stage can be run here at all: asked before anything is run, removed or written."""

from __future__ import annotations

from collections.abc import Callable, Container

from mlctl.errors import ConfigError, NotAble
from mlctl.pipeline.spec import Stage


def check(
    stage: Stage, *, gpus: int | None, environment: Container[str], ignored: Callable[[str], bool]
) -> None:
    """Raise where `stage` cannot be run with what there is.

    `gpus` is how many there are (None: on a host, which says so itself), `environment` the names
    that are set, `ignored` whether .dvcignore names a key. ConfigError for a cached out outside of
    the repository (which DVC refuses after the command), for an out that is ignored and for a
    variable that is not set, NotAble for GPUs that are not there.
    """
    for out in stage.outs:
        if ignored(out.key):
            raise ConfigError(
                f"{out.path!r} is an out, and .dvcignore names it",
                file=stage.file,
                where=f"{stage.where}.outs".lstrip("."),
                hint="remove its pattern from .dvcignore, or the out from the stage",
            )
        if out.cache and out.key.startswith("/"):
            raise ConfigError(
                f"{out.path!r} lies outside of the repository, so it cannot be cached",
                file=stage.file,
                where=f"{stage.where}.outs".lstrip("."),
                hint="write `cache: false` for it, or move it into the repository",
            )
    if gpus is not None and stage.settings.gpus > gpus:
        raise NotAble(
            f"stage {stage.address!r} asks for {stage.settings.gpus} GPUs; {gpus} found here",
            hint="set `meta.mlctl.gpus: 0`, or run it where there are GPUs",
        )
    missing = [name for name in stage.settings.env_from if name not in environment]
    if missing:
        raise ConfigError(
            f"{', '.join(missing)} is not set in the environment",
            file=stage.file,
            where=f"{stage.where}.meta.mlctl.env_from",
            hint=f"export {missing[0]}=…",
        )
