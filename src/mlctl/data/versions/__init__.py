"""Versions of data, in DVC's own formats: push, fetch, checkout, status, move, remove, garbage."""
