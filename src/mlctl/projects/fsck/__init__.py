"""Checking a repository's cache, locks, pointers and run-cache, and mending what can be mended."""
