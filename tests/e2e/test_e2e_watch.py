"""`mlctl watch`: files change, stages run; what is wrong is told, and watching goes on."""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from e2e.sandbox import stamp, wait_until

WAITS = "watching for changes"


class Watching:
    """A `mlctl watch` that goes on; `said` is everything that it printed so far."""

    def __init__(self, process):
        self.process = process
        self._data = b""
        os.set_blocking(process.stdout.fileno(), False)

    @property
    def said(self):
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.process.stdout.fileno(), 65536):
                self._data += piece
        return self._data.decode()

    def waits(self, times):
        """Wait until it has told `times` times that it waits."""
        try:
            wait_until(lambda: self.said.count(WAITS) >= times or self.process.poll() is not None)
        finally:
            assert self.said.count(WAITS) == times, self.said

    def rests(self):
        """Long enough for several looks: nothing more is said."""
        before = self.said
        time.sleep(1.5)
        assert self.said == before

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        assert "\nTraceback" not in self.said
        return self.process.returncode


def zombies(parent):
    """Children of the process that have ended and were not waited for."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, above = path.read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(above) == parent:
                found.append(path.parent.name)
    return found


@pytest.fixture
def watch(box):
    @contextlib.contextmanager
    def start(*args):
        with box.started("watch", *args) as process:
            yield Watching(process)

    return start


@pytest.fixture
def chain(box):
    """raw -> first -> second; `other` reads a parameter."""
    box.write("raw", "1\n")
    box.write("params.yaml", "lr: 1\n")
    first, second, other = stamp("first"), stamp("second", deps=("first",)), stamp("other")
    first["deps"].append("raw")
    first["cmd"] += "; cat raw >> first.out"
    other["params"] = ["lr"]
    box.stages({"first": first, "second": second, "other": other})
    return box


def test_what_changes_is_run_and_nothing_else(chain, watch):
    with watch("-j1") as on:
        on.waits(1)
        assert chain.ran() == ["first", "second", "other"]
        on.rests()
        chain.forget_times()
        chain.write("raw", "2\n")
        on.waits(2)
        assert chain.ran() == ["first", "second"]
        chain.forget_times()
        chain.write("params.yaml", "lr: 2\nunread: 1\n")
        on.waits(3)
        assert chain.ran() == ["other"]
        chain.forget_times()
        chain.write("params.yaml", "lr: 2\nunread: 2\n")
        chain.write("unrelated", "x")
        on.rests()
        (chain.root / "second.out").unlink()  # brought back from the cache
        on.waits(4)
        assert chain.read("second.out") == "second"
        assert chain.ran() == []
        assert on.end() == 0
    assert len(chain.records()) == 3  # what comes from the cache is no run
    assert "up to date" in chain.run("run")[1]


def test_only_the_targets(chain, watch):
    with watch("second") as on:
        on.waits(1)
        assert chain.ran() == ["first", "second"]
        chain.write("params.yaml", "lr: 2\n")
        on.rests()
        assert on.end() == 0


def test_what_is_wrong_is_told_once_and_watching_goes_on(chain, watch):
    good = chain.read("dvc.yaml")
    with watch() as on:
        on.waits(1)
        chain.forget_times()
        chain.write("dvc.yaml", good.replace("cmd:", "cmt:", 1))
        wait_until(lambda: "did you mean 'cmd'?" in on.said)
        assert "error: dvc.yaml:3: stages.first.cmt: unknown key 'cmt'" in on.said
        on.rests()
        chain.write("dvc.yaml", "stages: [\n")
        wait_until(lambda: "not valid YAML" in on.said)
        chain.write("dvc.yaml", good)
        on.waits(2)
        assert chain.ran() == []
        chain.write("dvc.yaml", good.replace("first 0.0", "first 0.01"))
        on.waits(3)
        assert chain.ran()[0] == "first"
        assert on.end() == 0


def test_what_is_wrong_at_the_start_ends_it(box):
    box.write("dvc.yaml", "stages: [\n")
    done = box.mlctl("watch")
    assert (done.returncode, done.stderr[:30]) == (2, "error: dvc.yaml:2: not valid Y")
    box.stages({"train": stamp("train")})
    done = box.mlctl("watch", "trian")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "hint:  did you mean 'train'?")


def test_a_change_while_a_run_goes_on_leads_to_one_more(chain, watch):
    slow = chain.read("dvc.yaml").replace("first 0.0", "first 1.5")
    chain.write("dvc.yaml", slow)
    with watch("second") as on:
        wait_until(lambda: "first" in chain.ran())
        for number in range(5):
            chain.write("raw", f"changed {number}\n")
            time.sleep(0.1)
        on.waits(2)
        on.rests()
        assert chain.ran().count("first") == 2
        assert chain.read("first.out") == "firstchanged 4\n"
        assert on.end() == 0
    assert "up to date" in chain.run("run", "second")[1]


def test_what_failed_is_tried_again_when_what_it_reads_changes(box, watch):
    box.write("raw", "bad\n")
    check = "echo tried >> tries; grep -q good raw && cp raw checked"
    box.stages(
        {
            "check": {"cmd": check, "deps": ["raw"], "outs": ["checked"]},
            "after": {"cmd": "cp checked after", "deps": ["checked"], "outs": ["after"]},
            "free": {"cmd": "cp raw free", "deps": ["raw"], "outs": ["free"]},
        }
    )
    with watch("-k") as on:
        on.waits(1)
        assert "check: exit code 1" in on.said
        assert box.locked() == {"free"}
        on.rests()
        assert box.read("tries") == "tried\n"
        box.write("raw", "good\n")
        on.waits(2)
        assert box.read("tries") == "tried\n" * 2
        assert box.locked() == {"check", "after", "free"}
        assert on.end() == 0


def test_a_file_that_is_still_being_written_waits(chain, watch):
    with watch("first") as on:
        on.waits(1)
        chain.forget_times()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            with open(chain.root / "raw", "a") as file:
                file.write("more\n")
            time.sleep(0.05)
        on.waits(2)
        on.rests()
        assert chain.ran() == ["first"]
        assert on.end() == 0


def test_what_always_runs_runs_once(box, watch):
    box.stages({"always": {"cmd": "echo x >> times", "always_changed": True}})
    with watch() as on:
        on.waits(1)
        on.rests()
        assert box.read("times") == "x\n"
        assert on.end() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_stage_runs_ends_both(number, code, box, watch):
    box.stages({"long": stamp("long", 60)})
    with watch() as on:
        wait_until(lambda: box.ran() == ["long"])
        assert on.end(number) == code
        assert "Interrupted" in on.said
    assert box.locked() == set()
    (head,) = box.records()
    assert head["status"] == "interrupted"
    assert not any(json.loads(box.read(".dvc/tmp/rwlock")).values())
    assert not os.listdir(box.root / ".mlctl" / "watch")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are known from /proc")
def test_no_zombie_is_left_of_a_run(chain, watch):
    with watch() as on:
        on.waits(1)
        chain.write("raw", "2\n")
        on.waits(2)
        wait_until(lambda: not zombies(on.process.pid), 5)
        assert on.end() == 0


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_the_machine_refuses_is_told_and_watching_goes_on(options, chain, watch):
    logs = chain.root / ".mlctl" / "logs"
    with watch(*options) as on:
        on.waits(1)
        logs.rename(chain.root / "kept")
        logs.write_text("a file, where runs make folders")
        chain.forget_times()
        chain.write("raw", "2\n")
        on.waits(2)
        assert f"{logs}/" in on.said
        assert "Not a directory" in on.said
        on.rests()
        logs.unlink()
        chain.write("raw", "3\n")
        on.waits(3)
        assert chain.ran() == ["first", "second"]
        assert on.end() == 0


def test_a_file_that_cannot_be_read_is_told_and_watching_goes_on(chain, watch):
    """A loop of links: unlike a mode, it also stops root."""
    with watch("first") as on:
        on.waits(1)
        chain.forget_times()
        (chain.root / "raw").unlink()
        (chain.root / "raw").symlink_to("raw")
        wait_until(lambda: "symbolic links" in on.said or "missing dep" in on.said)
        (chain.root / "raw").unlink()
        chain.write("raw", "2\n")
        wait_until(lambda: chain.ran() == ["first"])
        on.process.poll()
        assert on.end() in {0, 130}


def test_the_stream_is_json(chain, watch):
    with watch("--json") as on:
        on.waits(1)
        chain.write("raw", "2\n")
        on.waits(2)
        good = chain.read("dvc.yaml")
        chain.write("dvc.yaml", "stages: [\n")
        wait_until(lambda: "not valid YAML" in on.said)
        chain.write("dvc.yaml", good)
        on.waits(3)
        assert on.end() == 0
        events = [json.loads(line) for line in on.said.splitlines()]
    assert {event["schema"] for event in events} == {"mlctl.event/1"}
    told = [event["event"] for event in events if event["event"] in {"run_finished", "notice"}]
    assert told == ["run_finished", "notice", "run_finished", "notice", "notice", "notice"]
    assert [e["level"] for e in events if e["event"] == "notice"] == [
        "info", "info", "warning", "info",
    ]  # fmt: skip
