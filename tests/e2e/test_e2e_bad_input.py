"""Bad input through the command line: the message, the file, YAML path and line, the exit code."""

import json
import os
import shutil

import pytest

OK = "stages:\n  a:\n    cmd: cat data > a.out\n    deps: [data]\n    outs: [a.out]\n"
PARAMS = OK + "    params: [lr]\n"
LOCK = "schema: '2.0'\nstages:\n  a:\n    cmd: cat data > a.out\n"
CONFLICT = "<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.0'\n>>>>>>> other\n"
RESTORE = "restore it (`git checkout -- dvc.lock`), or delete it: what is known comes from the run-cache"  # fmt: skip  # noqa: E501

Files = dict[str, str | bytes]


def meta(settings: str) -> Files:
    return {"dvc.yaml": OK + f"    meta:\n      mlctl: {settings}\n"}


def second(body: str) -> Files:
    return {"dvc.yaml": OK + f"  b:\n    cmd: x\n{body}"}


# name -> files, exit code, the whole message, the whole hint. These are refused before any work.
REFUSED: dict[str, tuple[Files, int, str, str | None]] = {
    "a list that is not closed": (
        {"dvc.yaml": "stages: [\n"}, 2,
        "dvc.yaml:2: not valid YAML: expected the node content, but found the end of the file",
        None,
    ),
    "a tab": (
        {"dvc.yaml": "stages:\n\ta:\n"}, 2,
        r"dvc.yaml:2: not valid YAML: found character '\t' that cannot start any token",
        "indent with spaces, not with tabs",
    ),
    "an indentation": (
        {"dvc.yaml": "stages:\n  a:\n    cmd: x\n   deps: [y]\n"}, 2,
        "dvc.yaml:4: not valid YAML: expected <block end>, but found '<block mapping start>'",
        "compare its indentation with that of the lines above",
    ),
    "a key twice": (
        {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    cmd: y\n"}, 2,
        ('dvc.yaml:4: not valid YAML: found duplicate key "cmd" with value "y" '
        '(original value: "x")'),
        "keep one of the two",
    ),
    "an unknown key": (
        {"dvc.yaml": OK.replace("outs:", "outz:")}, 2,
        "dvc.yaml:5: stages.a.outz: unknown key 'outz'", "did you mean 'outs'?",
    ),
    "an unknown section": (
        {"dvc.yaml": "stage:\n  a:\n    cmd: x\n"}, 2,
        "dvc.yaml:1: stage: unknown key 'stage'", "did you mean 'stages'?",
    ),
    "a cycle": (
        second("    deps: [a.out]\n    outs: [data]\n"), 2,
        "dvc.yaml:2: stages.a: the stages need one another in a circle: b → a → b",
        "remove one of the deps that close the circle",
    ),
    "two stages with one out": (
        second("    outs: [a.out]\n"), 2,
        "dvc.yaml:8: stages.b.outs: 'a.out' is also an out of 'a'",
        "an out belongs to one stage",
    ),
    "outs that overlap": (
        second("    outs: [a.out/part]\n"), 2,
        "dvc.yaml:8: stages.b.outs: 'a.out/part' overlaps an out of 'a'",
        "no out may lie inside another; use separate folders",
    ),
    "a template that does not resolve": (
        {"dvc.yaml": OK.replace("cat data", "cat ${nam}"), "params.yaml": "name: 1\n"}, 2,
        "dvc.yaml:3: stages.a.cmd: could not find 'nam'", "did you mean 'name'?",
    ),
    "a template without parameters": (
        {"dvc.yaml": OK.replace("cat data", "cat ${nam}")}, 2,
        "dvc.yaml:3: stages.a.cmd: could not find 'nam'",
        "there is no params.yaml here, and no vars",
    ),
    "a cached out outside": (
        {"dvc.yaml": OK.replace("[a.out]", "[../a.out]")}, 2,
        ("dvc.yaml:5: stages.a.outs: '../a.out' lies outside of the repository, "
        "so it cannot be cached"),
        "write `cache: false` for it, or move it into the repository",
    ),
    "a newline in a path": (
        {"dvc.yaml": OK.replace("[a.out]", '["a\\nb"]')}, 2,
        r"dvc.yaml:5: stages.a.outs[0]: 'a\nb' has a line break in it", "rename the file",
    ),
    "a dvc.yaml that is not UTF-8": (
        {"dvc.yaml": OK.encode() + b"# \xff\n"}, 2,
        "dvc.yaml:6: not valid UTF-8 (byte 76)", "save the file as UTF-8",
    ),
    "parameters that are not UTF-8": (
        {"dvc.yaml": PARAMS, "params.yaml": b"lr: \xff\n"}, 2,
        "params.yaml:1: not valid UTF-8 (byte 4)", "save the file as UTF-8",
    ),
    "parameters that are not JSON": (
        {"dvc.yaml": OK + "    params: [{p.json: [x]}]\n", "p.json": "{"}, 2,
        "p.json:1: not valid JSON: Expecting property name enclosed in double quotes", None,
    ),
    "a lock that is not UTF-8": (
        {"dvc.yaml": OK, "dvc.lock": LOCK.encode() + b"# \xff\n"}, 2,
        "dvc.lock:5: not valid UTF-8 (byte 55)", "save the file as UTF-8",
    ),
    "a lock from a newer version": (
        {"dvc.yaml": OK, "dvc.lock": LOCK.replace("2.0", "9.0")}, 2,
        "dvc.lock:1: schema: schema 9.0 is newer than 2.0, the newest one known here",
        "upgrade mlctl, or restore the lock that an older version wrote (git checkout)",
    ),
    "a lock with half of its conflict markers": (
        {"dvc.yaml": OK, "dvc.lock": CONFLICT.partition(">>>>>>>")[0]}, 2,
        "dvc.lock:1: holds git conflict markers, which do not match",
        "take either side (`git checkout --ours dvc.lock`), then run the pipeline again",
    ),
    "a lock that is garbage": (
        {"dvc.yaml": OK, "dvc.lock": "hello\n"}, 2,
        "dvc.lock: a lock file is a mapping with `schema` and `stages`", RESTORE,
    ),
    "a lock that is binary": (
        {"dvc.yaml": OK, "dvc.lock": b"\x00\x01"}, 2,
        ("dvc.lock: not valid YAML: unacceptable character #x0000: "
        "special characters are not allowed"),
        RESTORE,
    ),
    "a lock entry that is garbage": (
        {"dvc.yaml": OK, "dvc.lock": LOCK + "    deps: 5\n"}, 2,
        "dvc.lock:5: stages.a.deps: must be a list", RESTORE,
    ),
    "an unknown executor": (
        meta("{on: gpuhost}"), 2,
        "dvc.yaml:7: stages.a.meta.mlctl.on: no host and no label is called 'gpuhost'",
        "`mlctl host add gpuhost` makes it known",
    ),
    "an unknown setting": (
        meta("{cpu: 2}"), 2, "dvc.yaml:7: stages.a.meta.mlctl.cpu: unknown key 'cpu'",
        "did you mean 'cpus'?",
    ),
    "a setting out of range": (
        meta("{cpus: -1}"), 2,
        "dvc.yaml:7: stages.a.meta.mlctl.cpus: expected a whole number of at least 1, got -1",
        "as in `cpus: 4`",
    ),
    "memory without a number": (
        meta("{memory: lots}"), 2,
        "dvc.yaml:7: stages.a.meta.mlctl.memory: expected an amount of memory, got 'lots'",
        "as in 16G or 512MiB",
    ),
    "a variable that is not set": (
        meta("{env_from: [NOT_SET_ANYWHERE]}"), 2,
        "dvc.yaml:7: stages.a.meta.mlctl.env_from: NOT_SET_ANYWHERE is not set in the environment",
        "export NOT_SET_ANYWHERE=…",
    ),
    "GPUs that are not there": (
        meta("{gpus: 1}"), 3, "stage 'a' asks for 1 GPUs; 0 found here",
        "set `meta.mlctl.gpus: 0`, or run it where there are GPUs",
    ),
    "no dvc.yaml": (
        {}, 2, "there is no dvc.yaml with stages in the root of the project",
        "write one, or start from a template: `mlctl init`",
    ),
}  # fmt: skip

# The same for what is found at the stage's turn: the stage fails, and the message is its own.
FAILS: dict[str, tuple[Files, str, str | None]] = {
    "a missing dep": (
        {"dvc.yaml": OK.replace("[data]", "[dat]")}, "missing dep: 'dat'",
        "look at its path in dvc.yaml, or fetch it with `mlctl run --pull`",
    ),
    "a missing parameter": (
        {"dvc.yaml": PARAMS, "params.yaml": "lrr: 1\n"}, "params.yaml has no parameter 'lr'",
        "did you mean 'lrr'?",
    ),
    "a missing parameters file": (
        {"dvc.yaml": PARAMS}, "missing parameters file 'params.yaml'",
        "make it, or correct `params` in dvc.yaml",
    ),
    "a folder to work in that is missing": (
        {"dvc.yaml": "stages:\n  a:\n    wdir: no\n    cmd: x\n    outs: [a.out]\n"},
        "its wdir 'no' does not exist", "make it, or correct its `wdir` in dvc.yaml",
    ),
}  # fmt: skip


@pytest.fixture
def box(box, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    box.write("data", "data\n")
    box.write("a.out", "from before\n")
    return box


def put(box, files: Files) -> dict[str, bytes]:
    """Write the files; what is in the repository then, without local state."""
    for path, content in files.items():
        box.write(path, "")
        (box.root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return state(box)


def state(box) -> dict[str, bytes]:
    local = (".git/", ".mlctl/", "runs/", ".dvc/tmp/")
    return {path: data for path, (data, _) in box.tree().items() if not path.startswith(local)}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_said_exactly_and_nothing_is_touched(name, box):
    files, code, message, hint = REFUSED[name]
    before = put(box, files)
    found, told = box.run("run", "--quiet")
    assert (found, told.splitlines()[-2 if hint else -1 :]) == (
        code,
        [f"error: {message}", *([f"hint:  {hint}"] if hint else [])],
    )
    assert "Traceback" not in told
    assert state(box) == before


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_json_too(name, box):
    files, code, message, hint = REFUSED[name]
    put(box, files)
    found, told = box.run("run", "--json")
    error = json.loads(told[told.index("{\n") :])
    assert (found, error["schema"], error["exit_code"]) == (code, "mlctl.error/1", code)
    assert (error["message"], error["hint"]) == (message, hint)
    if "dvc.yaml:" in message:
        assert error["file"] == "dvc.yaml"
        assert message.startswith(f"dvc.yaml:{error['line']}: ")
        assert error["where"] is None or f" {error['where']}: " in message


@pytest.mark.parametrize("name", FAILS)
def test_what_a_stage_lacks_is_said_and_its_outs_stay(name, box):
    files, message, hint = FAILS[name]
    before = put(box, files)
    code, told = box.run("run")
    assert code == 1
    assert f"a: {message}\n" + (f"hint: {hint}\n" if hint else "") in told
    assert "Traceback" not in told
    assert state(box) == before


def test_an_out_that_git_tracks(box):
    put(box, {"dvc.yaml": OK})
    box.commit()
    code, told = box.run("run")
    assert code == 1
    assert "'a.out' is tracked by git\nhint: `git rm -r --cached a.out`, then commit" in told
    assert box.read("a.out") == "from before\n"


@pytest.mark.parametrize("verb", ["run", "status", "plan", "dag"])
def test_an_unknown_target(verb, box):
    put(box, {"dvc.yaml": OK.replace("  a:", "  train:")})
    assert box.run(verb, "trian") == (
        2, "error: no stage or out is called 'trian' in dvc.yaml\nhint:  did you mean 'train'?\n",
    )  # fmt: skip
    assert box.run(verb, "sub/dvc.yaml:train")[0] == 2


def test_outside_of_a_repository(box):
    put(box, {"dvc.yaml": OK})
    shutil.rmtree(box.root / ".dvc")
    code, told = box.run("run")
    assert code == 2
    assert f"{box.root} is not inside a DVC repository" in told
    assert "hint:  make one with `mlctl init`, or with `dvc init`" in told
    assert box.read("a.out") == "from before\n"


def test_a_cached_out_outside_leaves_the_other_verbs_and_stages_alone(box):
    # Repositories of DVC 2 have such outs; DVC 3 refuses only to save them.
    put(box, second("    outs: [../b.out]\n"))
    assert box.run("status")[0] == 0
    assert box.run("run", "a")[0] == 0
    assert box.run("run", "b")[0] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [("size=64k", "No space left on device"), ("ro", "Read-only file system")],
)
def test_a_cache_that_takes_nothing(options, said, box, mount):
    cache = mount(options)
    put(box, {"dvc.yaml": OK.replace("cat data", "head -c 200000 /dev/zero")})
    box.write(".dvc/config", f"[cache]\n    dir = {cache}\n")
    code, told = box.run("run")
    assert code in {1, 3}, told
    assert said in told
    assert cache in told
    assert "Traceback" not in told
    assert "Errno" not in told
    assert box.locked() == set()
    assert not [p for p in os.listdir(cache) if p.endswith(".tmp")]
    (box.root / ".dvc" / "config").write_text("")
    assert box.run("run")[0] == 0
    assert box.locked() == {"a"}


def test_paths_that_must_work(box):
    box.stages(
        {
            "odd": {
                "cmd": "cat ./'-a b é.txt' > ./-out; cp ./-out 'ü [1] #.txt'; cp ./-out ../far.txt",
                "deps": ["-a b é.txt"],
                "outs": ["-out", "ü [1] #.txt", {"../far.txt": {"cache": False}}],
            }
        }
    )
    box.write("-a b é.txt", "odd\n")
    code, told = box.run("run")
    assert code == 0, told
    assert (box.root.parent / "far.txt").read_text() == "odd\n"
    assert "up to date" in box.run("run")[1]
