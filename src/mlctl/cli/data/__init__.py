"""Data: its versions, what it promises, and what changed in it."""
