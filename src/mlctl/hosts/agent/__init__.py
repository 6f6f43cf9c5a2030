"""The program that runs on a host: sent over ssh at each call, so that nothing is installed there.

Standard library only, Python 3.8 and later; nothing outside of this package is imported. The
modules travel as one file (`mlctl.hosts.bundle`), of which each job keeps its own copy, so that a
newer client never changes what watches a running job.

A job is a folder (`jobs`). Its `supervise` process holds the `claim`, prepares the work tree, waits
for its GPUs (`leases`), starts the `run` process, and records the end. `run` starts the commands
and writes their exit code itself, so that no death of a supervisor can lose it. Whether a job lives
is asked of the kernel (is the claim locked?), never of a clock or a process number.
"""
