"""What a person sees while a monitor runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watching(name: str, *, show: bool) -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what the monitor `name` is at; it is gone at the end."""
    if not show or not sys.stderr.isatty():
        yield lambda _: None
        return
    from mlctl.cli._output import console

    with console(stderr=True).status(f"{name}: opening the data") as status:
        yield lambda step: status.update(f"{name}: {step}")
