"""Checks over many rows, columns and splits: duplicates, leakage, labels, personal data.

`checking` runs those that a contract declares; nothing here is imported where none is.
"""
