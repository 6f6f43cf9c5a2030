"""Hosts over ssh: add and check them, and see to the jobs that run there."""
