"""DVC's `${}` templating: vars, foreach, matrix.

`resolve` is the whole of it; the modules below are its parts, without files or clock.
"""

from mlctl.pipeline.template.command import Parsing
from mlctl.pipeline.template.resolve import Resolved, ResolvedStage, resolve

__all__ = ["Parsing", "Resolved", "ResolvedStage", "resolve"]
