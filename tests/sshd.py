"""A real OpenSSH server on loopback, run by the user of the tests with keys of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Sshd:
    """One server; `config` is a client's configuration with the host `name`, `home` its home."""

    def __init__(
        self,
        folder: Path,
        name: str = "box",
        *,
        options: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        if SSHD is None:
            pytest.skip("NOT RUN: no sshd (apt install openssh-server)")
        self.folder, self.name = folder, name
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.config = folder / "ssh_config"
        self.port = _free_port()
        for key in ("host", "user"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(argv, check=True)
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        set_env = " ".join(
            f'"{key}={value}"' for key, value in {"HOME": self.home, **(env or {})}.items()
        )
        lines = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            f"PidFile {folder}/pid",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            f"SetEnv {set_env}",
            *options,
        )
        (folder / "sshd_config").write_text("\n".join(lines) + "\n")
        self.write_client(folder / "host.pub")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def write_client(self, host_key: Path, port: int | None = None) -> None:
        """Write the client's side, in which `host_key` is the one that is known.

        `port` is that of a link to the server.
        """
        port = port or self.port
        known = self.folder / "known_hosts"
        kind, key = host_key.read_text().split()[:2]
        known.write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
        self.config.write_text(
            f"Host {self.name}\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n"
            f" IdentityFile {self.folder}/user\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {known}\n StrictHostKeyChecking yes\n"
        )

    def start(self) -> None:
        assert SSHD is not None
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it where root starts it
        log = open(self.folder / "log", "ab")  # noqa: SIM115 - the server's
        argv = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self._process = subprocess.Popen(argv, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def connections(self) -> list[int]:
        """The server's processes of open connections."""
        own = self._process.pid if self._process else 0
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == own:
                continue
            with contextlib.suppress(OSError):
                named = (entry / "cmdline").read_bytes().startswith(b"sshd: ")
                if named and _is_below(int(entry.name), own):
                    found.append(int(entry.name))
        return found

    def cut(self) -> None:
        """Break every open connection, as a lost link does."""
        for pid in self.connections():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        if self._process is not None:
            self.cut()
            self._process.terminate()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def running(folder: Path, name: str = "box", **options: object) -> Iterator[Sshd]:
    """A server that is stopped at the end, with all that clients left open to it."""
    server = Sshd(folder, name, **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.stop()


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
