"""A host's side without a connection: its requests, asked in this process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from e2e.sandbox import wait_until
from mlctl.hosts import bundle
from mlctl.hosts.agent import home
from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import Objects
from mlctl.hosts.agent.serve import Requests
from mlctl.store.tree import tree_bytes


class Home:
    """The folder of a host, and what can be asked of it."""

    def __init__(self, folder: Path) -> None:
        self.path = home.find(str(folder))
        self.objects = Objects(self.path)
        # Names are a host's own, not those of a home: processes are found by them.
        self.one, self.two = sorted(os.urandom(8).hex() for _ in range(2))
        self.requests = Requests(self.path, bundle.source())

    def put(self, data: bytes) -> str:
        md5 = self.objects.put(data)
        self.objects.sync()
        return md5

    def put_folder(self, files: dict[str, bytes]) -> str:
        listing = tree_bytes((name, self.put(data)) for name, data in files.items())
        md5 = self.objects.put(listing, ".dir")
        self.objects.sync()
        return md5

    def spec(self, *commands: str, **more: Any) -> dict[str, Any]:
        """A job without code."""
        return {
            "stage": "s",
            "project": "p",
            "user": "me",
            "submitted": "now",
            "code": self.put(json.dumps({"files": [], "links": []}).encode()),
            "deps": [],
            "outs": [],
            "wdir": ".",
            "root": "",
            "commands": list(commands),
            "shell": ["/bin/sh", "-c"],
            "env": {},
            "secrets": [],
            "timeout": None,
            "gpus": 0,
            **more,
        }

    def submit(self, name: str, *commands: str, **more: Any) -> Job:
        answer = self.requests.submit(name, self.spec(*commands, **more), {})
        assert "need" not in answer, answer
        return Job(self.path, name)

    def ended(self, job: Job, seconds: float = 60) -> dict[str, Any]:
        """The job's end, waited for."""
        wait_until(lambda: job.end() is not None, seconds)
        wait_until(lambda: not job.is_supervised())
        end = job.end()
        assert end is not None
        return end

    def run(self, name: str, *commands: str, **more: Any) -> dict[str, Any]:
        return self.ended(self.submit(name, *commands, **more))


def pids(pattern: str) -> list[int]:
    """The processes whose command line matches."""
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]
