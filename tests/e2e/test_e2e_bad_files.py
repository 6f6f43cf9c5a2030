"""Files that cannot be what they should be: folders, links to nothing, half files, full disks."""

import os
import socket
import subprocess
import sys

import pytest

from e2e.test_e2e_bad_input import OK, PARAMS, REFUSED, RESTORE, put, state

DIGEST = "md5: 6137cde4893c59f76f005a8123d8e8e6\n      size: 5\n"
ENTRY = "    - path: {}\n      hash: md5\n      " + DIGEST
LOCK = (
    "schema: '2.0'\nstages:\n  a:\n    cmd: cat data > a.out\n"
    f"    deps:\n{ENTRY.format('data')}    outs:\n{ENTRY.format('a.out')}"
)
POINTER = "outs:\n- md5: 6137cde4893c59f76f005a8123d8e8e6\n  size: 5\n  hash: md5\n  path: raw\n"
VERBS = (["status"], ["plan"], ["dag"], ["run", "--dry-run"], ["run"])
# What is asked only when a stage is about to run, and the verbs that have nothing to say of it.
AT_RUN = {
    "a cached out outside",
    "an unknown executor",
    "a variable that is not set",
    "GPUs that are not there",
}
EMPTY_IS_FINE = {"no dvc.yaml": (["status"], ["dag"])}


def folder(path):
    return lambda root: (root / path).mkdir(parents=True)


def link(path, to="nowhere"):
    return lambda root: (root / path).symlink_to(to)


def endpoint(path):
    """A socket: it is there, and nobody can read it, root neither."""

    def make(root):
        with socket.socket(socket.AF_UNIX) as one:
            os.chdir(root)
            one.bind(path)

    return make


def instead(path, make):
    def replace(root):
        (root / path).unlink()
        make(root)

    return replace


# name -> files, what is done then, exit code, message, hint; the same for every verb.
UNREADABLE = {
    "dvc.yaml is a link to nothing": (
        {}, link("dvc.yaml"), 2,
        "dvc.yaml: a link to a file that does not exist", "remove the link, or mend it",
    ),
    "a pointer is a link to nothing": (
        {"dvc.yaml": OK}, link("raw.dvc"), 2,
        "raw.dvc: a link to a file that does not exist", "remove the link, or mend it",
    ),
    "dvc.lock is a folder": (
        {"dvc.yaml": OK}, folder("dvc.lock"), 2,
        "dvc.lock: a folder, where a file is expected", None,
    ),
    "dvc.lock is a socket": (
        {"dvc.yaml": OK}, endpoint("dvc.lock"), 2,
        "dvc.lock: cannot be read: No such device or address", None,
    ),
    "params.yaml is a folder": (
        {"dvc.yaml": PARAMS}, folder("params.yaml"), 2,
        "params.yaml: a folder, where a file is expected", None,
    ),
    "params.yaml is a socket": (
        {"dvc.yaml": PARAMS}, endpoint("params.yaml"), 2,
        "params.yaml: cannot be read: No such device or address", None,
    ),
    "other parameters are a folder": (
        {"dvc.yaml": OK + "    params: [{p.json: [x]}]\n"}, folder("p.json"), 2,
        "p.json: a folder, where a file is expected", None,
    ),
    ".dvcignore is a folder": (
        {"dvc.yaml": OK}, folder(".dvcignore"), 2,
        ".dvcignore: a folder, where a file is expected", None,
    ),
    "the config is a folder": (
        {"dvc.yaml": OK}, instead(".dvc/config", folder(".dvc/config")), 2,
        ".dvc/config: a folder, where a file is expected", None,
    ),
    "the config does not parse": (
        {"dvc.yaml": OK, ".dvc/config": "[core]\n[cache\n"}, None, 2,
        ".dvc/config:2: Invalid line ('[cache') (matched as neither section nor keyword)",
        "a config has `[section]` and `name = value` lines; see `dvc config --help`",
    ),
    "the config says what cannot be": (
        {"dvc.yaml": OK, ".dvc/config": "[core]\n    autostage = maybe\n"}, None, 2,
        ".dvc/config:2: core.autostage: 'maybe' is not allowed: expected true or false",
        "correct it there, or unset it: `dvc config --unset core.autostage`",
    ),
    "the config is not UTF-8": (
        {"dvc.yaml": OK, ".dvc/config": b"[core]\n    remote = \xff\n"}, None, 2,
        ".dvc/config:2: not valid UTF-8 (byte 20)", "save the file as UTF-8",
    ),
    "a pointer that is not UTF-8": (
        {"dvc.yaml": OK, "raw.dvc": POINTER.encode() + b"# \xff\n"}, None, 2,
        "raw.dvc:6: not valid UTF-8 (byte 82)", "save the file as UTF-8",
    ),
    "a pointer that is garbage": (
        {"dvc.yaml": OK, "raw.dvc": "hello\n"}, None, 2,
        "raw.dvc:1: expected a mapping, got a string", None,
    ),
    "a pointer with an unknown key": (
        {"dvc.yaml": OK, "raw.dvc": POINTER.replace("size", "sise")}, None, 2,
        "raw.dvc:3: outs[0].sise: unknown key 'sise'", "did you mean 'size'?",
    ),
    "a lock that ends in a word": (
        {"dvc.yaml": OK, "dvc.lock": LOCK[:60]}, None, 2,
        "dvc.lock:5: not valid YAML: could not find expected ':'", RESTORE,
    ),
    "a dep that links to itself": (
        {"dvc.yaml": OK}, instead("data", link("data", "data")), 3,
        "{root}/data: Too many levels of symbolic links", None,
    ),
    "a dep that is a socket": (
        {"dvc.yaml": OK}, instead("data", endpoint("data")), 2,
        "{root}/data: neither a file nor a folder", None,
    ),
    "a name that is too long": (
        {"dvc.yaml": OK.replace("[a.out]", f"[{'x' * 300}]")}, None, 2,
        f"dvc.yaml:5: stages.a.outs[0]: a name longer than 255 bytes: '{'x' * 40}…'", "shorten it",
    ),
    "a NUL in a path": (
        {"dvc.yaml": OK.replace("[data]", '["a\\0b"]')}, None, 2,
        r"dvc.yaml:4: stages.a.deps[0]: 'a\x00b' has a character in it that no path can have",
        "correct it",
    ),
    "half a character in a path": (
        {"dvc.yaml": OK.replace("[data]", '["\\ud800"]')}, None, 2,
        r"dvc.yaml:4: stages.a.deps[0]: '\ud800' has a character in it that no path can have",
        "correct it",
    ),
    "a NUL in a folder to work in": (
        {"dvc.yaml": OK + '    wdir: "a\\0b"\n'}, None, 2,
        r"dvc.yaml:6: stages.a.wdir: 'a\x00b' has a character in it that no path can have",
        "correct it",
    ),
    "a NUL in a command": (
        {"dvc.yaml": OK.replace("cat data > a.out", '"a\\0b"')}, None, 2,
        "dvc.yaml:3: stages.a.cmd: a character that no command can have (NUL, or half a pair)",
        None,
    ),
    "a parameter that stands for several": (
        {"dvc.yaml": OK + "    params: ['*']\n", "params.yaml": "x: 1\ny: 2\n"}, None, 2,
        "dvc.yaml:6: stages.a.params: the parameter '*' stands for 2 values", "name one of them",
    ),
    "a NUL in a stage's name": (
        {"dvc.yaml": OK.replace("  a:", '  "a\\0b":')}, None, 2,
        r"dvc.yaml:2: stages.ab: 'a\x00b' has a character in it that no name can have", None,
    ),
    "a NUL in a variable": (
        {"dvc.yaml": OK + '    meta: {mlctl: {env: {A: "a\\0b"}}}\n'}, None, 2,
        ("dvc.yaml:6: stages.a.meta.mlctl.env.A: expected text that a program can be given, "
        "got a mapping"),
        "as in `env: {MODE: fast}`",
    ),
    "a pattern in .dvcignore that is none": (
        {"dvc.yaml": OK, ".dvcignore": "*.tmp\nx\\\n"}, None, 2,
        ".dvcignore:2: 'x\\\\' is not a pattern",
        "correct or remove the line; a literal backslash is written twice",
    ),
    "a range in .dvcignore that is none": (
        {"dvc.yaml": OK, ".dvcignore": "[z-a]\n"}, None, 2,
        ".dvcignore:1: '[z-a]' is not a pattern",
        "correct or remove the line; a literal backslash is written twice",
    ),
    "an out that holds the repository": (
        {"dvc.yaml": OK.replace("[a.out]", "[.]")}, None, 2,
        "dvc.yaml:5: stages.a.outs[0]: '.' holds the whole repository, and a run replaces its outs",
        "name the files or folders that the command writes",
    ),
    "an uncached out that holds the repository": (
        {"dvc.yaml": OK.replace("[a.out]", "[..: {cache: false}]")}, None, 2,
        ("dvc.yaml:5: stages.a.outs[0]: '..' holds the whole repository, "
        "and a run replaces its outs"),
        "name the files or folders that the command writes",
    ),
    "an out in .git": (
        {"dvc.yaml": OK.replace("[a.out]", "[.git]")}, None, 2,
        "dvc.yaml:5: stages.a.outs[0]: '.git' lies in .git, where no out may be",
        "write it to another folder",
    ),
    "an out in .dvc": (
        {"dvc.yaml": OK.replace("[a.out]", "[.dvc/config]")}, None, 2,
        "dvc.yaml:5: stages.a.outs[0]: '.dvc/config' lies in .dvc, where no out may be",
        "write it to another folder",
    ),
    "an out in our own folder": (
        {"dvc.yaml": OK.replace("[a.out]", "[.mlctl]")}, None, 2,
        "dvc.yaml:5: stages.a.outs[0]: '.mlctl' lies in .mlctl, where no out may be",
        "write it to another folder",
    ),
    "a pointer to the repository": (
        {"dvc.yaml": OK, "sub/raw.dvc": POINTER.replace("raw", "../..")}, None, 2,
        ("sub/raw.dvc:5: outs[0].path: '../..' holds the whole repository, "
        "and a run replaces its outs"),
        "name the files or folders that the command writes",
    ),
}  # fmt: skip


@pytest.fixture
def box(box, monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)
    box.write("data", "data\n")
    box.write("a.out", "from before\n")
    return box


def said(told: str) -> list[str]:
    """What was said from the error on."""
    assert "Traceback" not in told
    lines = told.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("error: ")) :]


@pytest.mark.parametrize("name", UNREADABLE)
def test_every_verb_says_the_same_and_touches_nothing(name, box):
    files, make, code, message, hint = UNREADABLE[name]
    put(box, files)
    if make:
        make(box.root)
    before = state(box)
    wanted = [f"error: {message.replace('{root}', str(box.root))}"]
    wanted += [f"hint:  {hint}"] if hint else []
    for verb in VERBS:
        found, told = box.run(*verb)
        assert (verb, found, said(told)) == (verb, code, wanted)
    assert state(box) == before
    assert (box.root / ".git" / "HEAD").exists()


def test_a_file_cannot_move_the_cursor_of_a_terminal(box):
    put(box, {"dvc.yaml": 'stages:\n  a:\n    "\\e[2Jcmd": x\n'})
    code, told = box.run("status")
    assert (code, told.splitlines()[0]) == (2, "error: dvc.yaml:3: stages.a.cmd: unknown key 'cmd'")


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - AT_RUN))
def test_what_run_refuses_the_other_verbs_refuse_alike(name, box):
    files, code, message, hint = REFUSED[name]
    before = put(box, files)
    wanted = [f"error: {message}", *([f"hint:  {hint}"] if hint else [])]
    for verb in VERBS[:-1]:
        found, told = box.run(*verb)
        if verb in EMPTY_IS_FINE.get(name, ()):
            assert (found, told) == (0, "There are no stages.\n")
        else:
            assert (verb, found, said(told)) == (verb, code, wanted)
    assert state(box) == before


@pytest.mark.parametrize("name", sorted(AT_RUN))
def test_what_only_a_run_needs_does_not_stop_the_other_verbs(name, box):
    before = put(box, REFUSED[name][0])
    for verb in VERBS[:-1]:
        assert box.run(*verb)[0] == 0
    assert state(box) == before


# name -> the file, its text, what the value of `x` is
NO_DIGEST = {
    "a date in TOML": ("p.toml", "x = 2020-01-01\n", "date"),
    "a date in YAML": ("p.yaml", "x: {y: 2020-01-01}\n", "date"),
    "bytes": ("p.yaml", "x: !!binary aGVsbG8=\n", "bytes"),
    "a set": ("p.py", "x = {1, 2}\n", "set"),
}


@pytest.mark.parametrize("name", NO_DIGEST)
def test_a_parameter_that_cannot_be_recorded(name, box):
    """DVC fails with `is not JSON serializable`; here the stage does, and its outs stay."""
    file, text, kind = NO_DIGEST[name]
    before = put(box, {"dvc.yaml": OK + f"    params: [{{{file}: [x]}}]\n", file: text})
    code, told = box.run("run")
    assert code == 1
    assert (
        f"a: {file}: 'x' holds a {kind}, which DVC cannot record\n"
        "hint: write it as a quoted string, or as a list\n"
    ) in told
    assert state(box) == before
    assert [box.run(*verb)[0] for verb in VERBS[:-1]] == [0, 0, 0, 0]


def test_what_is_missing_is_in_the_plan_before_it_fails(box):
    more = "    params: [lr, {p.json: [x]}]\n  b:\n    cmd: x\n    deps: [a.out, dat/x]\n"
    before = put(box, {"dvc.yaml": OK.replace("[data]", "[data, dat]") + more})
    reasons = {
        "a": ["not run yet", "dat missing", "params.yaml missing", "p.json missing"],
        "b": ["not run yet", "dat/x missing"],
    }
    for verb in VERBS[:2] + VERBS[3:4]:
        steps = box.json(*verb)["steps"]
        told = {step["stage"]: [reason["text"] for reason in step["reasons"]] for step in steps}
        assert told == reasons
        assert [line for line in box.run(*verb)[1].splitlines() if "dat/x missing" in line]
    assert state(box) == before


def test_a_dvc_yaml_that_is_a_folder(box):
    folder("dvc.yaml")(box.root)
    wanted = ["error: dvc.yaml: is not a file", "hint:  move away what is there"]
    for verb in (["plan"], ["run", "--dry-run"], ["run"]):
        code, told = box.run(*verb)
        assert (code, said(told)) == (2, wanted)


def test_an_out_that_dvcignore_names(box):
    put(box, {"dvc.yaml": OK, ".dvcignore": "*.out\n"})
    code, told = box.run("run")
    assert (code, said(told)) == (
        2,
        [
            "error: dvc.yaml:5: stages.a.outs: 'a.out' is an out, and .dvcignore names it",
            "hint:  remove its pattern from .dvcignore, or the out from the stage",
        ],
    )
    assert box.read("a.out") == "from before\n"


def test_a_lock_that_was_cut_anywhere(box):
    """It is refused, or what is left of it counts; a run then makes it whole again."""
    put(box, {"dvc.yaml": OK})
    assert box.run("run")[0] == 0
    assert box.read("dvc.lock") == LOCK
    refused = 0
    known = LOCK.rindex("size")  # from here on, all that says what the stage did is there
    for end in range(0, len(LOCK), 4):
        box.write("dvc.lock", LOCK[:end])
        code, told = box.run("run", "--quiet")
        if code == 2:
            refused += 1
            assert said(told)[0].startswith("error: dvc.lock")
            assert "git checkout -- dvc.lock" in said(told)[1] or end < len("schema: '2.0'")
            assert box.read("dvc.lock") == LOCK[:end]
        else:
            assert (end, code, told) == (end, 0, "")
            assert box.read("dvc.lock") == (LOCK if end < known - 7 else LOCK[:end])
    assert 0 < refused < len(LOCK)


# name -> the folder that takes nothing, exit code, what is said; `run` alone writes.
READ_ONLY = {
    "mlctl's own state": (".mlctl", 3, "{root}/.mlctl/logs"),
    "dvc's state": (".dvc", 1, "{root}/.dvc/tmp"),
    "the whole repository": (".", 3, "{root}/.mlctl"),
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_is_mounted_read_only(name, box, read_only):
    path, code, place = READ_ONLY[name]
    put(box, {"dvc.yaml": OK})
    (box.root / path).mkdir(exist_ok=True)
    before = state(box)
    with read_only(box.root / path):
        for verb in VERBS[:-1]:
            found, told = box.run(*verb)
            assert (verb, found) == (verb, 0), told
        found, told = box.run("run")
        assert found == code
        assert f"{place}: Read-only file system".replace("{root}", str(box.root)) in told
        assert "Traceback" not in told
    assert state(box) == before
    assert box.run("run")[0] == 0


def test_a_state_database_that_may_not_be_written(box, read_only):
    put(box, {"dvc.yaml": OK})
    assert box.run("run")[0] == 0
    box.write("data", "other\n")
    with read_only(box.root / ".mlctl" / "state.db"):
        assert box.run("status")[0] == 0
        assert box.run("run")[0] == 0
        assert "up to date" in box.run("run")[1]
    assert box.read("a.out") == "other\n"


@pytest.mark.parametrize("rubbish", [b"", b"rubbish" * 1000])
def test_local_state_that_is_rubbish_is_made_anew(rubbish, box):
    put(box, {"dvc.yaml": OK})
    assert box.run("run")[0] == 0
    for path in (".mlctl/state.db", ".mlctl/cache/compiled.bin", ".mlctl/durations.json"):
        (box.root / path).write_bytes(rubbish)
    assert "up to date" in box.run("run")[1]


def test_a_full_disk_for_local_state(box, mount):
    put(box, {"dvc.yaml": OK})
    link(".mlctl", mount("size=8k"))(box.root)
    (box.root / ".mlctl" / "ballast").write_bytes(b"x" * 4096)
    for verb in VERBS[:-1]:
        assert box.run(*verb)[0] == 0
    code, told = box.run("run")
    assert code == 3
    assert "No space left on device" in told
    assert "Traceback" not in told
    assert box.locked() == set()


def test_no_git_at_all(box, monkeypatch):
    put(box, {"dvc.yaml": OK})
    monkeypatch.setenv("PATH", str(box.root / "nothing"))
    for verb in VERBS:
        code, told = box.run(*verb)
        assert (code, said(told)) == (
            3, ["error: 'git' is not installed", "hint:  install git and try again"],
        )  # fmt: skip
    assert box.read("a.out") == "from before\n"


# name -> arguments, and what the message has in it.
OPTIONS = {
    "no jobs": (["run", "-j0"], ["Invalid value", "-j", "0 is not in the range x>=1"]),
    "jobs in words": (["run", "-j", "many"], ["Invalid value", "-j", "'many' is not a valid int"]),
    "a parameter without a value": (["run", "-S", "lr"], ["lr", "KEY=VALUE"]),
    "an unknown option": (["run", "--forse"], ["No such option", "--forse", "--force"]),
    "a folder that is not there": (
        ["-C", "nowhere", "run"], ["cannot enter nowhere: No such file or directory"],
    ),
    "parameters in a dry run": (
        ["run", "--dry-run", "-S", "lr=1"], ["-S writes parameters, and a dry run writes nothing"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_cannot_be(name, box):
    args, parts = OPTIONS[name]
    before = put(box, {"dvc.yaml": PARAMS, "params.yaml": "lr: 1\n"})
    code, told = box.run(*args)
    assert code == 2
    assert [part for part in parts if part not in said(told)[0]] == []
    assert state(box) == before


@pytest.fixture
def read_only():
    """Mounts a path on itself, to be read only; not without root, nor on macOS."""
    from contextlib import contextmanager

    @contextmanager
    def make(path):
        if sys.platform != "linux" or os.getuid():
            pytest.skip("NOT RUN: mounting a file system needs root on Linux")
        subprocess.run(["mount", "--bind", path, path], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
            yield
        finally:
            subprocess.run(["umount", path], check=True)

    return make
