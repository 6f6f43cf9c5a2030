"""The agent's side of a connection: requests come in, answers go out, logs are followed.

`Requests` has a method for each thing that can be asked for, named like it. Those of `Server` begin
with `do_`, because they need more than an answer: data before or after it.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import Any, Mapping, Sequence

from mlctl.hosts.agent import disk, home, wire
from mlctl.hosts.agent.follow import Follower
from mlctl.hosts.agent.jobs import Job, Unknown, names
from mlctl.hosts.agent.objects import ENTRY, Damaged, Objects

_TICK = 0.02  # seconds between two looks at followed logs


class Refused(Exception):
    """A request that cannot be done: `word` is for programs, the message for people."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class Requests:
    """What can be asked for and is answered at once; `agent` is what jobs keep a copy of."""

    def __init__(self, place: str, agent: bytes) -> None:
        self.place = place
        self.agent = agent
        self.objects = Objects(place)

    def job(self, name: str) -> Job:
        """The job of this name. Raises Unknown."""
        job = Job(self.place, name)
        job.spec()
        return job

    def facts(self) -> dict[str, Any]:
        from mlctl.hosts.agent import facts  # what is seldom asked for is imported then

        return facts.facts(self.place)

    def submit(
        self, job: str, spec: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> dict[str, Any]:
        """Make and start the job, or say which objects it needs first. Twice is as good as once."""
        made = Job(self.place, job)
        with disk.against_gc(self.place, shared=True):
            if not made.exists():
                need = self._needs(spec)
                if need:
                    return {"need": need}
                made.create(spec, self.agent)
        made.ensure(secrets)
        return made.state()

    def _needs(self, spec: Mapping[str, Any]) -> list[str]:
        named = [spec["code"], *(dep["md5"] for dep in spec["deps"])]
        named += filter(None, [spec.get(name) for name in ("requirements", "modules", "uv")])
        missing = self.objects.missing(named)
        if spec["code"] not in missing:
            listed = [md5 for _, md5, _ in self.objects.code(spec["code"])["files"]]
            missing += [md5 for md5 in listed if not self.objects.has(md5)]
        return list(dict.fromkeys(missing))

    def state(self, job: str) -> dict[str, Any]:
        found = self.job(job)
        found.ensure()
        return found.state()

    def cancel(self, job: str) -> dict[str, Any]:
        found = self.job(job)
        with open(found.path("cancel"), "ab"):
            pass
        found.ensure()
        return found.state()

    def missing(self, md5s: Sequence[str]) -> dict[str, Any]:
        """Which of these objects, and of those that folders list, are not here."""
        return {"missing": self.objects.missing(md5s)}

    def verify(self, md5s: Sequence[str]) -> dict[str, Any]:
        """Hash these objects, and drop the damaged ones."""
        found = [md5 for md5 in md5s if self.objects.has(md5) and not self.objects.is_sound(md5)]
        for md5 in found:
            self.objects.drop(md5)
        return {"dropped": found}

    def pull(
        self, md5s: Sequence[str], folder: str | None, urls: Mapping[str, str]
    ) -> dict[str, Any]:
        """Have these objects come from elsewhere, as far as they do."""
        from mlctl.hosts.agent import pulling

        return {"taken": pulling.pull(self.objects, md5s, folder, urls)}

    def outs(self, job: str) -> dict[str, Any]:
        with open(self.job(job).path("outs.json")) as file:
            outs: dict[str, Any] = json.loads(file.read())
        return outs

    def live(self, job: str) -> dict[str, Any]:
        """What the processes of an ended job logged: path -> `md5`, `size`."""
        return disk.read(self.job(job).path("live.json")) or {}

    def ack(self, job: str) -> dict[str, Any]:
        """The client has all of it."""
        with open(self.job(job).path("acked"), "ab"):
            pass
        return {}

    def jobs(self) -> dict[str, Any]:
        found = []
        for name in names(self.place):
            job = Job(self.place, name)
            if job.exists():
                job.ensure()  # so that the state is true
                spec = job.spec()
                said = {key: spec[key] for key in ("stage", "project", "user", "submitted")}
                acked = os.path.exists(job.path("acked"))
                state = job.state()
                state.get("host", {}).pop("packages", None)  # long, and of no use in a list
                found.append(dict(state, job=name, fetched=acked, **said))
        return {"jobs": found}

    def queue(self) -> dict[str, Any]:
        from mlctl.hosts.agent import facts, leases

        return {
            "waiting": [entry for _, entry in leases.Leases().waiting()],
            "gpus": facts.gpu_states(),
        }

    def gc(self, days: float, dry: bool) -> dict[str, Any]:
        from mlctl.hosts.agent import gc

        return gc.collect(self.place, days, dry=dry)


class Server:
    """One connection."""

    def __init__(self, place: str, agent: bytes) -> None:
        self._requests = Requests(place, agent)
        self._place = place
        self._followers: dict[int, Follower] = {}
        self._buffer = bytearray()
        self._over = False

    def serve(self) -> None:
        """Until the client hangs up."""
        while not self._over:
            patience = _TICK if self._followers else None
            behind = any(follower.behind for follower in self._followers.values())
            frame = self.next(0.0 if behind else patience)
            if frame is not None and frame[0] == wire.REQUEST:
                self._answer(frame[1], json.loads(frame[2].decode()))
            for call in list(self._followers):
                self._tell(call)

    def _answer(self, call: int, request: dict[str, Any]) -> None:
        name = request.pop("do")
        special = getattr(self, "do_" + name, None)
        try:
            if special is not None:
                answer = special(call, **request)
            else:
                answer = getattr(self._requests, name)(**request)
        except Unknown as error:
            self._refuse(call, "unknown job", str(error))
        except Refused as error:
            self._refuse(call, error.word, str(error))
        except Damaged as error:
            self._refuse(call, "damaged", str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            self._refuse(
                call, "disk", "{}: {}".format(error.filename or self._place, error.strerror)
            )
        except Exception as error:  # one request that fails must not end the others
            self._refuse(call, "internal", "{}: {}".format(type(error).__name__, error))
        else:
            if answer is not None:
                self._send(wire.END, call, answer)

    def do_put(self, call: int) -> dict[str, Any]:
        """Take in the pack that follows as data."""
        return {"taken": self._requests.objects.receive(_Body(self, call).read)}

    def do_get(self, call: int, md5s: Sequence[str]) -> dict[str, Any]:
        """Send a pack as data."""
        objects = self._requests.objects
        for md5 in md5s:
            if not objects.has(md5):
                raise Refused("gone", "{} is not here".format(md5))
        for md5 in md5s:
            name, _, suffix = md5.partition(".")
            with open(objects.path(md5), "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                header = ENTRY.pack(name.encode(), b".dir" if suffix else b"", size)
                self._send(wire.DATA, call, header + file.read(wire.CHUNK))
                for data in iter(lambda: file.read(wire.CHUNK), b""):
                    self._send(wire.DATA, call, data)
        return {}

    def do_follow(
        self, call: int, job: str, offset: int, told: Mapping[str, int] | None = None
    ) -> None:
        """Send the log from `offset` on (-1: from now on) until the job has ended; then its end.

        With `told`, what its processes log as well: so many bytes of each file are known.
        """
        self._followers[call] = Follower(self._requests.job(job), offset, told)

    def _tell(self, call: int) -> None:
        follower = self._followers[call]
        try:
            for kind, payload in follower.news():
                self._send(kind, call, payload)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._refuse(call, "disk", str(error))
            follower.over = True
        if follower.over:
            del self._followers[call]

    def next(self, patience: float | None) -> wire.Frame | None:
        """The next frame, or None where none came within `patience` seconds, or ever."""
        while True:
            frame = self._take()
            if frame is not None or self._over:
                return frame
            if patience is not None and not select.select([0], [], [], patience)[0]:
                return None
            data = os.read(0, 1 << 18)
            self._over = not data
            self._buffer += data

    def _take(self) -> wire.Frame | None:
        if len(self._buffer) < wire.HEADER.size:
            return None
        length, kind, call = wire.HEADER.unpack_from(self._buffer)
        end = wire.HEADER.size + length
        if length > wire.LARGEST:
            self._over = True
        if self._over or len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[wire.HEADER.size : end])
        del self._buffer[:end]
        return kind, call, payload

    def _refuse(self, call: int, word: str, message: str) -> None:
        self._send(wire.ERROR, call, {"word": word, "message": message})

    def _send(self, kind: bytes, call: int, payload: Any) -> None:
        data = wire.pack(kind, call, payload)
        while data:
            data = data[os.write(1, data) :]


class _Body:
    """The data of one request as a stream; ends with its END frame. Raises Damaged when cut off."""

    def __init__(self, server: Server, call: int) -> None:
        self._server = server
        self._call = call
        self._rest = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and not self._ended:
            frame = self._server.next(None)
            if frame is None:
                raise Damaged("the connection ended in the middle of a transfer")
            kind, call, payload = frame
            if call == self._call:
                self._ended = kind == wire.END
                self._rest += payload if kind == wire.DATA else b""
        data = bytes(self._rest[:size])
        del self._rest[:size]
        return data


def main(agent: bytes, nonce: str, options: Mapping[str, Any]) -> None:
    """Serve one client on standard input and output, which begins with `nonce`."""
    os.write(1, b"\n" + nonce.encode() + b"\n")
    try:
        place = home.find(options.get("home"))
    except home.Unusable as error:
        os.write(1, wire.pack(wire.ERROR, 0, {"word": "home", "message": str(error)}))
        return
    system = os.uname()
    met = {
        "home": place,
        "python": sys.version.split()[0],
        "machine": "{} {}".format(system.sysname, system.machine),
    }
    os.write(1, wire.pack(wire.END, 0, met))
    try:
        Server(place, agent).serve()
    except BrokenPipeError:  # the client is gone; jobs go on
        pass
