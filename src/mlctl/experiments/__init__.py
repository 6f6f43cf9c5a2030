"""Runs: capture, query, show."""
