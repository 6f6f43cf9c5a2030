"""What goes wrong in logging is told once, and never raised: training matters more."""

from __future__ import annotations

import functools
from typing import Any, Callable, Set, TypeVar

_Call = TypeVar("_Call", bound=Callable[..., Any])
_told: Set[str] = set()
_MOST = 100  # different warnings of one process


def warn(about: str, message: str) -> None:
    """Tell `message` once for each `about`: on stderr, or wherever the program's `logging` goes."""
    if about in _told or len(_told) >= _MOST:
        return
    _told.add(about)
    try:
        import logging

        logging.getLogger("mlctl").warning("mlctl: %s", message)
    except Exception:  # a handler of the program's own, or a closed stderr
        return


def reason(error: BaseException) -> str:
    """An error in a few words."""
    return f"{type(error).__name__}: {error}"


def harmless(call: _Call) -> _Call:
    """The same function, except that what it raises becomes a warning, and None its answer."""

    @functools.wraps(call)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except Exception as error:
            warn(call.__name__, f"{call.__name__} failed and is passed over: {reason(error)}")
            return None

    return guarded  # type: ignore[return-value]
