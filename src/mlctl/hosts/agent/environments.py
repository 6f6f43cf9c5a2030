"""Python environments of jobs: one for each list of requirements, built once, used by all.

`envs/<key>/` is a virtual environment, `envs/<key>.lock` is held while it is being built, and
`envs/<key>/.ready` says that it is whole, and by its time when it was used last. The key is that of
the requirements, of the Python that it is made with, and of the machine.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from typing import IO, Callable, Sequence

from mlctl.hosts.agent import disk, processes

_TOLD = 20  # lines of the installer's output that go into an error
_PERIOD = 0.1
_GRACE = 5.0  # seconds from SIGTERM to SIGKILL of an installer that is not wanted any more


class Failed(Exception):
    """The environment cannot be made; the message says why, and the installer's last lines."""


class Cancelled(Exception):
    """The job is not wanted any more."""


class Environment:
    """The environment for the requirements in the file `requirements`.

    `uv` is the program that the client sent, if it did.
    """

    def __init__(self, home: str, requirements: str, uv: str | None = None) -> None:
        with open(requirements, "rb") as file:
            content = file.read()
        about = (sys.version, os.uname().machine, os.uname().sysname, sys.executable)
        digest = hashlib.sha256(content + repr(about).encode()).hexdigest()[:20]
        self.path = os.path.join(home, "envs", digest)
        self._requirements = requirements
        self._sent_uv = uv
        self._ready = os.path.join(self.path, ".ready")

    @property
    def bin(self) -> str:
        return os.path.join(self.path, "bin")

    def is_ready(self) -> bool:
        return os.path.exists(self._ready)

    def build(
        self, log: IO[bytes], waits: Callable[[], None], job: str, give_up: Callable[[], bool]
    ) -> None:
        """Make it for `job`, unless it is there. `waits` is called before what takes time.

        Raises Failed, and Cancelled when `give_up()` became true.
        """
        if self.is_ready():
            os.utime(self._ready)
            return
        waits()
        handle = _locked(self.path + ".lock", give_up)
        try:
            if not self.is_ready():
                import shutil

                shutil.rmtree(self.path, ignore_errors=True)  # a build that was cut off
                try:
                    self._build(_Installer(log, handle, job, give_up))
                finally:
                    disk.remove(self.path + ".uv")
                disk.sync_all(self.path)
                with open(self._ready, "wb"):
                    pass
        finally:
            os.close(handle)

    def _build(self, install: _Installer) -> None:
        import shutil

        uv = shutil.which("uv") or self._unpacked_uv()
        python = os.path.join(self.bin, "python")
        if uv:
            install.run([uv, "venv", "-q", "--python", sys.executable, self.path])
            argv = [uv, "pip", "install", "-q", "--python", python]
        else:
            if not has_venv():
                version = "{}.{}".format(*sys.version_info)
                raise Failed(
                    "its Python has no venv: install uv there, or python{}-venv by apt, or set "
                    "`uv: send` or `env: none` for the host".format(version)
                )
            install.run([sys.executable, "-m", "venv", self.path])
            argv = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        install.run([*argv, "-r", self._requirements])

    def _unpacked_uv(self) -> str | None:
        """The program that was sent, as a file that can be executed."""
        if self._sent_uv is None:
            return None
        target = self.path + ".uv"
        disk.copy(self._sent_uv, target)
        os.chmod(target, 0o700)
        return target


class _Installer:
    """Runs what makes an environment, with the job's mark, so that it can be ended with the job.

    It holds the lock while it lives: if we are killed, no other begins before it has ended.
    """

    def __init__(self, log: IO[bytes], lock: int, job: str, give_up: Callable[[], bool]) -> None:
        self._log, self._lock, self._job, self._give_up = log, lock, job, give_up

    def run(self, argv: Sequence[str]) -> None:
        self._log.write("mlctl: {}\n".format(" ".join(argv)).encode())
        begin = self._log.tell()
        try:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=dict(os.environ, **{processes.MARK: self._job}),
                pass_fds=[self._lock],
            )
        except OSError as error:
            raise Failed("{}: {}".format(argv[0], error.strerror)) from None
        while child.poll() is None:
            if self._give_up():
                processes.end(self._job, _GRACE)
                raise Cancelled
            time.sleep(_PERIOD)
        if child.returncode:
            with open(self._log.name, "rb") as file:
                file.seek(begin)
                lines = file.read().decode(errors="replace").splitlines()[-_TOLD:]
            raise Failed("{} failed\n{}".format(os.path.basename(argv[0]), "\n".join(lines)))


def _locked(path: str, give_up: Callable[[], bool]) -> int:
    """The descriptor that locks `path`. Raises Cancelled when `give_up()` became true."""
    while True:
        handle = disk.hold(path)
        if handle is not None:
            return handle
        if give_up():
            raise Cancelled
        time.sleep(_PERIOD)


def has_venv() -> bool:
    """Whether this Python can make environments; Debian leaves that out of its own."""
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(ensurepip and venv)
