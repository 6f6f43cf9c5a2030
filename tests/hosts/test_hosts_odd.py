"""Hosts and jobs that do what nobody expects: nothing here is harmed, and no good job fails."""

import hashlib
import json
import signal
import socketserver
import sys
import threading
import time

import pytest

from e2e.sandbox import wait_until
from hosts.test_hosts_logging import record_of
from hosts.test_hosts_run import jobs
from mlctl.hosts import packing
from mlctl.hosts.agent import live, wire
from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import ENTRY, Damaged
from mlctl.hosts.client import Host, Stopped
from mlctl.hosts.elsewhere import Elsewhere
from mlctl.hosts.fetching import fetch_logged
from mlctl.hosts.mirror import Mirror


class Evil:
    """A host that answers `said`, and sends `pack`."""

    def __init__(self, said, pack=b""):
        self._said, self._pack = said, pack

    def call(self, _do, **_arguments):
        return self._said

    def get(self, md5s, place):
        yield from packing.unpack([self._pack] if self._pack else [], md5s, place)


def test_a_host_cannot_name_a_file_of_ours(tmp_path):
    secret = tmp_path / "id_rsa"
    secret.write_text("secret")
    target = tmp_path / "live"
    for md5 in (str(secret), f"../{secret.name}", "0" * 32):
        with pytest.raises(Damaged):
            fetch_logged(Evil({"notes.json": {"md5": md5}}), "job", str(target))
    name = f"{tmp_path}/made/".encode()[:32].ljust(32, b"a")
    pack = ENTRY.pack(name, b"", 3) + b"abc"
    with pytest.raises(Damaged):
        fetch_logged(Evil({"x": {"md5": name.decode()}}, pack), "job", str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["id_rsa"]


@pytest.mark.parametrize(
    "lines",
    [{"file": "a\0.jsonl", "offset": 0, "text": ""}, {"file": "a.jsonl", "offset": 0},
     {"file": 1, "offset": 0, "text": ""}, {"file": "a.jsonl", "offset": 0, "text": "\ud800"}],
)  # fmt: skip
def test_a_mirror_passes_over_what_it_cannot_write(tmp_path, lines):
    Mirror(str(tmp_path)).add(lines)
    assert all(path.stat().st_size == 0 for path in tmp_path.iterdir())


def test_bytes_that_are_no_text_and_long_lines_are_mirrored_as_they_are(tmp_path):
    job = Job(str(tmp_path), "abcdefgh")
    folder = tmp_path / "jobs" / "abcdefgh" / "live"
    folder.mkdir(parents=True)
    data = b"\xff\xfe\n" + b"x" * (wire.CHUNK * 2) + b"\nend\n"
    (folder / "m.jsonl").write_bytes(data)
    mirror, news = Mirror(str(tmp_path / "here")), live.News(job, {})
    for _ in range(4):
        for kind, lines in news.frames():
            assert kind == wire.LINES
            mirror.add(json.loads(json.dumps(lines)))
    assert (tmp_path / "here" / "m.jsonl").read_bytes() == data


def stage(box, cmd):
    box.write("t.py", "1\n")
    box.stages({"train": {"cmd": cmd, "deps": ["t.py"], "outs": ["m.out"]}})


def test_odd_files_where_a_job_logs_fail_nothing(box, server):
    odd = "mkdir d.jsonl; ln -s /nowhere l.jsonl; mkfifo p.jsonl"
    stage(box, f"mkdir -p $MLCTL_RUN_DIR; (cd $MLCTL_RUN_DIR; {odd}); sleep 1; echo a > m.out")
    done = box.mlctl("run", "--on", "box", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cancelled_job_that_has_logged_is_done_with(box, server):
    log = "mkdir -p $MLCTL_RUN_DIR; echo '{}' > $MLCTL_RUN_DIR/metrics.jsonl"
    stage(box, f"{log}; sleep 60; echo a > m.out")
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: list(server.home.glob(".mlctl-host/jobs/*/live/metrics.jsonl")))
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 130
    (name,) = jobs(server)
    assert (server.home / ".mlctl-host" / "jobs" / name / "acked").exists()


def test_a_python_that_says_little_of_itself(box, server):
    tools = server.folder / "first"
    tools.mkdir()
    (tools / "python").write_text("#!/bin/sh\necho hello\n")
    (tools / "python").chmod(0o755)
    box.write("mlctl.yaml", f"hosts:\n  box: {{python: {sys.executable}}}\n")
    path = f"{tools}:/usr/bin:/bin"
    box.stages({"a": {"cmd": "echo a > a.out", "outs": ["a.out"],
                      "meta": {"mlctl": {"env": {"PATH": path}}}}})  # fmt: skip
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "env" not in json.loads((record_of(box) / "stages.jsonl").read_text())["host"]


def test_a_python_that_is_slow_to_start_is_heard(box, server):
    tools = server.folder / "first"
    tools.mkdir()
    (tools / "python").write_text(f'#!/bin/sh\nsleep 1; exec {sys.executable} "$@"\n')
    (tools / "python").chmod(0o755)
    box.write("mlctl.yaml", f"hosts:\n  box: {{python: {sys.executable}}}\n")
    path = f"{tools}:/usr/bin:/bin"
    box.stages({"a": {"cmd": "echo a > a.out", "outs": ["a.out"],
                      "meta": {"mlctl": {"env": {"PATH": path}}}}})  # fmt: skip
    assert box.mlctl("run", "--on", "box").returncode == 0
    assert "env" in json.loads((record_of(box) / "stages.jsonl").read_text())["host"]


@pytest.fixture
def raw():
    """Makes a server that answers with bytes, or not at all; gives its URL."""
    servers = []

    def serve(answer):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.recv(1 << 16)
                if answer is None:
                    time.sleep(120)
                else:
                    self.request.sendall(answer)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        server = Server(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/o"

    yield serve
    for server in servers:
        server.shutdown()
        socketserver.TCPServer.server_close(server)


@pytest.mark.parametrize(
    "answer",
    [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"],
)
def test_a_server_that_talks_nonsense_has_nothing(server, raw, answer):
    host = Host("box", {})
    md5 = "0" * 32
    assert host.call("pull", md5s=[md5], folder=None, urls={md5: raw(answer)}) == {"taken": 0}
    host.close()


def test_a_pull_from_a_silent_server_ends_when_it_is_no_longer_wanted(server, raw):
    url = raw(None)
    host, ends = Host("box", {}), []

    def pull():
        try:
            host._pull(["0" * 32], Elsewhere(None, lambda _: url))
        except Stopped as error:
            ends.append(error)

    thread = threading.Thread(target=pull)
    thread.start()
    wait_until(lambda: host._transfers)
    time.sleep(0.5)
    begin = time.monotonic()
    host.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert len(ends) == 1
    assert time.monotonic() - begin < 8
    host.close()


def test_a_remote_without_urls_is_said_and_all_is_sent(box, server, tmp_path):
    stage(box, "cat t.py > m.out")
    box.dvc("remote", "add", "-d", "disk", str(tmp_path / "disk"))
    box.write("mlctl.yaml", "hosts:\n  box: {remote: presigned}\n")
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "has no URLs to give away" in done.stdout + done.stderr


def test_a_remote_that_gives_little_at_a_time_is_not_asked_for_ever(server, tmp_path):
    data = {hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest(): b"%d" % n for n in range(9)}
    code = json.dumps({"files": [], "links": []}).encode()
    md5 = hashlib.md5(code, usedforsecurity=False).hexdigest()
    host = Host("box", {})
    host.put([md5], {md5: code})
    spec = {"stage": "s", "project": "p", "user": "me", "submitted": 0, "code": md5,
            "deps": [{"path": name, "md5": name} for name in data], "outs": [], "wdir": ".",
            "root": "", "commands": ["true"], "shell": ["/bin/sh", "-c"], "env": {},
            "secrets": [], "timeout": None, "gpus": 0}  # fmt: skip

    class Little(Elsewhere):
        def urls(self, md5s):
            wanted = next(iter(md5s))
            place = tmp_path / "files" / "md5" / wanted[:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / wanted[2:]).write_bytes(data[wanted])
            return {}

    host.submit("abcdefgh", spec, {}, lambda need: {n: data[n] for n in need},
                Little(str(tmp_path)))  # fmt: skip
    assert host.call("missing", md5s=list(data)) == {"missing": []}
    wait_until(lambda: host.call("state", job="abcdefgh")["state"] == "exited")
    host.close()


def test_hanging_up_does_not_wait_for_a_login_shell_that_hangs(server):
    host = Host("box", {"python": "sleep 60; python3"})
    host.meet()
    wait_until(lambda: host._lock.locked())
    time.sleep(1)
    begin = time.monotonic()
    host.close()
    assert time.monotonic() - begin < 20
