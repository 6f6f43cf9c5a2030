"""`mlctl each` as a process: killed, interrupted, items that fail, wrong command lines."""

import json
import os
import shlex
import signal
import subprocess
import time

import pytest

from e2e.sandbox import MLCTL, call, wait_until

UPPER = 'echo "$MLCTL_ITEM" >>.mlctl/ran; tr a-z A-Z <"$MLCTL_INPUT" >"$MLCTL_OUTPUT"'
# Writes half of its result, and the rest a moment later.
SLOW = (
    'echo "$MLCTL_ITEM" >>.mlctl/ran; '
    'printf a >"$MLCTL_OUTPUT"; sleep 0.1; printf b >>"$MLCTL_OUTPUT"'
)
# Fails for the items that are listed in the file `bad`, which is no dep.
PICKY = f'{UPPER}; ! grep -q "$MLCTL_ITEM" bad'


def stages(box, command, *, each=None, wdir=None, **more):
    stage = {"cmd": f"mlctl each {command}", "deps": ["in"], "outs": ["out"], **more}
    if each is not None:
        stage["meta"] = {"mlctl": {"cpus": 2, "each": each}}
    box.stages({"upper": stage}, wdir or ".")


def items(box, count, folder="in"):
    for number in range(count):
        box.write(f"{folder}/{number:03}", f"text {number}")


def ran(box):
    """The items whose command was started since the last look, in order."""
    log = box.root / ".mlctl" / "ran"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def outs(box, folder="out"):
    return {path.name: path.read_text() for path in sorted((box.root / folder).iterdir())}


def test_killed_at_any_moment_it_does_the_rest(box):
    """As an engine would: the out removed, the command started, and the whole group killed."""
    items(box, 40)
    stages(box, shlex.quote(SLOW), each={})
    tries, finished = [], 0
    known = box.root / ".mlctl" / "each"
    for delay in (0.0, 0.05, 0.3, 0.5):
        lines = finished
        each = subprocess.Popen(
            [*MLCTL, "each", SLOW],
            cwd=box.root,
            env={**os.environ, "DVC_STAGE": "upper"},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(lambda: _lines(known) > lines)  # noqa: B023
        time.sleep(delay)
        os.killpg(each.pid, signal.SIGKILL)
        each.wait()
        finished = _lines(known)
        tries.append(ran(box))
        assert not (box.root / "out").exists()
    assert box.run("run")[0] == 0
    tries.append(ran(box))
    assert outs(box) == {f"{number:03}": "ab" for number in range(40)}
    assert len(tries[-1]) == 40 - finished
    assert sum(map(len, tries)) <= 40 + 2 * 4, "two at a time were under way at each kill"
    assert not list((known / "work").iterdir())
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def _lines(folder):
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))


def test_a_line_that_a_crash_cut_short(box):
    items(box, 3)
    stages(box, shlex.quote(UPPER))
    assert box.run("run")[0] == 0
    (known,) = (box.root / ".mlctl" / "each").glob("*.jsonl")
    known.write_bytes(known.read_bytes()[:-20])
    box.write("in/000", "new")
    ran(box)
    assert box.run("run")[0] == 0
    assert ran(box) == ["000", "002"]
    box.write("in/001", "new")
    assert box.run("run")[0] == 0
    assert ran(box) == ["001"], "what was appended after the torn line is read"


def test_interrupted_by_ctrl_c_through_the_engine(box):
    items(box, 40)
    stages(box, shlex.quote(SLOW), each={})
    with box.started("run") as run:
        wait_until(lambda: _lines(box.root / ".mlctl" / "each") > 2)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=20)[0]
    assert run.returncode == 130
    assert "Traceback" not in said
    started = len(ran(box))
    done = _lines(box.root / ".mlctl" / "each")
    assert started - 2 <= done <= started < 40
    assert box.run("run")[0] == 0
    assert len(ran(box)) == 40 - done
    assert set(outs(box).values()) == {"ab"}


def test_a_second_one_waits_for_the_first_and_takes_its_results(box):
    items(box, 10)
    stages(box, shlex.quote(SLOW))
    with box.started("each", SLOW, env={"DVC_STAGE": "upper"}) as first:
        wait_until(lambda: _lines(box.root / ".mlctl" / "each") > 0)
        second = box.mlctl("each", SLOW, env={"DVC_STAGE": "upper"})
        assert first.wait(timeout=20) == 0
    assert "waits for the end of another `mlctl each`" in second.stdout
    assert "10 items: 0 done, 10 unchanged" in second.stdout
    assert len(ran(box)) == 10


def test_stages_of_one_foreach(box):
    stage = {
        "cmd": f"mlctl each {shlex.quote(UPPER)}",
        "deps": ["in/${item}"],
        "outs": ["out/${item}"],
    }
    box.stages({"upper": {"foreach": ["a", "b"], "do": stage}})
    items(box, 2, "in/a")
    items(box, 3, "in/b")
    assert box.run("run", "-j2")[0] == 0
    assert (len(outs(box, "out/a")), len(outs(box, "out/b"))) == (2, 3)
    ran(box)
    box.write("in/b/001", "new")
    assert box.dvc("repro").returncode == 0
    assert ran(box) == ["001"]


def test_a_failed_item_stops_what_is_not_started(box):
    items(box, 20)
    box.write("bad", "003\n")
    stages(box, shlex.quote(PICKY))
    code, said = box.run("run")
    assert code == 1
    assert "FAILED 003: exit code 1" in said
    assert "1 of 20 items failed; 16 not tried: 003 (exit code 1)" in said
    assert ran(box) == ["000", "001", "002", "003"]
    assert box.locked() == set()
    box.write("bad", "")
    assert box.run("run")[0] == 0
    assert ran(box) == [f"{number:03}" for number in range(3, 20)]
    assert outs(box)["003"] == "TEXT 3"


def test_with_keep_going_all_others_are_done(box):
    items(box, 12)
    box.write("bad", "003\n007\n")
    stages(box, shlex.quote(PICKY), each={"keep_going": True, "jobs": 3})
    code, said = box.run("run")
    assert code == 1
    assert "2 of 12 items failed: 003 (exit code 1), 007 (exit code 1)" in said
    assert len(ran(box)) == 12
    box.write("bad", "")
    assert box.run("run")[0] == 0
    assert sorted(ran(box)) == ["003", "007"]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("true", "it wrote nothing to MLCTL_OUTPUT"),
        ('cp "$MLCTL_INPUT" "$MLCTL_OUTPUT"; kill -9 $$', "killed by signal 9"),
        ('cp "$MLCTL_INPUT" "$MLCTL_OUTPUT"; echo >>"$MLCTL_INPUT"', "it changed while"),
        ('cp "$MLCTL_INPUT" "$MLCTL_OUTPUT"; rm "$MLCTL_INPUT"', "it vanished while"),
        ('mkdir "$MLCTL_OUTPUT"; touch "$MLCTL_OUTPUT/.dvcignore"', "must not hold a .dvcignore"),
    ],
)
def test_what_counts_as_a_failure(box, command, problem):
    items(box, 1)
    stages(box, shlex.quote(command))
    code, said = box.run("run")
    assert code == 1
    assert problem in next(line for line in said.splitlines() if "FAILED 000: " in line)
    assert _lines(box.root / ".mlctl" / "each") == 0


def test_places_are_filled_in_once(box):
    box.write("in/{output}", "x")
    stages(box, 'sh -c \'cp "$0" "$1"; echo "$2"\' {input} {output} {item}')
    code, said = box.run("run")
    assert code == 0, said
    assert "[upper] {output}" in said
    assert outs(box) == {"{output}": "x"}


def test_words_are_a_program_with_places_filled_in(box):
    box.write("in/a b/x'y.txt", "quotes")
    script = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read() + sys.argv[3])"
    box.write("copy.py", script)
    stages(box, "python copy.py {input} {output} --item={item}")
    code, said = box.run("run")
    assert code == 0, said
    assert (box.root / "out/a b/x'y.txt").read_text() == "quotes--item=a b/x'y.txt"


def test_an_input_that_is_given_back_by_its_link_is_left_alone(box):
    items(box, 1)
    stages(box, shlex.quote('ln "$MLCTL_INPUT" "$MLCTL_OUTPUT"'))
    assert box.run("run")[0] == 0
    assert os.stat(box.root / "in/000").st_nlink == 1
    assert os.access(box.root / "in/000", os.W_OK)
    assert outs(box) == {"000": "text 0"}


def test_two_commands_and_a_step_after_them(box):
    """What one made outlives the failure of the next."""
    items(box, 3)
    cmd = [
        f"mlctl each --out out {shlex.quote(UPPER)}",
        f"mlctl each --out more --name '{{item}}.x' {shlex.quote(UPPER)}",
        "test -e good && cat out/* more/* >all",
    ]
    box.stages({"upper": {"cmd": cmd, "deps": ["in"], "outs": ["out", "more", "all"]}})
    assert box.run("run")[0] == 1
    assert len(ran(box)) == 6
    box.write("good", "")
    assert box.run("run")[0] == 0
    assert ran(box) == []
    assert outs(box, "more") == {f"00{n}.x": f"TEXT {n}" for n in range(3)}
    assert box.read("all") == "TEXT 0TEXT 1TEXT 2" * 2


@pytest.mark.parametrize(
    ("engine", "where"),
    [("dvc repro", "."), ("dvc repro", "sub"), ("dvc repro", "sub/deep"), ("mlctl run", "sub")],
)
def test_the_stage_is_found_from_any_folder(box, engine, where):
    """DVC_STAGE is relative to where `dvc` was called; the same name stands in several files."""
    folders = (".", "sub", "sub/deep")
    for folder in folders:
        items(box, 2, f"{folder}/in")
        command = (
            f"--name '{{item}}.{len(folder)}' {shlex.quote('cat <$MLCTL_INPUT >$MLCTL_OUTPUT')}"
        )
        stages(box, command, wdir=folder)
    done = call([MLCTL[0], "-m", *engine.split(), "-P"], box.root / where)
    assert done.returncode == 0, done.stdout + done.stderr
    for folder in folders:
        assert [*outs(box, f"{folder}/out")] == [f"00{n}.{len(folder)}" for n in range(2)]


@pytest.mark.parametrize(
    ("command", "more", "words", "hint"),
    [
        ("--over inn cat", {}, "--over 'inn' is not a dep of the stage", "did you mean 'in'?"),
        ("--out ou cat", {}, "--out 'ou' is not an out of the stage", "did you mean 'out'?"),
        ("--over one cat", {"deps": ["in", "one"]}, "--over 'one' is not a folder", "items"),
        ("--out out cat", {"outs": [{"out": {"cache": False}}]}, "is not cached", "cache: false"),
        ("cat", {"outs": [{"out": {"cache": False}}]}, "no out is cached", "--out"),
        ("cat", {"outs": ["out", "out2"]}, "2 outs are cached", "--out"),
        ("cat", {"deps": ["in", "in2"]}, "2 deps are folders", "--over"),
        ("cat", {"deps": ["one"]}, "no dep is a folder", "--over"),
        ("--name same cat", {}, "items '000' and '001': both have the result 'same'", "{item}"),
        ("--name '{nam}' cat", {}, "unknown {nam}", "{stem}"),
    ],
)
def test_a_command_line_that_does_not_fit_its_stage(box, command, more, words, hint):
    items(box, 2)
    items(box, 1, "in2")
    box.write("one", "1")
    stages(box, command, **more)
    done = box.mlctl("each", *shlex.split(command), env={"DVC_STAGE": "upper"})
    assert done.returncode == 2, done.stderr
    assert (
        f"dvc.yaml:3: stages.upper.cmd: mlctl each: {words}" in done.stderr or words in done.stderr
    )
    assert "dvc.yaml:3: stages.upper.cmd" in done.stderr
    assert hint in done.stderr
    assert not (box.root / "out").exists()


def test_outside_of_a_stage(box):
    items(box, 1)
    stages(box, "cat")
    done = box.mlctl("each", "cat")
    assert done.returncode == 2
    assert "runs inside a stage" in done.stderr
    done = box.mlctl("each", "cat", env={"DVC_STAGE": "lower"})
    assert "the stage 'lower' (DVC_STAGE) is in no dvc.yaml" in done.stderr


def test_what_is_not_a_setting_names_its_place(box):
    items(box, 1)
    stages(box, "cat", each={"over": "in"})
    code, said = box.run("run")
    assert code == 2
    assert "stages.upper.meta.mlctl.each.over: 'over' decides what is written" in said
    assert "mlctl each --over images" in said


def test_json(box):
    items(box, 3)
    box.write("bad", "001\n")
    stages(box, shlex.quote(PICKY))
    done = box.mlctl("each", "--json", PICKY, env={"DVC_STAGE": "upper"})
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told == {
        "schema": "mlctl.each/1",
        "stage": "upper",
        "items": 3,
        "unchanged": 0,
        "ran": 1,
        "failed": {"001": "exit code 1"},
        "left": 1,
    }
    assert "FAILED 001" in done.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [("nonesuch {input}", "'nonesuch' is not installed"), ("./plain {input}", "cannot be started")],
)
def test_a_program_that_cannot_be_started(box, command, words):
    items(box, 3)
    box.write("plain", "no script")
    stages(box, command)
    done = box.mlctl("each", *shlex.split(command), env={"DVC_STAGE": "upper"})
    assert done.returncode == 3
    assert words in done.stderr
    assert not [*(box.root / ".mlctl/each/work").iterdir()]


def test_names_and_words_that_are_no_utf8(box):
    box.write("in/one", "1")
    os.rename(box.root / "in/one", os.fsencode(box.root / "in") + b"/\xff")
    stages(box, "x")
    line = 'printf "\\377 says $MLCTL_ITEM"; cp "$MLCTL_INPUT" "$MLCTL_OUTPUT"'
    done = box.mlctl("each", line, env={"DVC_STAGE": "upper"})
    assert done.returncode == 0, done.stderr
    assert "\ufffd says \ufffd\n" in done.stdout
    assert os.listdir(os.fsencode(box.root / "out")) == [b"\xff"]
    done = box.mlctl("each", "--json", "false", env={"DVC_STAGE": "upper"})
    assert done.returncode == 1, done.stderr
    assert "FAILED ?: exit code 1" in done.stderr
    assert json.loads(done.stdout)["failed"] == {"?": "exit code 1"}


def test_what_an_item_prints_is_shown_whole_or_its_end(box):
    items(box, 2)
    stages(box, "x")
    line = "echo begins; head -c 1048577 /dev/zero | tr '\\0' x; cp $MLCTL_INPUT $MLCTL_OUTPUT"
    done = box.mlctl("each", line, env={"DVC_STAGE": "upper"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[…]xxx") == 2
    assert len(done.stdout) < 2 * (1 << 20) + 200


def test_many_items_and_three_changed(box):
    items(box, 500)
    stages(box, shlex.quote('cat <"$MLCTL_INPUT" >"$MLCTL_OUTPUT"'), each={})
    assert box.run("run")[0] == 0
    for number in (5, 50, 499):
        box.write(f"in/{number:03}", "changed")
    begin = time.monotonic()
    code, said = box.run("run")
    assert code == 0, said
    assert "500 items: 3 done, 497 unchanged" in said
    assert time.monotonic() - begin < 20, "a second or two, on a busy machine"
    assert outs(box)["499"] == "changed"
