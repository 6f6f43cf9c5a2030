"""From reports to alarms: hysteresis, mutes, series and their change points."""

from __future__ import annotations

from mlctl.monitoring.alarms.deciding import decide as decide
