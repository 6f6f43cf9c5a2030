"""The forms in which CI systems read what a check found: a module for each, by its name.

A form has one function, `render(suites)`: the whole text of a file. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlctl.data.findings import Suite


class Form(Protocol):
    """A plug-in module of `mlctl.data.forms`."""

    def render(self, suites: Sequence[Suite]) -> str:
        """All that was checked, as the text of one file."""
