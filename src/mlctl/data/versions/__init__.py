"""Versions of data: push, pull, checkout, status, move, remove and garbage, in DVC's own formats."""
