"""One host, as the rest of mlctl sees it: objects there and back, jobs, logs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from mlctl.adapters import ssh
from mlctl.errors import Busy, MlctlError, NotAble
from mlctl.hosts import packing
from mlctl.hosts.agent import wire
from mlctl.hosts.agent.objects import Damaged
from mlctl.hosts.channel import Channel, LostContact, Refused, open_channel
from mlctl.hosts.elsewhere import Elsewhere
from mlctl.hosts.mirror import Mirror

_ROUNDS = 8  # times that a host may ask for objects before it gets them all
_PULLS = 3  # of these, in which it may look elsewhere first
_PULLED_AT_ONCE = 200
T = TypeVar("T")


class Gone(NotAble):
    """What a job made is no longer on the host."""


class Stopped(NotAble):
    """A transfer that nobody wants any more."""


class Host:
    """The host of this name in `~/.ssh/config`; threads may share it.

    Short calls share one channel, each transfer has one of its own. `options` are the host's
    settings: `python`, `home`, `env`.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.options = dict(options)
        self._ssh = ssh.Ssh(name)
        self.was_met = False  # a host that never answered is a mistake, not a lost one
        self._channel: Channel | None = None
        self._not_met: MlctlError | None = None  # why `meet` found no way, until a call is told
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._closed = threading.Event()
        self._transfers: set[Channel] = set()

    def call(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Ask the agent for one thing. Raises Unreachable, LostContact, Refused."""
        return self.channel().call(do, **arguments)

    def meet(self) -> None:
        """Begin to open the channel while we do other work; returns at once.

        The next call waits for it, and is told what went wrong.
        """
        threading.Thread(target=self._meet, daemon=True).start()

    def _meet(self) -> None:
        with self._lock:
            try:
                self._open()
            except MlctlError as error:
                self._not_met = error

    def channel(self) -> Channel:
        """The channel of short calls, opened anew where it broke."""
        with self._lock:
            if self._not_met is not None:
                error, self._not_met = self._not_met, None
                raise error
            return self._open()

    def _open(self) -> Channel:
        if self._channel is None or self._channel.is_broken:
            self._channel = open_channel(self._ssh, self.options, self._closed)
            self.was_met = True
        return self._channel

    def submit(
        self,
        job: str,
        spec: Mapping[str, Any],
        secrets: Mapping[str, str],
        source: Callable[[Iterable[str]], Mapping[str, packing.Source]],
        elsewhere: Elsewhere | None = None,
    ) -> dict[str, Any]:
        """Start the job, after the objects that the host lacks were sent; its state.

        Those that it can have from `elsewhere` are not sent. The same again is harmless: a job that
        is there is only looked at.
        """
        for turn in range(_ROUNDS):
            answer = self.call("submit", job=job, spec=spec, secrets=secrets)
            if "need" not in answer:
                return answer
            need = answer["need"]
            if elsewhere is not None and turn < _PULLS and self._pull(need, elsewhere):
                continue  # a folder's listing came, and now its files are asked for
            self.put(need, source(need))
        raise NotAble(f"host {self.name!r} asks again and again for what it was sent")

    def _pull(self, md5s: Iterable[str], elsewhere: Elsewhere) -> int:
        """Let the host take in those that it can have without us; how many."""
        wanted = list(md5s)
        taken = 0
        with self._bulk() as channel:
            for first in range(0, len(wanted), _PULLED_AT_ONCE):
                batch = wanted[first : first + _PULLED_AT_ONCE]
                try:
                    urls = elsewhere.urls(batch)
                except MlctlError as error:
                    elsewhere.tell(f"all is sent from here: {error.message}")
                    break
                answer = channel.call("pull", md5s=batch, folder=elsewhere.folder, urls=urls)
                taken += int(answer["taken"])
        return taken

    def put(self, md5s: Iterable[str], sources: Mapping[str, packing.Source]) -> None:
        """Send objects."""
        pieces = packing.pack(md5s, sources)
        try:
            with self._bulk() as channel:
                for _ in channel.stream("put", data=self._until_stopped(pieces)):
                    pass
        except Refused as refused:
            if refused.word == "damaged":
                message = "a file changed while it was sent"
                raise Busy(message, hint="run again when nothing writes to it") from refused
            raise

    def get(self, md5s: Iterable[str], place: Callable[[str], str]) -> Iterator[str]:
        """Fetch objects to the paths `place(md5)`, each verified before it has its name.

        Raises Gone where the host has one no more, or only a damaged one.
        """
        wanted = list(md5s)
        try:
            with self._bulk() as channel:
                frames = self._until_stopped(channel.stream("get", md5s=wanted))
                pieces = (data for kind, data in frames if kind == wire.DATA)
                yield from packing.unpack(pieces, wanted, place)
        except Damaged as damaged:
            self.call("verify", md5s=wanted)
            raise Gone(f"host {self.name!r}: {damaged}") from None
        except Refused as refused:
            if refused.word == "gone":
                raise Gone(refused.message) from None
            raise

    def follow(
        self,
        job: str,
        offset: int,
        write: Callable[[bytes], None],
        told: Callable[[Mapping[str, Any]], None],
        mirror: Mirror | None = None,
    ) -> dict[str, Any]:
        """Write the job's log from `offset` on as it grows; its end. `told` hears of its state, and
        `mirror` of what its processes log.
        """
        known = mirror and mirror.known()
        for kind, payload in self.channel().stream("follow", job=job, offset=offset, told=known):
            if kind == wire.DATA:
                write(payload)
            elif kind == wire.LINES:
                if mirror is not None:
                    mirror.add(json.loads(payload))
            elif kind == wire.STATE:
                told(json.loads(payload))
            else:
                end: dict[str, Any] = json.loads(payload)
                return end
        raise LostContact(f"host {self.name!r}: the log ended without an end")

    def has_sftp(self) -> bool:
        """Whether it transfers files by sftp, which we do not need and others do."""
        return self._ssh.has_sftp()

    def shell(self, folder: str | None = None) -> int:
        """A shell there for a person; its exit code."""
        return self._ssh.shell(folder)

    def stop(self) -> None:
        """No more transfers: those that go on raise Stopped."""
        self._stopped.set()
        for channel in list(self._transfers):
            channel.close()

    def _until_stopped(self, pieces: Iterable[T]) -> Iterator[T]:
        for piece in pieces:
            if self._stopped.is_set():
                raise Stopped(f"host {self.name!r}: the transfer was cancelled")
            yield piece

    def close(self) -> None:
        """Hang up, for good. The connection stays open for the next command."""
        self._closed.set()
        if not self._lock.acquire(blocking=False):
            self._ssh.hang_up()  # a login shell may hang, and hold whoever opens the channel
            self._lock.acquire()
        try:
            if self._channel is not None:
                self._channel.close()
                self._channel = None
        finally:
            self._lock.release()

    @contextmanager
    def _bulk(self) -> Iterator[Channel]:
        """A channel of its own for a transfer. Raises Stopped where `stop` ended it."""
        with open_channel(self._ssh, self.options, self._closed) as channel:
            self._transfers.add(channel)
            try:
                yield channel
            except LostContact:
                if self._stopped.is_set():
                    raise Stopped(f"host {self.name!r}: the transfer was cancelled") from None
                raise
            finally:
                self._transfers.discard(channel)


def knows(host: Host, job: str) -> dict[str, Any] | None:
    """The state of a job, or None where the host knows nothing of it."""
    try:
        return host.call("state", job=job)
    except Refused as refused:
        if refused.word == "unknown job":
            return None
        raise
