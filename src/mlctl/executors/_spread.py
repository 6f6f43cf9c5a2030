"""Stages over the hosts that share a label: each goes to the one that can begin it soonest."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from mlctl.errors import NotAble
from mlctl.executors import Exit, Job
from mlctl.executors.ssh import Executor as OnHost
from mlctl.hosts import intents


class Executor:
    """Runs each job on one of `hosts`, given by their names and settings."""

    def __init__(self, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        self._hosts = {name: OnHost(name, options) for name, options in hosts.items()}
        self._lock = threading.Lock()
        self._given: dict[str, int] = dict.fromkeys(hosts, 0)  # jobs that we have there
        self._chosen: dict[str, str] = {}

    def run(self, job: Job) -> Exit:
        """Raises NotAble where no host answers, or none has so many GPUs."""
        host = self._begun_on(job) or self._best(job)
        self._chosen[job.address] = host
        try:
            return replace(self._hosts[host].run(job), place=host)
        finally:
            with self._lock:
                self._given[host] -= 1

    def settle(self, job: Job) -> None:
        self._hosts[self._chosen[job.address]].settle(job)

    def leave(self) -> None:
        for host in self._hosts.values():
            host.leave()

    def close(self) -> None:
        for host in self._hosts.values():
            host.close()

    def cancel(self, *, now: bool = False) -> None:
        for host in self._hosts.values():
            host.cancel(now=now)

    def _begun_on(self, job: Job) -> str | None:
        """The host of a job that an earlier run began for the stage."""
        if job.files is None:
            return None
        known = intents.read(job.files.workspace.config.local_dir, job.address)
        if known is None or known.host not in self._hosts:
            return None
        with self._lock:
            self._given[known.host] += 1
        return known.host

    def _best(self, job: Job) -> str:
        with ThreadPoolExecutor(len(self._hosts)) as pool:
            facts = dict(zip(self._hosts, pool.map(self._facts, self._hosts), strict=True))
        heard = {name: found for name, found in facts.items() if found is not None}
        if not heard:
            raise NotAble(
                f"none of {', '.join(self._hosts)} answers", hint="`mlctl host check` tells why"
            )
        able = {name: found for name, found in heard.items() if len(found["gpus"]) >= job.gpus}
        if not able:
            most = max(len(found["gpus"]) for found in heard.values())
            raise NotAble(f"{job.gpus} GPUs are asked for, and no host has more than {most}")
        with self._lock:  # two that ask at once must see each other
            best = ranked(able, self._given, job.gpus)[0]
            self._given[best] += 1
        return best

    def _facts(self, name: str) -> dict[str, Any] | None:
        try:
            return self._hosts[name].facts()
        except NotAble:
            return None


def ranked(
    facts: Mapping[str, Mapping[str, Any]], given: Mapping[str, int], gpus: int
) -> Sequence[str]:
    """The hosts, best first: free GPUs enough, then the least of our jobs, then the least load.

    `given` counts jobs that were sent there already, of which `facts` may know nothing yet.
    """

    def worth(name: str) -> tuple[bool, float, float]:
        found = facts[name]
        free = sum(not gpu["leased"] and not gpu["users"] for gpu in found["gpus"])
        share = given[name] / max(1, len(found["gpus"]) if gpus else found["cpus"])
        return free - given[name] * gpus < gpus, share, found["load"][0] / found["cpus"]

    return sorted(facts, key=worth)
