"""Python environments of jobs: one for each list of requirements, built once, used by all.

`envs/<key>/` is a virtual environment, `envs/<key>.lock` is held while it is being built, and
`envs/<key>/.ready` says that it is whole, and by its time when it was used last. The key is that of
the requirements, of the Python that it is made with, and of the machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from typing import IO, Callable, Sequence

_TOLD = 20  # lines of the installer's output that go into an error


class Failed(Exception):
    """The environment cannot be made; the message says why, and the installer's last lines."""


class Environment:
    """The environment for the requirements in the file `requirements`."""

    def __init__(self, home: str, requirements: str) -> None:
        with open(requirements, "rb") as file:
            content = file.read()
        about = (sys.version, platform.machine(), platform.system(), sys.executable)
        digest = hashlib.sha256(content + repr(about).encode()).hexdigest()[:20]
        self.path = os.path.join(home, "envs", digest)
        self._requirements = requirements
        self._ready = os.path.join(self.path, ".ready")

    @property
    def bin(self) -> str:
        return os.path.join(self.path, "bin")

    def is_ready(self) -> bool:
        return os.path.exists(self._ready)

    def build(self, log: IO[bytes], waits: Callable[[], None]) -> None:
        """Make it, unless it is there. `waits` is called before what takes time. Raises Failed."""
        if self.is_ready():
            os.utime(self._ready)
            return
        waits()
        handle = os.open(self.path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not self.is_ready():
                shutil.rmtree(self.path, ignore_errors=True)  # a build that was cut off
                self._build(log)
                with open(self._ready, "wb"):
                    pass
        finally:
            os.close(handle)

    def _build(self, log: IO[bytes]) -> None:
        uv = shutil.which("uv")
        python = os.path.join(self.bin, "python")
        if uv:
            _run([uv, "venv", "-q", "--python", sys.executable, self.path], log)
            argv = [uv, "pip", "install", "-q", "--python", python]
        else:
            if not _has_venv():
                version = "{}.{}".format(*sys.version_info)
                raise Failed(
                    "its Python has no venv: install uv there, or python{}-venv by apt, or set "
                    "`env: none` for the host".format(version)
                )
            _run([sys.executable, "-m", "venv", self.path], log)
            argv = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*argv, "-r", self._requirements], log)


def _run(argv: Sequence[str], log: IO[bytes]) -> None:
    log.write("mlctl: {}\n".format(" ".join(argv)).encode())
    begin = log.tell()
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    except OSError as error:
        raise Failed("{}: {}".format(argv[0], error.strerror)) from None
    if done.returncode:
        with open(log.name, "rb") as file:
            file.seek(begin)
            lines = file.read().decode(errors="replace").splitlines()[-_TOLD:]
        raise Failed("{} failed\n{}".format(os.path.basename(argv[0]), "\n".join(lines)))


def _has_venv() -> bool:
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(ensurepip and venv)
