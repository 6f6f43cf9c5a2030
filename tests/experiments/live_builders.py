"""What processes of a run leave behind while it goes on, written by hand."""

import json
from pathlib import Path
from typing import Any

from run_builders import START


def log_steps(
    root: Path,
    run_id: str,
    rows: list[tuple[float, dict[str, Any]]],
    *,
    key: str = "train",
    rank: int = 0,
    torn: str = "",
    seconds: float = 1.0,
) -> Path:
    """One line for each `(step, metrics)`, `seconds` apart from the start of the run on."""
    folder = root / ".mlctl/live" / run_id / key
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (f"metrics.rank{rank}.jsonl" if rank else "metrics.jsonl")
    with open(file, "a") as out:
        for number, (step, metrics) in enumerate(rows):
            time = START + number * seconds
            out.write(json.dumps({"step": step, "time": time, "metrics": metrics}) + "\n")
        out.write(torn)
    return folder


def log_params(root: Path, run_id: str, params: dict[str, Any], *, key: str = "train") -> None:
    folder = root / ".mlctl/live" / run_id / key
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "params.jsonl", "a") as out:
        out.write(json.dumps({"params": params}) + "\n")


def log_file(
    root: Path,
    run_id: str,
    kind: str,
    name: str,
    content: bytes,
    *,
    key: str = "train",
    step: int | None = None,
    path: str | None = None,
) -> None:
    folder = root / ".mlctl/live" / run_id / key
    place = path or f"files/{name}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_bytes(content)
    row = {"kind": kind, "name": name, "path": place, "step": step, "time": START}
    with open(folder / "artifacts.jsonl", "a") as out:
        out.write(json.dumps(row) + "\n")


def start_script_run(root: Path, run_id: str, **fields: Any) -> Path:
    """What `mlctl.start_run` writes at the start of a run; its folder."""
    folder = root / ".mlctl/live" / run_id
    folder.mkdir(parents=True)
    start = {"schema": "mlctl.live/1", "id": run_id, "started": START, "pid": 1, **fields}
    (folder / "lock").touch()
    (folder / "start.json").write_text(json.dumps(start))
    return folder


def end_script_run(folder: Path, status: str = "finished", **fields: Any) -> None:
    end = {"ended": START + 60, "status": status, **fields}
    (folder / "end.json").write_text(json.dumps(end))
