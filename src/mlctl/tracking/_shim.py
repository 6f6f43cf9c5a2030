"""`import mlctl` in a stage: the mlctl of the stage's own Python where it has one, else a copy of
its logging.

This file stands on the PYTHONPATH of stages, which comes before what is installed.
"""

import os
import sys
from importlib.util import module_from_spec

_MARK = ".shim"  # beside this file, where it stands in for mlctl


def _become_installed() -> bool:
    """Put the mlctl that is found without this folder in our place; whether there is one."""
    rest = [p for p in sys.path if not os.path.exists(os.path.join(p, "mlctl", _MARK))]
    shim = sys.modules[__name__]
    for finder in list(sys.meta_path):  # an editable installation has a finder of its own
        try:
            spec = finder.find_spec(__name__, rest)
            if spec is None or spec.loader is None or not spec.origin:
                continue
            if os.path.exists(os.path.join(os.path.dirname(spec.origin), _MARK)):
                continue
            module = module_from_spec(spec)
            sys.modules[__name__] = module
            spec.loader.exec_module(module)
        except Exception:  # not of this Python, or broken
            sys.modules[__name__] = shim
        else:
            return True
    return False


if not _become_installed():
    from mlctl.tracking import (  # noqa: F401
        Run,
        log,
        log_artifact,
        log_image,
        log_params,
        log_plot,
        params,
        start_run,
    )
