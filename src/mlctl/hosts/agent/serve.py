"""The agent's side of a connection: requests come in, answers go out, logs are followed."""

import json
import os
import select
import sys
import time

from mlctl.hosts.agent import facts, gc, home, leases, processes, wire
from mlctl.hosts.agent.jobs import Job, Unknown, names
from mlctl.hosts.agent.objects import ENTRY, Damaged, Objects

_TICK = 0.05  # seconds between two looks at followed logs
_LOOK = 2.0  # seconds between two looks at whether a followed job is still watched


class Refused(Exception):
    """A request that cannot be done: `word` is for programs, the message for people."""

    def __init__(self, word, message):
        super().__init__(message)
        self.word = word


class Server:
    """One connection; `agent` is the source that jobs keep a copy of."""

    def __init__(self, place, agent):
        self.place = place
        self.agent = agent
        self.objects = Objects(place)
        self.followers = {}
        self._buffer = bytearray()
        self._over = False

    def serve(self):
        """Until the client hangs up."""
        while not self._over:
            frame = self._next(_TICK if self.followers else None)
            if frame is not None:
                self._answer(*frame)
            for call in list(self.followers):
                self._tell(call)

    def _answer(self, kind, call, payload):
        if kind != wire.REQUEST:
            return
        request = json.loads(payload.decode())
        try:
            answer = getattr(self, "do_" + request.pop("do"))(call, **request)
        except Unknown as error:
            self._send(wire.ERROR, call, {"word": "unknown job", "message": str(error)})
        except Refused as error:
            self._send(wire.ERROR, call, {"word": error.word, "message": str(error)})
        except Damaged as error:
            self._send(wire.ERROR, call, {"word": "damaged", "message": str(error)})
        except OSError as error:
            message = "{}: {}".format(error.filename or self.place, error.strerror)
            self._send(wire.ERROR, call, {"word": "disk", "message": message})
        else:
            if answer is not None:
                self._send(wire.END, call, answer)

    def do_hello(self, call):
        return {"home": self.place, "python": sys.version.split()[0], "boot": processes.boot_id()}

    def do_facts(self, call):
        return facts.facts(self.place)

    def do_need(self, call, md5s):
        return {"need": self.objects.missing(md5s)}

    def do_put(self, call):
        """A pack follows as data."""
        return {"taken": self.objects.receive(_Body(self, call).read)}

    def do_get(self, call, md5s):
        """A pack comes as data."""
        for md5 in md5s:
            try:
                size = os.stat(self.objects.path(md5)).st_size
            except FileNotFoundError:
                raise Refused("gone", "{} is not here".format(md5))
            name, _, suffix = md5.partition(".")
            header = ENTRY.pack(name.encode(), b".dir" if suffix else b"", size)
            self._send(wire.DATA, call, header)
            with open(self.objects.path(md5), "rb", buffering=0) as file:
                for data in iter(lambda file=file: file.read(wire.CHUNK), b""):
                    self._send(wire.DATA, call, data)
        return {}

    def do_submit(self, call, job, spec, secrets):
        """Make and start the job, or say which objects it needs first. Twice is as good as once."""
        job = Job(self.place, job)
        with gc.Shared(self.place):
            if not job.exists():
                missing = self.objects.missing([spec["code"]] + [d["md5"] for d in spec["deps"]])
                if spec["code"] not in missing:
                    with open(self.objects.path(spec["code"]), "rb") as file:
                        listed = [md5 for _, md5, _ in json.loads(file.read().decode())]
                    missing += [md5 for md5 in listed if not self.objects.has(md5)]
                if missing:
                    return {"need": list(dict.fromkeys(missing))}
                job.create(spec, self.agent)
        job.ensure(secrets)
        return job.state()

    def do_state(self, call, job):
        job = Job(self.place, job)
        job.spec()
        job.ensure()
        return job.state()

    def do_follow(self, call, job, offset):
        """The log from `offset` on as data, until the job has ended; then its end."""
        job = Job(self.place, job)
        job.spec()
        self.followers[call] = _Follower(job, offset)

    def do_unfollow(self, call, other):
        self.followers.pop(other, None)
        return {}

    def do_cancel(self, call, job):
        job = Job(self.place, job)
        job.spec()
        with open(job.path("cancel"), "ab"):
            pass
        job.ensure()
        return job.state()

    def do_outs(self, call, job):
        with open(Job(self.place, job).path("outs.json")) as file:
            return json.loads(file.read())

    def do_ack(self, call, job):
        with open(Job(self.place, job).path("acked"), "ab"):
            pass
        return {}

    def do_jobs(self, call):
        found = []
        for name in names(self.place):
            job = Job(self.place, name)
            if job.exists():
                spec = job.spec()
                said = {key: spec[key] for key in ("stage", "project", "user", "submitted")}
                acked = os.path.exists(job.path("acked"))
                found.append(dict(job.state(), job=name, fetched=acked, **said))
        return {"jobs": found}

    def do_queue(self, call):
        return {
            "waiting": [entry for _, entry in leases.Leases().waiting()],
            "gpus": facts.gpu_states(),
        }

    def do_gc(self, call, days, dry):
        return gc.collect(self.place, days, dry)

    def _tell(self, call):
        follower = self.followers[call]
        try:
            for kind, payload in follower.news():
                self._send(kind, call, payload)
        except OSError as error:
            self._send(wire.ERROR, call, {"word": "disk", "message": str(error)})
            follower.over = True
        if follower.over:
            del self.followers[call]

    def _next(self, patience):
        """The next frame, or None where none came within `patience` seconds."""
        while True:
            frame = self._take()
            if frame is not None or self._over:
                return frame
            if patience is not None and not select.select([0], [], [], patience)[0]:
                return None
            data = os.read(0, 1 << 18)
            self._over = not data
            self._buffer += data

    def _take(self):
        if len(self._buffer) < wire.HEADER.size:
            return None
        length, kind, call = wire.HEADER.unpack_from(self._buffer)
        if length > wire.LARGEST:
            self._over = True
            return None
        end = wire.HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[wire.HEADER.size : end])
        del self._buffer[:end]
        return kind, call, payload

    def _send(self, kind, call, payload):
        data = wire.pack(kind, call, payload)
        while data:
            data = data[os.write(1, data) :]


class _Body:
    """The data of one request as a stream; ends with its END frame. Raises Damaged when cut off."""

    def __init__(self, server, call):
        self._server = server
        self._call = call
        self._rest = bytearray()
        self._ended = False

    def read(self, size):
        while len(self._rest) < size and not self._ended:
            frame = self._server._next(None)
            if frame is None:
                raise Damaged("the connection ended in the middle of a transfer")
            kind, call, payload = frame
            if call == self._call:
                self._ended = kind == wire.END
                self._rest += payload if kind == wire.DATA else b""
        data = bytes(self._rest[:size])
        del self._rest[:size]
        return data


class _Follower:
    """One log that is followed; `over` when the job has ended and all was told."""

    def __init__(self, job, offset):
        self.job = job
        self.over = False
        self._offset = offset
        self._state = None
        self._looked = 0.0

    def news(self):
        """Frames that tell what is new."""
        now = time.monotonic()
        ended = self.job.end() is not None  # before the log is read: nothing comes after it
        if not ended and now - self._looked > _LOOK:
            self._looked = now
            self.job.ensure()
        yield from self._log()
        state = self.job.state()
        if ended:
            self.over = True
            yield wire.END, state
        elif state != self._state:
            self._state = state
            yield wire.STATE, state

    def _log(self):
        with open(self.job.path("log"), "rb", buffering=0) as file:
            file.seek(self._offset)
            for data in iter(lambda: file.read(wire.CHUNK), b""):
                self._offset += len(data)
                yield wire.DATA, data


def main(agent, nonce, options):
    """Serve one client on standard input and output, which begins with `nonce`."""
    os.write(1, b"\n" + nonce.encode() + b"\n")
    try:
        place = home.find(options.get("home"))
    except home.Unusable as error:
        os.write(1, wire.pack(wire.ERROR, 0, {"word": "home", "message": str(error)}))
        return
    os.write(1, wire.pack(wire.END, 0, {"home": place, "python": sys.version.split()[0]}))
    try:
        Server(place, agent).serve()
    except BrokenPipeError:  # the client is gone; jobs go on
        pass
