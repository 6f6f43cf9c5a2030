"""What the verbs of `mlctl host` share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from mlctl.errors import InvalidInput, NotAble

HostName = Annotated[str, typer.Argument(metavar="HOST", help="Its name in ~/.ssh/config.")]
JobName = Annotated[
    str, typer.Argument(metavar="JOB", help="Its id, or the last characters of it.")
]


def root() -> str:
    """The project's root."""
    from mlctl.store.config import find_root

    return find_root(os.getcwd())


def find_job(name: str) -> tuple[Any, dict[str, Any]]:
    """`(host, job)` of the one job whose id ends in `name`, on whatever host of the project.

    Raises InvalidInput where there is none or several, NotAble where no host answers.
    """
    from mlctl.projects.hosts import open_host
    from mlctl.projects.settings import load_settings

    found, silent = [], []
    for host_name in load_settings(root()).hosts:
        host = open_host(root(), host_name)
        try:
            jobs = host.call("jobs")["jobs"]
        except NotAble as error:
            silent.append(str(error))
            continue
        found += [(host, job) for job in jobs if job["job"].endswith(name.upper())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(job["job"] for _, job in found)
        raise InvalidInput(f"several jobs end in {name!r}: {ids}")
    if silent:
        raise NotAble(f"no job ends in {name!r}; {'; '.join(silent)}")
    raise InvalidInput(f"no job ends in {name!r}", hint="`mlctl host jobs` lists them")


def each_host(names: list[str] | None, ask: Callable[[Any], Any]) -> dict[str, Any]:
    """What `ask` answers of each host, or the error that it raised; all are asked at once."""
    from concurrent.futures import ThreadPoolExecutor

    from mlctl.projects.hosts import open_host
    from mlctl.projects.settings import load_settings

    place = root()
    known = list(load_settings(place).hosts)
    if not known and not names:
        raise InvalidInput("there are no hosts yet", hint="`mlctl host add HOST` adds one")
    hosts = [open_host(place, name) for name in names or known]

    def safely(host: Any) -> Any:
        try:
            return ask(host)
        except NotAble as error:
            return error

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(safely, hosts))
    return {host.name: answer for host, answer in zip(hosts, answers, strict=True)}


def short(job: str) -> str:
    """The end of a job's id: what people type."""
    return job[-6:]


def state_text(job: Mapping[str, Any]) -> str:
    """How a job stands, in a few words."""
    if job["state"] == "waiting" and job["for"] == "environment":
        return "makes its environment"
    if job["state"] == "waiting":
        return f"waits for {job['gpus']} GPU{'s' if job['gpus'] > 1 else ''}"
    if job["state"] != "exited":
        return str(job["state"])
    if job["reason"] == "ended":
        if job.get("timed_out"):
            return "timed out"
        return "done" if not job["code"] else f"exit code {job['code']}"
    return str(job["reason"])
