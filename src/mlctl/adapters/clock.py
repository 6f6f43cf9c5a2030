"""The clock: the only place that asks for the time, so that pure rooms never do."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since 1970, UTC."""
    return time.time()


def monotonic() -> float:
    """Seconds on a clock that never goes backwards; only differences mean something."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)


def iso(seconds: float) -> str:
    """`2026-11-23T23:02:05.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
