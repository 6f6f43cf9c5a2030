"""Runs: list them, and look at one."""
