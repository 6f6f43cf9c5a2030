"""ssh: the system's own OpenSSH, so that a user's configuration, keys and agents work as they do.

One connection to a host is kept open for some minutes (`ControlMaster`), and sessions go over it.
Host keys are always checked, as the user's configuration says, and nothing is ever asked: who has
to type something is told to run `ssh HOST` once.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import tempfile
import time
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from mlctl.errors import NotAble

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSIST = 600  # seconds that a connection stays open unused
_COMMON = (
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ConnectTimeout=10",
    "ForwardAgent=no",
    "LogLevel=ERROR",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ServerAliveCountMax=3",
    "ServerAliveInterval=15",
)
_REFUSED_SESSIONS = ("Session open refused", "session request failed", "open failed")
_LOGIN = 60.0  # seconds that a login may take
_PATIENCE = 30.0  # seconds to wait for one of the host's sessions to become free

# What ssh says, what that means, and what to do. The first that matches is told.
_MEANINGS = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one that is known",
        "find out why; if it is right, `ssh-keygen -R {host}` forgets the old one",
    ),
    (
        "Host key verification failed",
        "its host key is not known",
        "`ssh {host}` shows the key and asks whether it is right",
    ),
    (
        "Permission denied",
        "it refused our keys",
        "make `ssh {host}` work without a password: an agent, or IdentityFile in ~/.ssh/config",
    ),
    (
        "Could not resolve hostname",
        "there is no host of this name",
        "give it a `Host {host}` entry in ~/.ssh/config",
    ),
    ("Connection refused", "nothing answers at its port", "is sshd running there?"),
    ("timed out", "it does not answer", "is it up, and reachable from here?"),
    ("No route to host", "it cannot be reached", "is it up, and reachable from here?"),
    ("Bad configuration option", "ssh refuses its configuration", "look at ~/.ssh/config"),
)


class Unreachable(NotAble):
    """A host that no connection could be made to; `said` is what ssh printed."""

    def __init__(self, host: str, said: str) -> None:
        for sign, meaning, hint in _MEANINGS:
            if sign in said:
                super().__init__(f"host {host!r}: {meaning}", hint=hint.format(host=host))
                break
        else:
            last = said.strip().rpartition("\n")[2] or "ssh could not connect"
            super().__init__(f"host {host!r}: {last}", hint=f"does `ssh {host}` work?")
        self.said = said


@dataclass(frozen=True, slots=True)
class Session:
    """A running command of a host: we write to `stdin` and read from `stdout`."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    @property
    def stdin(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdout)

    def said(self) -> str:
        """What it, or ssh, printed to standard error."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def end(self, patience: float = 0.0) -> int:
        """Hang up, kill it after `patience` seconds, and return its exit code."""
        with suppress(OSError, ValueError):
            self.stdin.close()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:  # not before: a thread may be reading, and closing would wait for it
            with suppress(OSError, ValueError):
                self.stdout.close()


class Ssh:
    """The connection to one host, by its name in `~/.ssh/config`; threads may share it.

    `config` is another configuration file (`ssh -F`).
    """

    def __init__(self, host: str, config: str | None = None) -> None:
        if not host or host.startswith("-"):
            raise NotAble(f"{host!r} cannot be the name of a host")
        self.host = host
        self._config = config or os.environ.get("MLCTL_SSH_CONFIG")
        self._folder = _control_folder()
        self._under_way: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()

    def open(self) -> None:
        """See to it that there is a connection. Raises Unreachable."""
        if self._is_open():
            return
        with self._opening():  # a host refuses many logins at once (MaxStartups)
            if self._is_open():
                return
            with tempfile.TemporaryFile() as errors:
                argv = self._argv("ControlMaster=auto", f"ControlPersist={PERSIST}")
                # The connection outlives this call, and so must hold none of our pipes.
                login = subprocess.Popen(
                    [*argv, "--", self.host, "exit 0"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    start_new_session=True,
                )
                self._under_way.add(login)
                try:
                    code = login.wait(_LOGIN)
                except subprocess.TimeoutExpired:
                    login.kill()
                    login.wait()
                    raise Unreachable(self.host, "the login timed out") from None
                errors.seek(0)
                said = errors.read().decode(errors="replace")
            if not self._is_open():
                raise Unreachable(self.host, said if code else "ssh kept no connection")

    def start(self, command: str) -> Session:
        """A session that runs `command` in the host's login shell, over the open connection.

        It never logs in anew: with no connection, or with no session left, it ends with 255.
        """
        # Where the connection is not to be had, ssh would make its own: `false` makes that fail.
        argv = self._argv("ControlMaster=no", "ProxyCommand=false")
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the session
        process = subprocess.Popen(
            [*argv, "--", self.host, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is ours to hear
        )
        self._under_way.add(process)
        return Session(process, errors)

    def hang_up(self) -> None:
        """End every login and session that was begun here; the connection stays."""
        for process in list(self._under_way):
            if process.returncode is None:
                process.kill()

    def has_sftp(self) -> bool:
        """Whether the host transfers files by sftp, over the open connection."""
        argv = self._argv("ControlMaster=no", "ProxyCommand=false")
        try:
            done = subprocess.run(
                [*argv, "-s", "--", self.host, "sftp"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def shell(self, folder: str | None) -> int:
        """A login shell for a person, in `folder` where one is given; its exit code."""
        argv = self._argv("ControlMaster=auto", f"ControlPersist={PERSIST}", "RequestTTY=auto")
        command = [f"cd {shlex.quote(folder)} && exec $SHELL -l"] if folder else []
        return subprocess.run([*argv, "-t", "--", self.host, *command]).returncode

    def close(self) -> None:
        """End the connection, for all who use it."""
        self._control("exit")

    def _is_open(self) -> bool:
        return self._control("check")

    def _control(self, what: str) -> bool:
        done = subprocess.run(
            [*self._argv(), "-O", what, "--", self.host],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return done.returncode == 0

    def _argv(self, *options: str) -> list[str]:
        # A short name: the path of a socket has some 100 bytes at most.
        path = f"ControlPath={self._folder}/%C"
        given = ["-F", self._config] if self._config else []
        return ["ssh", *given, *_flags(path, *_COMMON, *options)]

    @contextmanager
    def _opening(self) -> Iterator[None]:
        name = "".join(c if c.isalnum() else "-" for c in self.host)
        handle = os.open(f"{self._folder}/{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def is_full(text: str) -> bool:
    """Whether the host refused one more session over its connection (MaxSessions)."""
    return any(sign in text for sign in _REFUSED_SESSIONS)


def waits(seconds: float = _PATIENCE) -> Iterator[float]:
    """Pauses that grow, in seconds, until `seconds` are over."""
    end, pause = time.monotonic() + seconds, 0.05
    while time.monotonic() < end:
        yield pause
        pause = min(pause * 1.5, 2.0)


def _flags(*options: str) -> list[str]:
    return [part for option in options for part in ("-o", option)]


def _control_folder() -> str:
    """A private folder with a short path, for the sockets of connections."""
    folder = os.path.join("/tmp", f"mlctl-ssh-{os.getuid()}")  # noqa: S108 - checked below
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    status = os.lstat(folder)
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise NotAble(f"{folder} is not ours alone", hint=f"remove {folder}")
    return folder
