"""Checks over many rows, columns and splits: duplicates, leakage, labels, personal data.

`checking` runs those that a contract declares; nothing here is imported where none is.
"""

from importlib.util import find_spec

from mlctl.plugins import missing_extra

if find_spec("numpy") is None:
    raise missing_extra("numpy", "validate")
