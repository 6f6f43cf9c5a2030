"""A real PostgreSQL server of the tests' own, on loopback, with a password."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "geheim"


@dataclass
class Postgres:
    """A running server; `bin` holds its programs."""

    port: int
    bin: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def sql(self, text: str) -> None:
        subprocess.run(
            [self.bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", self.url, "-c", text],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            check=True,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server; NOT RUN where it is not installed."""
    bin_ = _programs()
    with tempfile.TemporaryDirectory(prefix="mlctl-pg-") as made:
        folder = Path(made)
        if os.getuid() == 0:  # the server refuses to be root's
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield from _served(folder, bin_)


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("NOT RUN: needs PostgreSQL (apt-get install postgresql)")
    return places[-1]


def _served(folder: Path, bin_: Path) -> Iterator[Postgres]:
    options = {"user": "postgres"} if os.getuid() == 0 else {}
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    data = folder / "data"
    run = {"check": True, "capture_output": True, "cwd": "/", **options}
    subprocess.run(
        [bin_ / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256",
         f"--pwfile={folder / 'password'}", "-E", "UTF8", "--no-sync"], **run
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    log = folder / "log"
    subprocess.run(
        [bin_ / "pg_ctl", "-w", "-D", data, "-l", log, "-o", arguments, "start"],
        **{**run, "capture_output": False, "stdout": subprocess.DEVNULL},
    )
    yield Postgres(port, bin_)
    subprocess.run([bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
