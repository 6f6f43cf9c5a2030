"""Runs of scripts outside of a pipeline: how they begin, who belongs to them, how they end."""

import json
import signal
import subprocess
import sys

import pytest

from e2e.sandbox import call, wait_until
from mlctl.experiments import live
from mlctl.experiments.adopting import adopt
from mlctl.experiments.query import find_run
from mlctl.records.ulid import is_ulid
from tracking.conftest import lines
from tracking.pythons import OURS, PYTHONS


@pytest.mark.parametrize("python", PYTHONS)
def test_a_run_with_a_name_and_parameters(project, python):
    project.python(
        """
        import mlctl
        with mlctl.start_run("first", params={"lr": 0.1}) as run:
            run.log(loss=1)
            mlctl.log(loss=2)
            print(run.id)
        """,
        python=python,
        PYTHONHASHSEED="7",
    )
    start = json.loads((project.run() / "start.json").read_text())
    assert is_ulid(start["id"])
    assert start["id"] == project.run().name
    assert (start["schema"], start["name"]) == ("mlctl.live/1", "first")
    assert start["python"] == python
    assert start["argv"] == [str(project.root / "script.py")]
    assert start["seeds"] == {"PYTHONHASHSEED": 7}
    assert start["capture"] is False
    assert project.steps() == [(0, {"loss": 1}), (1, {"loss": 2})]
    assert live.logged_params(live.sources(str(project.root), start["id"])[0]) == {"lr": 0.1}
    assert project.end()["status"] == "finished"
    assert (project.root / ".mlctl" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("ending", "status", "exception"),
    [
        ("pass", "finished", None),
        ("raise ValueError('no data')", "failed", "ValueError: no data"),
        ("raise KeyboardInterrupt", "interrupted", None),
        ("raise SystemExit(0)", "finished", None),
        ("raise SystemExit('bad')", "failed", "SystemExit: bad"),
    ],
)
@pytest.mark.parametrize("begin", ["with mlctl.start_run()", "if True"])
def test_how_a_run_ended(project, begin, ending, status, exception):
    """Of an implicit run, Python does not tell at its exit which SystemExit it was."""
    code = f"import mlctl\n{begin}:\n    mlctl.log(a=1)\n    {ending}\n"
    project.python(code, ok=False)
    if begin == "if True" and "SystemExit" in ending:
        status, exception = "finished", None
    end = project.end()
    assert (end["status"], end.get("exception")) == (status, exception)


def test_the_project_is_the_one_around_the_current_folder(project):
    (project.root / "deep" / "er").mkdir(parents=True)
    project.python("import os, mlctl\nos.chdir('deep/er')\nmlctl.log(a=1)\n")
    assert project.steps() == [(0, {"a": 1})]


def test_runs_after_and_within_each_other(project):
    project.python("""
        import mlctl
        mlctl.log(where=0)
        with mlctl.start_run("one") as one:
            mlctl.log(where=1)
            with mlctl.start_run("two"):
                mlctl.log(where=2)
            mlctl.log(where=1)
        two = mlctl.start_run("three")
        mlctl.log(where=3)
        two.end()
        two.end()
        mlctl.log(where=0)
    """)
    found = {}
    for run in project.runs():
        name = json.loads((run / "start.json").read_text())["name"]
        found[name] = [row["metrics"]["where"] for row in lines(run / "main" / "metrics.jsonl")]
        assert json.loads((run / "end.json").read_text())["status"] == "finished"
    assert found == {None: [0, 0], "one": [1, 1], "two": [2], "three": [3]}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_log_into_the_run_of_the_process_that_started_them(project, method):
    project.python(f"""
        import multiprocessing
        import mlctl
        def work(number):
            mlctl.log(step=number, worker=number)
        if __name__ == "__main__":
            with mlctl.start_run():
                context = multiprocessing.get_context("{method}")
                workers = [context.Process(target=work, args=[n]) for n in range(3)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
    """)
    assert sorted(project.steps()) == [(n, {"worker": n}) for n in range(3)]
    assert project.end()["status"] == "finished"


def test_a_script_that_a_run_starts_may_have_a_run_of_its_own(project):
    (project.root / "other.py").write_text("import mlctl\nwith mlctl.start_run('inner'): pass\n")
    project.python("""
        import subprocess, sys
        import mlctl
        with mlctl.start_run("outer"):
            subprocess.run([sys.executable, "-S", "other.py"], check=True)
    """)
    names = [json.loads((run / "start.json").read_text())["name"] for run in project.runs()]
    assert names == ["outer", "inner"]


RANKS = """
import os, subprocess, sys
script = '''
import mlctl
for number in range(2):
    with mlctl.start_run(str(number), params={"lr": 1}):
        mlctl.log(step=number, loss=1)
'''
env = {**os.environ, "WORLD_SIZE": "3"}
ranks = [
    subprocess.Popen([sys.executable, "-S", "-c", script], env={**env, "RANK": str(rank)})
    for rank in (2, 1, 0)
]
sys.exit(any([rank.wait() for rank in ranks]))
"""


def test_processes_that_train_together_make_one_run_with_a_file_for_each(project):
    project.python(RANKS)
    # By name: two ids of one millisecond come in any order.
    named = {json.loads((run / "start.json").read_text())["name"]: run for run in project.runs()}
    assert named.keys() == {"0", "1"}
    for number in range(2):
        run = named[str(number)]
        assert (run / "end.json").exists()
        for name in ("metrics.jsonl", "metrics.rank1.jsonl", "metrics.rank2.jsonl"):
            assert [row["step"] for row in lines(run / "main" / name)] == [number]


@pytest.mark.parametrize(
    ("env", "file"),
    [
        ({"RANK": "2", "LOCAL_RANK": "0"}, "metrics.rank2.jsonl"),
        ({"SLURM_PROCID": "3"}, "metrics.rank3.jsonl"),
        ({"OMPI_COMM_WORLD_RANK": "1"}, "metrics.rank1.jsonl"),
        ({"RANK": "x", "LOCAL_RANK": "1"}, "metrics.rank1.jsonl"),
        ({"RANK": "0"}, "metrics.jsonl"),
    ],
)
def test_the_rank_of_a_process(project, env, file):
    project.python("import mlctl\nmlctl.log(a=1)\n", **env)
    assert project.steps(file) == [(0, {"a": 1})]


def test_switched_off_it_keeps_nothing(project):
    done = project.python(
        """
        import mlctl
        with mlctl.start_run(params={"a": 1}):
            mlctl.log(a=1)
            mlctl.log_artifact("script.py")
        mlctl.log(a=1)
        """,
        MLCTL_LOG="off",
    )
    assert done.stderr == ""
    assert not (project.root / ".mlctl").exists()


def test_a_run_that_cannot_begin_takes_nothing_from_the_one_around_it(project):
    done = project.python("""
        import os
        import mlctl
        mlctl.log(a=1)
        os.mkdir("elsewhere")
        os.chdir("elsewhere")
        os.mkdir(".dvc")
        open(".mlctl", "w").close()
        with mlctl.start_run():
            mlctl.log(lost=1)
        mlctl.log(a=2)
    """)
    assert "no run can be started" in done.stderr
    assert project.steps() == [(0, {"a": 1}), (1, {"a": 2})]


def test_parameters_of_the_projects_file(project):
    read = "import mlctl\nprint(mlctl.params())\n"
    assert "neither params.json nor params.yaml" in project.python(read, ok=False).stderr
    (project.root / "params.yaml").write_text("lr: 1\n")
    assert "pip install pyyaml" in project.python(read, ok=False).stderr
    (project.root / "params.json").write_text('{"net": {"depth": 3}}')
    assert project.python(read).stdout == "{'net': {'depth': 3}}\n"


def test_the_run_becomes_a_record_with_the_code_that_it_began_with(box):
    box.write("train.py", "import mlctl\nwith mlctl.start_run('n'):\n    mlctl.log(loss=0.5)\n")
    box.commit()
    done = call([sys.executable, "train.py"], box.root)
    assert (done.returncode, done.stderr) == (0, "")
    (run_id,) = live.live_runs(str(box.root))
    wait_until(lambda: (box.root / ".mlctl" / "live" / run_id / "code.json").exists(), 120)
    assert adopt(str(box.root)) != []
    head = find_run(str(box.root), "last")
    assert (head.id, head.name, head.status) == (run_id, "n", "finished")
    assert head.metrics == {"loss": 0.5}
    assert head.argv == ("train.py",)
    assert (head.git.commit, head.git.dirty) == (box.git("rev-parse", "HEAD").strip(), False)


def test_a_killed_run_is_over_for_others(project):
    script = project.root / "script.py"
    script.write_text("import mlctl, time\nmlctl.log(a=1)\nprint('on', flush=True)\ntime.sleep(99)")
    process = subprocess.Popen(
        [OURS, "-S", script],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    assert not live.has_ended(str(project.root), project.run().name)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert live.has_ended(str(project.root), project.run().name)
