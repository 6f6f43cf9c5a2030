"""What a forked process must have for itself: locks that no thread holds, files, threads."""

from __future__ import annotations

import os
import weakref
from typing import Any


def renew_in_child(it: Any) -> None:
    """Call `it.forked()` in every child that this process forks, as long as `it` lives."""
    _all.add(it)


def _forked() -> None:
    for it in list(_all):
        it.forked()


_all: weakref.WeakSet[Any] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forked)
