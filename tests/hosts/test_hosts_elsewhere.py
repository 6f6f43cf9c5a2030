"""Objects that a host has without us: from a mounted folder, or by URLs without credentials."""

import hashlib
import http.server
import threading
from functools import partial

import pytest

from hosts.test_hosts_travel import ends_well
from mlctl.adapters.remotes import open_remote
from mlctl.errors import InvalidInput
from mlctl.hosts.client import Host

ASKED = []  # the paths that the server was asked for


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        ASKED.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def web(tmp_path):
    """A folder, and the URL that serves it."""
    folder = tmp_path / "store"
    folder.mkdir()
    ASKED.clear()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def stored(folder, data):
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    path = folder / "files" / "md5" / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return md5, path


def test_only_what_is_whole_is_taken(server, tmp_path):
    good, _ = stored(tmp_path / "mnt", b"good")
    bad, path = stored(tmp_path / "mnt", b"bad")
    path.write_bytes(b"changed")
    gone = "0" * 32
    host = Host("box", {})
    md5s = [good, bad, gone]
    answer = host.call("pull", md5s=md5s, folder=str(tmp_path / "mnt"), urls={})
    assert answer == {"taken": 1}
    assert host.call("missing", md5s=md5s) == {"missing": [bad, gone]}
    assert not list((server.home / ".mlctl-host" / "tmp").iterdir())
    host.close()


def test_a_url_of_a_file_is_no_url_of_the_web(server, tmp_path):
    md5, path = stored(tmp_path, b"secret")
    host = Host("box", {})
    assert host.call("pull", md5s=[md5], folder=None, urls={md5: f"file://{path}"})["taken"] == 0
    host.close()


def with_data(box):
    box.write("data/a.csv", "1\n")
    box.write("data/b/c.csv", "2\n")
    box.write(".gitignore", "/*.out\n/data\n")
    cmd = "cat data/a.csv data/b/c.csv > a.out"
    box.stages({"a": {"cmd": cmd, "deps": ["data"], "outs": ["a.out"]}})


def test_a_host_takes_data_by_url(box, server, web):
    folder, url = web
    with_data(box)
    box.dvc("add", "data")
    box.dvc("remote", "add", "-d", "store", str(folder))
    box.dvc("push")
    box.dvc("remote", "modify", "store", "url", url)
    box.write("mlctl.yaml", "hosts:\n  box: {remote: presigned}\n")
    ends_well(box)
    assert box.read("a.out") == "1\n2\n"
    got = [path for path in ASKED if path.startswith("/files/md5/")]
    assert len(got) >= 3  # the listing and two files; more where something is not there


def test_a_host_takes_data_from_a_folder_and_the_rest_from_us(box, server, tmp_path):
    with_data(box)
    box.dvc("add", "data")
    box.dvc("remote", "add", "-d", "store", str(tmp_path / "mnt"))
    box.dvc("push")
    _, path = stored(tmp_path / "mnt", b"1\n")
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    box.write("mlctl.yaml", f"hosts:\n  box: {{remote: {tmp_path / 'mnt'}}}\n")
    ends_well(box)
    assert box.read("a.out") == "1\n2\n"


def test_a_url_with_credentials_is_not_given_away(box, tmp_path):
    box.dvc("remote", "add", "-d", "web", "http://127.0.0.1:1/store")
    assert open_remote(str(box.root), None).link("files/md5/ab/cd", 60) == (
        "http://127.0.0.1:1/store/files/md5/ab/cd"
    )
    box.dvc("remote", "modify", "web", "auth", "basic")
    box.dvc("remote", "modify", "web", "user", "me")
    box.dvc("remote", "modify", "--local", "web", "password", "secret")
    with pytest.raises(InvalidInput, match="no URLs to give away"):
        open_remote(str(box.root), None).link("files/md5/ab/cd", 60)
    box.dvc("remote", "add", "-f", "-d", "disk", str(tmp_path))
    with pytest.raises(InvalidInput, match="no URLs to give away"):
        open_remote(str(box.root), None).link("files/md5/ab/cd", 60)
