"""What stands in the way of running stages on a host, told all at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

LITTLE_SPACE = 5_000_000_000  # bytes
FEW_INODES = 100_000
SKEW = 60.0  # seconds

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, how it stands, and what to do about it."""

    what: str
    level: Level
    said: str
    hint: str | None = None


def findings(facts: Mapping[str, Any], *, skew: float, sftp: bool) -> list[Finding]:
    """The findings on a host that answered; `skew` is its clock less ours, in seconds, and `sftp`
    whether it transfers files that way.
    """
    return [
        Finding("python", "ok", f"{facts['python']} ({facts['executable']})"),
        _disk(facts),
        *_gpus(facts),
        _logout(facts),
        _environments(facts),
        _clock(skew),
        _sftp(sftp),
    ]


def _disk(facts: Mapping[str, Any]) -> Finding:
    disk = facts["disk"]
    said = f"{disk['free'] / 1e9:.0f} of {disk['total'] / 1e9:.0f} GB free at {facts['home']}"
    if disk["free"] < LITTLE_SPACE:
        return Finding("disk", "warning", said, "`mlctl host gc` removes what is no longer needed")
    if 0 < disk["inodes"] < FEW_INODES:
        return Finding("disk", "warning", f"{said}, but {disk['inodes']} inodes")
    return Finding("disk", "ok", said)


def _gpus(facts: Mapping[str, Any]) -> list[Finding]:
    if not facts["gpus"]:
        return [Finding("gpus", "ok", "none")]
    driver = f"driver {facts['driver']}, CUDA up to {facts['cuda'] or 'unknown'}"
    found = [Finding("driver", "ok", driver)]
    for gpu in facts["gpus"]:
        memory = f"{gpu['memory'] / 1024:.0f} GiB" if gpu["memory"] else "memory unknown"
        said = f"{gpu['name']}, {memory}"
        if gpu["leased"]:
            said += ", in use by a job"
        elif gpu["users"]:
            said += f", in use outside of mlctl (pid {', '.join(map(str, gpu['users']))})"
        found.append(Finding(f"gpu {gpu['index']}", "ok", said))
    return found


def _logout(facts: Mapping[str, Any]) -> Finding:
    if facts["kills_at_logout"]:
        hint = "`loginctl enable-linger` there, or KillUserProcesses=no in logind.conf"
        return Finding("jobs", "problem", "the host ends them when we hang up", hint)
    return Finding("jobs", "ok", "outlive the connection")


def _environments(facts: Mapping[str, Any]) -> Finding:
    tools = [name for name, path in sorted(facts["tools"].items()) if path]
    if facts["venv"]:
        tools.append("venv")
    return Finding("tools", "ok", ", ".join(tools) or "none")


def _clock(skew: float) -> Finding:
    if abs(skew) > SKEW:
        hint = "jobs do not care; times in logs will look odd (`timedatectl set-ntp true`)"
        ahead = "ahead" if skew > 0 else "behind"
        return Finding("clock", "warning", f"{abs(skew):.0f} s {ahead} of ours", hint)
    return Finding("clock", "ok", "as ours")


def _sftp(there: bool) -> Finding:
    if there:
        return Finding("sftp", "ok", "answers")
    hint = "runs do not need it; DVC does, where this host is an SSH remote (`Subsystem sftp …`)"
    return Finding("sftp", "warning", "is not offered", hint)
