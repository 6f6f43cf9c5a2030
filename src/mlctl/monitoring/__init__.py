"""Drift and accuracy over time, as reports in git."""
