"""From reports to alarms: series, change points, hysteresis, mutes and incidents."""
