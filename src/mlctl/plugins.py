"""Plug-ins are modules, found by the name that users write.

Built-ins are the modules of a package (`mlctl.executors.local` is `local`); others come by the
entry-point group of the package's name (`mlctl.executors`). A plug-in imports its library at the
top: it is loaded on demand, so a missing extra fails here, with the pip line.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from mlctl.errors import InvalidInput, MissingExtra, suggestion

DISTRIBUTION = "mlctl-git"  # the name on PyPI; `mlctl` there belongs to another project


def names(package: str) -> list[str]:
    """The built-in plug-ins of `package`, sorted; modules whose name starts with `_` are not."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    found = {
        entry.stem if entry.suffix == ".py" else entry.name
        for place in places or []
        for entry in Path(place).iterdir()
        if entry.suffix == ".py" or (entry / "__init__.py").is_file()
    }
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def load(package: str, name: str, *, kind: str, extra: str | None = None) -> ModuleType:
    """The module of the plug-in `name`.

    `kind` is the word for messages ("executor"); `extra` the capability to install when an import
    of it fails. Raises InvalidInput for an unknown name, MissingExtra for a missing library.
    """
    module = name.replace("-", "_")
    known = names(package)
    if name.replace("_", "-") not in known:
        external_ones = external(package)
        if name not in external_ones:
            everything = sorted({*known, *external_ones})
            raise InvalidInput(f"no {kind} is called {name!r}", hint=suggestion(name, everything))
        module_path = external_ones[name]
    else:
        module_path = f"{package}.{module}"
    try:
        return importlib.import_module(module_path)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == "mlctl":
            raise
        raise missing_extra(error.name or name, extra or module) from error


def missing_extra(library: str, extra: str) -> MissingExtra:
    """The error for a library that is not installed, with the line that installs it."""
    return MissingExtra(
        f"this needs {library}, which is not installed",
        hint=f"pip install '{DISTRIBUTION}[{extra}]'",
    )


def external(package: str) -> dict[str, str]:
    """The plug-ins of other distributions: the module of each by its name."""
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=package)}
