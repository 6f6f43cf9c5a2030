"""From reports to alarms: hysteresis, mutes, incidents, and change points of a series."""

from __future__ import annotations

from mlctl.monitoring.alarms.deciding import decide as decide
