"""Is this machine able to run the project's stages?"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mlctl.adapters.process import call
from mlctl.errors import NotAble
from mlctl.plugins import DISTRIBUTION

_ASK = "import sys, importlib.util as u; print(*(n for n in sys.argv[1:] if not u.find_spec(n)))"


def missing_modules(python: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (top-level modules) that the interpreter `python` cannot find.

    Asks for their place and imports none. Raises NotAble where `python` is no interpreter.
    """
    return tuple(call([python, "-c", _ASK, *names]).stdout.split())


def check_stage_python(names: Sequence[str], *, extra: str) -> None:
    """Raise NotAble where the stages' `python`, the first on PATH, lacks one of `names`."""
    try:
        missing = missing_modules("python", names)
    except NotAble as error:
        raise NotAble(
            f"the stages run `python`, which does not work here: {error}",
            hint=_activate(),
        ) from None
    if not missing:
        return
    lacking = f"the stages run the `python` on PATH, which lacks {', '.join(missing)}"
    if all(find_spec(name) for name in missing):
        raise NotAble(lacking, hint=f"{_activate()}  (mlctl's own environment has them)")
    raise NotAble(lacking, hint=f"python -m pip install '{DISTRIBUTION}[{extra}]'")


def _activate() -> str:
    script = Path(sys.prefix, "bin", "activate")
    if script.is_file():
        return f". {shlex.quote(str(script))}"
    return f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
