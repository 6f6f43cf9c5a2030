"""What there is to know of a host before a job is sent there."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from mlctl.hosts.agent import environments, gpus, leases, processes

_NAMES = {"cpython": "CPython", "pypy": "PyPy"}  # as `platform` says them
LOGIND = ("/etc/systemd/logind.conf", "/usr/lib/systemd/logind.conf")


def machine() -> dict[str, Any]:
    """What kind of machine this is: nothing that names it. Memory in bytes."""
    system, implementation = os.uname(), sys.implementation.name
    return {
        "platform": "{} {}".format(system.sysname, system.machine),
        "python": "{} {}".format(
            _NAMES.get(implementation, implementation), sys.version.split()[0]
        ),
        "cpus": cpus(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }


def cpus() -> int:
    """How many processors we may use."""
    return len(os.sched_getaffinity(0))


def facts(home: str) -> dict[str, Any]:
    """All of it, as JSON; sizes in bytes, times in seconds."""
    import getpass
    import platform
    import shutil

    disk = os.statvfs(home)
    driver, cuda = gpus.driver()
    return {
        "user": getpass.getuser(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "home": home,
        "disk": {
            "free": disk.f_bavail * disk.f_frsize,
            "total": disk.f_blocks * disk.f_frsize,
            "inodes": disk.f_favail,
        },
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load": list(os.getloadavg()),
        "gpus": gpu_states(),
        "driver": driver,
        "cuda": cuda,
        "boot": processes.boot_id(),
        "time": time.time(),
        "tools": {name: shutil.which(name) for name in ("uv", "git", "conda", "docker")},
        "venv": environments.has_venv(),
        "kills_at_logout": kills_at_logout(),
    }


def gpu_states() -> list[dict[str, Any]]:
    """Each GPU with `leased`, whether a job of mlctl has it."""
    try:
        leased = leases.Leases().holders()
    except OSError:
        leased = set()
    return [dict(gpu.to_dict(), leased=gpu.uuid in leased) for gpu in gpus.seen().values()]


def kills_at_logout() -> bool:
    """Whether the system ends a user's processes with the last session (logind.conf(5))."""
    import getpass

    if os.path.exists(os.path.join("/var/lib/systemd/linger", getpass.getuser())):
        return False
    for path in LOGIND:
        try:
            with open(path) as file:
                lines = [line.strip().replace(" ", "").lower() for line in file]
        except OSError:
            continue
        if "killuserprocesses=yes" in lines:
            return True
        if "killuserprocesses=no" in lines:
            return False
    return False
