"""A remote over SSH: a real sshd on loopback that serves files."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sshd


@dataclass(frozen=True)
class SshRemote:
    """`key` is the private key that the server lets in."""

    server: sshd.Sshd

    @property
    def key(self) -> Path:
        return self.server.folder / "user"

    def url(self, path: Path) -> str:
        """What a DVC remote takes for a folder of this machine."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.server.port}{path}"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[SshRemote]:
    """A server for as long as the block lasts; NOT RUN where there is no sshd."""
    with sshd.running(folder, options=("Subsystem sftp internal-sftp",)) as server:
        yield SshRemote(server)
