"""Watch data for drift: run monitors, and read their reports."""
