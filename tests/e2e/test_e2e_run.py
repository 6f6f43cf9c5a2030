"""Running in parallel: what overlaps, what is shared, what fails, what is printed."""

import itertools
import json
import os
import re
import time

import pytest

from e2e.sandbox import is_alive, overlap, stamp, wait_until


def test_independent_stages_overlap(box):
    box.stages({"a": stamp("a", 0.6), "b": stamp("b", 0.6)})
    assert box.mlctl("run", "-j2").returncode == 0
    spans = box.spans()
    assert overlap(spans["a"], spans["b"])


def test_one_job_runs_in_serial_order(box):
    # DVC's order: in the order of names' appearance, producers first.
    box.stages({"z": stamp("z"), "a": stamp("a", deps=("m",)), "m": stamp("m"), "b": stamp("b")})
    dry = box.json("plan")["steps"]
    assert box.mlctl("run", "-j1").returncode == 0
    assert box.ran() == [step["stage"] for step in dry]
    spans = sorted(box.spans().values())
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


@pytest.mark.parametrize("settings", [{"cpus": 2}, {"mutex": "db"}, {"gpus": 1}])
def test_what_cannot_be_shared_is_not(box, settings):
    box.stages({"a": stamp("a", 0.3, **settings), "b": stamp("b", 0.3, **settings)})
    done = box.mlctl("run", "-j3", env={"CUDA_VISIBLE_DEVICES": "7"})
    assert done.returncode == 0, done.stderr
    spans = box.spans()
    assert not overlap(spans["a"], spans["b"])


def test_memory_is_reserved(box):
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    most = f"{int(total * 0.6)}B"
    box.stages({"a": stamp("a", 0.3, memory=most), "b": stamp("b", 0.3, memory=most)})
    assert box.mlctl("run", "-j2").returncode == 0
    spans = box.spans()
    assert not overlap(spans["a"], spans["b"])


def test_each_stage_gets_gpus_of_its_own(box):
    stages = {}
    for name, gpus in (("a", 1), ("b", 1), ("c", 2), ("none", 0)):
        stages[name] = {
            "cmd": f"echo ${{CUDA_VISIBLE_DEVICES-unset}} > {name}.out; sleep 0.3",
            "outs": [f"{name}.out"],
            "meta": {"mlctl": {"gpus": gpus}},
        }
    text = json.dumps({"stages": stages}).replace("${", "\\\\${")
    box.write("dvc.yaml", text)
    done = box.mlctl("run", "-j4", env={"CUDA_VISIBLE_DEVICES": "4,6"})
    assert done.returncode == 0, done.stdout
    one, other = box.read("a.out").strip(), box.read("b.out").strip()
    assert {one, other} == {"4", "6"}
    assert box.read("c.out").strip() == "4,6"


def test_more_gpus_than_there_are_is_said_before_anything_runs(box):
    box.stages({"a": stamp("a"), "b": stamp("b", gpus=2)})
    done = box.mlctl("run", env={"CUDA_VISIBLE_DEVICES": "0"})
    assert done.returncode == 3
    assert "'b' asks for 2 GPUs; 1 found" in done.stderr
    assert box.ran() == []


def test_gpus_have_the_numbers_that_the_driver_gives_them(box):
    # CUDA's own numbers go by speed: `1` of the driver is not always `1` of CUDA.
    driver = box.root / "bin" / "nvidia-smi"
    box.write("bin/nvidia-smi", "#!/bin/sh\nprintf '0\\n1\\n'\n")
    driver.chmod(0o755)
    show = "echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER > {}.out"
    box.stages(
        {
            name: {"cmd": show.format(name), "outs": [f"{name}.out"], "meta": {"mlctl": gpus}}
            for name, gpus in (("a", {"gpus": 2}), ("none", {}))
        }
    )
    env = {"PATH": f"{driver.parent}:{os.environ['PATH']}"}
    done = box.mlctl("run", env=env)
    assert done.returncode == 0, done.stdout
    assert box.read("a.out") == "0,1 PCI_BUS_ID\n"
    assert box.read("none.out") == "\n"
    done = box.mlctl("run", "-f", env={**env, "CUDA_VISIBLE_DEVICES": "3,2"})
    assert done.returncode == 0, done.stdout
    assert box.read("a.out") == "3,2\n"  # the user's numbers, in the user's order


def test_env_and_env_from(box):
    box.stages(
        {
            "a": {
                "cmd": 'printf "%s" "$THREADS $TOKEN_TO_USE" > a.out',
                "outs": ["a.out"],
                "meta": {"mlctl": {"env": {"THREADS": 4}, "env_from": ["TOKEN_TO_USE"]}},
            }
        }
    )
    done = box.mlctl("run")
    assert done.returncode in {1, 2}
    assert "TOKEN_TO_USE" in done.stdout + done.stderr
    assert not (box.root / "a.out").exists()
    assert box.mlctl("run", env={"TOKEN_TO_USE": "secret"}).returncode == 0
    assert box.read("a.out") == "4 secret"
    assert "secret" not in json.dumps(box.records())


def test_timeout_ends_the_whole_process_group(box):
    box.stages(
        {
            "a": {
                "cmd": "sleep 60 & echo $! > pid; (trap '' TERM; sleep 60) & echo $! > deaf; wait",
                "outs": ["a.out"],
                "meta": {"mlctl": {"timeout": 1}},
            }
        }
    )
    begin = time.monotonic()
    done = box.mlctl("run")
    assert done.returncode == 1
    assert "timed out after 1 s" in done.stdout
    assert time.monotonic() - begin < 15
    for name in ("pid", "deaf"):
        pid = int(box.read(name))
        wait_until(lambda pid=pid: not is_alive(pid), 5)


def test_retries_until_it_works(box):
    box.stages(
        {
            "a": {
                "cmd": "echo x >> tries; n=$(wc -l < tries); echo try $n; "
                "test $n -ge 3 && cp tries a.out",
                "outs": ["a.out"],
                "meta": {"mlctl": {"retries": 2}},
            }
        }
    )
    done = box.mlctl("run")
    assert done.returncode == 0, done.stdout
    assert box.read("tries") == "x\n" * 3
    assert "attempt 3" in done.stdout
    logged = box.json("logs", "a")["lines"]
    assert [line for line in logged if line.startswith("try")] == ["try 1", "try 2", "try 3"]
    (head,) = box.records()
    assert head["status"] == "finished"


def test_retries_run_out(box):
    box.stages(
        {
            "a": {
                "cmd": "echo x >> tries; exit 7",
                "outs": ["a.out"],
                "meta": {"mlctl": {"retries": 1}},
            }
        }
    )
    done = box.mlctl("run")
    assert done.returncode == 1
    assert box.read("tries") == "x\n" * 2
    assert "exit code 7" in done.stdout


FAILING = {
    "bad": {"cmd": "sleep 0.2; exit 3", "outs": ["bad.out"]},
    "slow": stamp("slow", 1.0),
    "after_bad": stamp("after_bad", deps=("bad",)),
    "after_slow": stamp("after_slow", deps=("slow",)),
    "other": stamp("other", mutex="m"),
}


def test_a_failure_lets_finish_what_runs_and_starts_nothing(box):
    box.stages({**FAILING, "bad": {**FAILING["bad"]}})
    done = box.mlctl("run", "-j2", "--json")
    assert done.returncode == 1
    outcomes = _outcomes(done.stdout)
    assert outcomes == {
        "bad": "failed",
        "slow": "ran",
        "after_bad": "skipped",
        "after_slow": "skipped",
        "other": "skipped",
    }
    assert box.locked() == {"slow"}


def test_keep_going_does_all_that_does_not_hang_on_it(box):
    box.stages(FAILING)
    done = box.mlctl("run", "-j2", "-k", "--json")
    assert done.returncode == 1
    outcomes = _outcomes(done.stdout)
    assert {name for name, what in outcomes.items() if what == "ran"} == {
        "slow",
        "after_slow",
        "other",
    }
    assert outcomes["after_bad"] == "skipped"
    assert box.locked() == {"slow", "after_slow", "other"}
    box.forget_times()
    again = box.mlctl("run", "-k", "--json")
    assert again.returncode == 1
    assert _outcomes(again.stdout)["slow"] == "unchanged"
    assert box.ran() == []


def _outcomes(text):
    events = [json.loads(line) for line in text.splitlines()]
    return {e["stage"]: e["outcome"] for e in events if e["event"] == "stage_finished"}


def test_jobs_by_default(box):
    box.stages({"a": stamp("a"), "b": stamp("b")})
    assert box.json("plan")["jobs"] == 1
    box.write("mlctl.yaml", "records: {commit: off}\n")
    assert box.json("plan")["jobs"] == os.cpu_count()
    box.write("mlctl.yaml", "jobs: 3\n")
    assert box.json("plan")["jobs"] == 3
    box.write(".mlctl/local.yaml", "jobs: 5\n")
    assert box.json("plan")["jobs"] == 5
    assert box.json("plan", "-j", "7")["jobs"] == 7


MIXER = """\
import sys, time
name = sys.argv[1]
for number in range(40):
    for _ in range(10):
        sys.stdout.write(name * 7)
        sys.stdout.flush()
        time.sleep(0.0005)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
open(f"{name}.out", "w").write(name)
"""


def test_lines_of_parallel_stages_never_mix(box):
    box.write("mixer.py", MIXER)
    names = ["A", "B", "C"]
    box.stages({n: {"cmd": f"python mixer.py {n}", "outs": [f"{n}.out"]} for n in names})
    done = box.mlctl("run", "-j3")
    assert done.returncode == 0, done.stderr
    for name in names:
        found = [line for line in done.stdout.splitlines() if line.startswith(f"[{name}] ")]
        assert found == [f"[{name}] {name * 70}{number}" for number in range(40)]


def test_each_log_is_kept_and_shown(box):
    box.stages(
        {
            "a": {"cmd": "echo one; echo two; echo three >&2; touch a.out", "outs": ["a.out"]},
            "b": {"cmd": "printf 'no end'; touch b.out", "outs": ["b.out"]},
        }
    )
    assert box.mlctl("run", "-j2").returncode == 0
    assert box.run("logs", "a") == (0, "one\ntwo\nthree\n")
    assert box.run("logs", "a", "-n", "1") == (0, "three\n")
    assert box.run("logs", "a", "-n", "99") == (0, "one\ntwo\nthree\n")
    assert box.run("logs", "b") == (0, "no end\n")
    told = box.json("logs", "a")
    assert told["lines"] == ["one", "two", "three"]
    assert box.read(told["path"]) == "one\ntwo\nthree\n"
    code, said = box.run("logs", "nothing")
    assert code == 2
    assert "nothing" in said


def test_logs_follow_to_the_end_and_stop(box):
    box.stages(
        {
            "a": {
                "cmd": "echo first; sleep 1; printf half; sleep 0.5; echo ' line'; touch a.out",
                "outs": ["a.out"],
            }
        }
    )
    with box.started("run") as run:
        wait_until(lambda: any(box.root.glob(".mlctl/logs/*/a.log")))
        followed = box.mlctl("logs", "a", "-f", timeout=20)
        assert followed.stdout == "first\nhalf line\n"
        assert run.wait(20) == 0


def test_logs_of_old_runs_go(box):
    box.stages({"a": {"cmd": "echo $(date) > a.out", "deps": ["in"], "outs": ["a.out"]}})
    for number in range(23):
        box.write("in", str(number))
        assert box.run("run", "--no-run-cache")[0] == 0
    kept = os.listdir(box.root / ".mlctl" / "logs")
    assert len(kept) == 20
    assert box.json("logs", "a")["run"] == max(kept)


def test_a_long_run_keeps_its_log_whatever_runs_beside_it(box):
    box.stages(
        {
            "long": {
                "cmd": "until test -e go; do sleep 0.05; done; echo end; touch l.out",
                "outs": ["l.out"],
            },
            "a": {"cmd": "cp in a.out", "deps": ["in"], "outs": ["a.out"]},
        }
    )
    with box.started("run", "long") as run:
        wait_until(lambda: any(box.root.glob(".mlctl/logs/*/long.log")))
        for number in range(21):
            box.write("in", str(number))
            assert box.run("run", "a", "--no-run-cache")[0] == 0
        box.write("go", "")
        assert run.wait(20) == 0
    assert box.run("logs", "long") == (0, "end\n")


def test_json_is_one_object_a_line(box):
    box.stages({"a": stamp("a"), "b": stamp("b", deps=("a",))})
    done = box.mlctl("run", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["schema"] for event in events} == {"mlctl.event/1"}
    names = [event["event"] for event in events]
    assert names[0] == "run_started"
    assert names[-1] == "run_finished"
    assert events[0]["stages"] == ["a", "b"]
    assert events[-1]["outcomes"] == {"ran": 2}
    assert events[-1]["record"].startswith("runs/")
    assert done.stderr == ""


def test_what_hangs_on_an_unchanged_result_is_not_run(box):
    box.stages(
        {
            "a": {"cmd": "echo always the same > a.out", "deps": ["in"], "outs": ["a.out"]},
            "b": stamp("b", deps=("a",)),
        }
    )
    box.write("in", "1")
    assert box.run("run")[0] == 0
    box.write("in", "2")
    box.forget_times()
    assert box.run("run")[0] == 0
    assert box.ran() == []


def test_plain_output_reads_well(box):
    box.stages(
        {"a": stamp("a"), "b": {"cmd": "echo oh no; exit 2", "deps": ["a.out"], "outs": ["b.out"]}}
    )
    done = box.mlctl("run")
    assert done.returncode == 1
    assert re.search(r"^✓ a  \d", done.stdout, re.MULTILINE)
    assert re.search(r"^✗ b  exit code 2 after", done.stdout, re.MULTILINE)
    assert "[b] oh no" in done.stdout
    assert "Failed in" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
