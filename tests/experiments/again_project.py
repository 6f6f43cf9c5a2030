"""A small project with real DVC data, a recorded run, and what there is to change in it."""

import hashlib
import json
from pathlib import Path

from e2e.sandbox import Sandbox

TRAIN = """\
import json, random
import yaml
import helper
params = yaml.safe_load(open("params.yaml"))["train"]
rng = random.Random(params["seed"])
rows = [int(line) for line in open("data/clean.csv").read().split()]
value = sum(rows) * params["lr"] + rng.random()
value += helper.BONUS
try:
    import tinylib
    value += tinylib.VALUE
except ImportError:
    pass
json.dump({"auc": value, "rows": len(rows)}, open("metrics.json", "w"))
open("model.txt", "w").write(str(value))
"""
PREPARE = """\
rows = open("data/raw.csv").read().split()
open("data/clean.csv", "w").write("\\n".join(rows) + "\\n")
"""
PARAMS = "train:\n  seed: 1\n  lr: 0.5\n"
STAGES = {
    "prepare": {
        "cmd": "python prepare.py",
        "deps": ["prepare.py", "data/raw.csv"],
        "outs": ["data/clean.csv"],
    },
    "train": {
        "cmd": "python train.py",
        "deps": ["train.py", "data/clean.csv"],
        "params": ["train"],
        "outs": ["model.txt"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
}


class Again(Sandbox):
    """The sandbox with a pipeline of two stages on a DVC-tracked file."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        self.write("train.py", TRAIN)
        self.write("prepare.py", PREPARE)
        self.write("helper.py", "BONUS = 0\n")
        self.write("params.yaml", PARAMS)
        self.write(".gitignore", "__pycache__/\n/model.txt\n")
        self.stages(STAGES)
        self.data("1\n2\n3\n")
        self.commit()

    def data(self, text: str) -> None:
        """Give DVC another `data/raw.csv`."""
        self.write("data/raw.csv", text)
        assert self.run("data", "add", "data/raw.csv")[0] == 0

    def record(self, *args: str, commit: bool = True) -> str:
        """Run the pipeline; the id of the record."""
        code, said = self.run("run", *args)
        assert code == 0, said
        if commit:
            self.commit()
        return max(path.parent.name for path in self.root.glob("runs/*/*/run.json"))

    def object_of(self, text: str) -> Path:
        """Where the cache has a file of these bytes."""
        md5 = hashlib.md5(text.encode()).hexdigest()
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def verified(self, *args: str, env: dict[str, str] | None = None) -> dict:
        """What `exp reproduce last --verify ARGS --json` says of the comparison, and `code`, its
        exit code. With an `env`, it is a process of its own."""
        command = ("exp", "reproduce", "last", "--verify", "--json", *args)
        if env is None:
            code, said = self.run(*command)
        else:
            done = self.mlctl(*command, env=env)
            code, said = done.returncode, done.stdout
        data = json.loads(said)
        assert "verification" in data, data
        return {**data["verification"], "code": code}

    def state(self) -> object:
        """All that is the user's: files, what git says, and the refs of git."""
        files = {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".git", ".mlctl", "tmp"} & set(path.parts[1:])
        }
        refs = self.git("for-each-ref")
        return files, self.git("status", "--porcelain"), refs, self.git("worktree", "list")


def package(folder: Path, version: str, value: int) -> dict[str, str]:
    """The environment in which `tinylib` is installed in this version."""
    folder.mkdir(parents=True)
    (folder / "tinylib.py").write_text(f"VALUE = {value}\n")
    info = folder / f"tinylib-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tinylib\nVersion: {version}\n")
    return {"PYTHONPATH": str(folder)}
