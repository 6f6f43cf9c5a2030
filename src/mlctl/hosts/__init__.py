"""Hosts: ordinary Linux machines with `sshd` and `python3`, where stages run.

`agent` is what runs there, sent anew at each call (`bundle`). `channel` speaks to it; `client` does
what a host is asked for: objects there and back, jobs, logs.
"""
