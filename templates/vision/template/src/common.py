"""What several stages share: the parameters, and the images of a split."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from png import read_grey

try:
    import mlctl  # `mlctl run` puts it on the path of a stage
except ImportError:  # under `dvc repro`, where it is installed elsewhere: nothing is logged
    mlctl = None

IMAGES = Path("data/images")
SPLITS = Path("data/splits")


def read_params() -> dict[str, Any]:
    return yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))


def write_json(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def log_epoch(scores: dict[str, float]) -> None:
    """Print an epoch's scores, and log them: `mlctl exp watch` and `mlctl exp plot` show them."""
    print("  ".join(f"{name} {value:.4g}" for name, value in scores.items()), flush=True)
    if mlctl is not None:
        mlctl.log({name: v for name, v in scores.items() if name != "epoch"}, step=scores["epoch"])


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_split(name: str, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The images (n x pixels, row by row, float32 from 0 to 1) and their class numbers (n)."""
    with (SPLITS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    images = np.stack([read_grey(IMAGES / row["path"]) for row in rows])
    numbers = {label: number for number, label in enumerate(classes)}
    labels = np.array([numbers[row["label"]] for row in rows])
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels


def class_names() -> list[str]:
    """The labels: the names of the folders, sorted."""
    return sorted(folder.name for folder in IMAGES.iterdir() if folder.is_dir())
