"""The index of runs: what their files say, in SQLite, so that it need not be read each time."""
