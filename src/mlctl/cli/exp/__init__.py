"""Runs: find, compare, watch and make them again; keep and share their records."""
