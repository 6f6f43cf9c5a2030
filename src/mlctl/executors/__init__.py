"""Where a stage runs: a module for each place."""
