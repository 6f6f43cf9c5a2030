"""Profiles: what is known of a table without its rows, small enough for git, and mergeable.

`quantiles`, `distinct`, `frequent`, `moments`, `packing` and `hashing` are pure.
"""
