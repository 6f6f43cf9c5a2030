"""Whether a run can be done here at all: asked before anything is run, removed or written."""

from __future__ import annotations

from collections.abc import Container, Sequence

from mlctl.errors import ConfigError, NotAble
from mlctl.pipeline.spec import Stage


def check(stages: Sequence[Stage], *, gpus: int, environment: Container[str]) -> None:
    """Raise for the first of `stages` that cannot be run with what there is.

    `gpus` is how many there are, `environment` the names that are set. ConfigError for a cached
    out outside of the repository, NotAble for what is missing on this machine.
    """
    for stage in stages:
        _check_outs(stage)
        if stage.settings.gpus > gpus:
            raise NotAble(
                f"stage {stage.address!r} asks for {stage.settings.gpus} GPUs; {gpus} found here",
                hint="set `meta.mlctl.gpus: 0`, or run it where there are GPUs",
            )
        missing = [name for name in stage.settings.env_from if name not in environment]
        if missing:
            raise NotAble(
                f"stage {stage.address!r} takes {', '.join(missing)} from the environment, "
                "where it is not set",
                hint=f"export {missing[0]}=…",
            )


def _check_outs(stage: Stage) -> None:
    for out in stage.outs:
        if out.cache and out.key.startswith("/"):
            raise ConfigError(
                f"the out {out.path!r} lies outside of the repository, and so cannot be cached",
                file=stage.file,
                where=stage.where("outs"),
                hint=f"write it as `- {out.path}: {{cache: false}}`",
            )
