"""A channel to a host: one session with the agent, on which many calls may be open at once."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any, Self

from mlctl.adapters import ssh
from mlctl.errors import NotAble
from mlctl.hosts.agent import wire
from mlctl.hosts.bundle import greeting

_NOISE = 1 << 20  # bytes of a login shell's words before the agent's first
_MOST = 64  # frames that wait to be taken: 16 MiB of data
_TICK = 0.5  # seconds between two looks at whether they still will be
_PATIENCE = 60.0  # seconds in which a host's login shell must come to the agent
_NO_CONNECTION = 255  # ssh's own exit code
_Frame = tuple[bytes, bytes] | None  # None: the channel is closed


class LostContact(NotAble):
    """The connection broke: what it was asked for may have been done or not."""


class NoSession(LostContact):
    """The host has no session left for us (MaxSessions)."""


class Refused(NotAble):
    """The agent answered that it cannot; `word` says why, for programs."""

    def __init__(self, host: str, word: str, message: str) -> None:
        super().__init__(f"host {host!r}: {message}")
        self.word = word


class Channel:
    """A session over an open connection.

    `home` is where the host keeps what is mlctl's, `machine` what it is: `Linux x86_64`.
    """

    def __init__(self, connection: ssh.Ssh, options: dict[str, Any]) -> None:
        self.host = connection.host
        nonce = os.urandom(16).hex()
        python = options.get("python") or "python3"
        command, program = greeting(nonce, {"home": options.get("home")})
        self._session = connection.start(f'exec {python} -I -S -X utf8 -c "{command}"')
        self._write_lock = threading.Lock()
        self._calls: dict[int, queue.Queue[_Frame]] = {}
        self._numbers = count(1)
        self._broken = False
        late = threading.Timer(_PATIENCE, self._session.process.kill)
        late.start()
        try:
            self._greet(program)
            met = self._meet(nonce)
            late.cancel()
            self.home, self.python = str(met["home"]), str(met["python"])
            self.machine = str(met["machine"])
        except BaseException:
            late.cancel()
            self.close()
            raise
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Ask for one thing. Raises Refused, LostContact."""
        for kind, payload in self.stream(do, **arguments):
            if kind == wire.END:
                answer: dict[str, Any] = json.loads(payload)
                return answer
        raise AssertionError("a stream ends with END")

    def stream(
        self, do: str, data: Iterable[bytes] = (), **arguments: Any
    ) -> Iterator[tuple[bytes, bytes]]:
        """Ask for what comes in pieces: `(kind, payload)` up to and with END; `data` is sent along.

        Raises Refused, LostContact.
        """
        number = next(self._numbers)
        answers: queue.Queue[_Frame] = queue.Queue(_MOST)
        self._calls[number] = answers
        try:
            self._send(wire.REQUEST, number, {"do": do, **arguments})
            for piece in data:
                self._send(wire.DATA, number, piece)
                if not answers.empty():  # it will not have the rest
                    break
            if do == "put":
                self._send(wire.END, number, b"")
            while True:
                frame = None if self._broken and answers.empty() else answers.get()
                if frame is None:
                    raise self._lost()
                kind, payload = frame
                if kind == wire.ERROR:
                    said = json.loads(payload)
                    raise Refused(self.host, said["word"], said["message"])
                yield kind, payload
                if kind == wire.END:
                    return
        finally:
            self._calls.pop(number, None)

    @property
    def is_broken(self) -> bool:
        return self._broken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the agent ends, jobs go on."""
        self._session.end(patience=2.0)

    def _greet(self, program: bytes) -> None:
        try:
            self._session.stdin.write(program)
            self._session.stdin.flush()
        except OSError:  # it has ended already
            raise self._no_agent() from None

    def _meet(self, nonce: str) -> dict[str, Any]:
        """Past all that the login shell prints, to the agent's first frame."""
        line = b""
        heard = 0
        while line.strip() != nonce.encode():
            line = self._session.stdout.readline()
            heard += len(line)
            if not line or heard > _NOISE:
                raise self._no_agent()
        try:
            kind, _, payload = wire.read(self._session.stdout)
        except wire.Closed:
            raise self._no_agent() from None
        said: dict[str, Any] = json.loads(payload)
        if kind == wire.ERROR:
            raise Refused(self.host, said["word"], f"no folder for jobs: {said['message']}")
        return said

    def _no_agent(self) -> NotAble:
        code = self._session.end(patience=1.0)
        said = self._session.said().strip()
        last = said.rpartition("\n")[2]
        if code == 127 or "not found" in last:
            hint = f"install Python 3.8 or later, or set `hosts: {{{self.host}: {{python: PATH}}}}`"
            return NotAble(f"host {self.host!r}: no python3 there", hint=hint)
        if last.startswith("mlctl: "):
            return NotAble(f"host {self.host!r}: {last.removeprefix('mlctl: ')}")
        problem = f"host {self.host!r}: no answer{': ' + last if last else ''}"
        if ssh.is_full(said):
            return NoSession(problem)
        if code in {_NO_CONNECTION, -signal.SIGKILL}:
            return LostContact(problem)
        return NotAble(problem, hint=f"does `ssh {self.host} python3 --version` work?")

    def _listen(self) -> None:
        try:
            while True:
                kind, number, payload = wire.read(self._session.stdout)
                answers = self._calls.get(number)
                if answers is not None:
                    self._hand_on(number, answers, (kind, payload))
        except (wire.Closed, OSError, ValueError):
            self._broken = True
            for number, answers in list(self._calls.items()):
                self._hand_on(number, answers, None)

    def _hand_on(self, number: int, answers: queue.Queue[_Frame], frame: _Frame) -> None:
        """Give a frame to who waits for it; the host has to wait while there are too many."""
        while self._calls.get(number) is answers:
            with suppress(queue.Full):
                answers.put(frame, timeout=_TICK)
                return

    def _send(self, kind: bytes, number: int, payload: Any) -> None:
        try:
            with self._write_lock:
                self._session.stdin.write(wire.pack(kind, number, payload))
                self._session.stdin.flush()
        except (OSError, ValueError):
            raise self._lost() from None

    def _lost(self) -> LostContact:
        return LostContact(
            f"host {self.host!r}: the connection broke",
            hint="`mlctl host jobs` shows what goes on there; run again to take it up",
        )


def open_channel(connection: ssh.Ssh, options: dict[str, Any], closed: threading.Event) -> Channel:
    """A channel, over a connection that is opened where need be.

    Waits while the host has no session left, until `closed` is set. Raises Unreachable,
    LostContact, Refused, NotAble.
    """
    with suppress(LostContact):  # mostly there is a connection
        return _opened(connection, options, closed)
    pauses = ssh.waits()
    while True:
        _refuse(connection, closed)
        connection.open()
        try:
            return _opened(connection, options, closed)
        except LostContact as error:
            # Full, or the connection has ended between the two steps: both pass.
            pause = next(pauses, None)
            if pause is None:
                raise
            time.sleep(pause if isinstance(error, NoSession) else min(pause, 0.2))


def _opened(connection: ssh.Ssh, options: dict[str, Any], closed: threading.Event) -> Channel:
    _refuse(connection, closed)
    channel = Channel(connection, options)
    if closed.is_set():
        channel.close()
    _refuse(connection, closed)
    return channel


def _refuse(connection: ssh.Ssh, closed: threading.Event) -> None:
    if closed.is_set():
        raise LostContact(f"host {connection.host!r}: we have hung up")
