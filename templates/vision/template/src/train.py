"""Train the network, and write it with what it is and what it reads.

A checkpoint after each epoch lets an interrupted training go on where it was: every epoch has a
seed of its own, so the model comes out the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn
from torch.nn.functional import cross_entropy

from common import class_names, log_epoch, read_params, read_split, write_csv, write_json
from network import build

CHECKPOINTS = Path("checkpoints")
MODEL = Path("models/digits")

Split = tuple[np.ndarray, np.ndarray]


def fit(
    train: Split,
    validation: Split,
    classes: int,
    settings: dict[str, Any],
    seed: int,
    folder: Path,
    report: Callable[[dict[str, float]], None] = print,
) -> tuple[nn.Module, list[dict[str, float]]]:
    """The trained network and the scores of each epoch, of which `report` hears as they come;
    `folder` is for the checkpoint.
    """
    device = pick_device(settings["device"])
    images, labels = (torch.from_numpy(part).to(device) for part in train)
    torch.manual_seed(seed)
    network = build(settings["channels"], classes, math.isqrt(images.shape[1])).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings["learning_rate"])

    checkpoint = folder / f"{fingerprint(train, settings, seed)}.pt"
    history = resume(checkpoint, network, optimiser, settings["epochs"])
    for scores in history:
        report(scores)
    for epoch in range(len(history), settings["epochs"]):
        torch.manual_seed(seed + epoch + 1)
        network.train()
        losses = []
        for rows in torch.randperm(len(labels)).split(settings["batch"]):
            loss = cross_entropy(network(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        scores = {"epoch": epoch + 1, "loss": sum(losses) / len(losses)}
        history.append(scores | score(network, validation, device))
        save_checkpoint(checkpoint, network, optimiser, history)
        report(history[-1])
    return network.eval().cpu(), history


def pick_device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def score(network: nn.Module, split: Split, device: torch.device) -> dict[str, float]:
    images, labels = (torch.from_numpy(part).to(device) for part in split)
    network.eval()
    with torch.inference_mode():
        logits = network(images)
    right = (logits.argmax(dim=1) == labels).float().mean()
    loss = cross_entropy(logits, labels)
    return {"validation_loss": loss.item(), "validation_accuracy": right.item()}


def fingerprint(train: Split, settings: dict[str, Any], seed: int) -> str:
    """What decides an epoch: a checkpoint of other data or settings is not taken up."""
    decisive = {key: value for key, value in settings.items() if key != "epochs"} | {"seed": seed}
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
    for part in train:
        digest.update(part.tobytes())
    return digest.hexdigest()[:16]


def resume(
    checkpoint: Path, network: nn.Module, optimiser: torch.optim.Optimizer, epochs: int
) -> list[dict[str, float]]:
    """The scores of the epochs that need not be run again."""
    state = torch.load(checkpoint, "cpu", weights_only=True) if checkpoint.exists() else None
    if state is None or len(state["history"]) > epochs:
        return []
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    print(f"going on after epoch {len(state['history'])}", flush=True)
    return state["history"]


def save_checkpoint(
    checkpoint: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    history: list[dict[str, float]],
) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "history": history,
    }
    torch.save(state, checkpoint.with_suffix(".new"))
    os.replace(checkpoint.with_suffix(".new"), checkpoint)  # whole, or not there


def save_model(network: nn.Module, example: np.ndarray, classes: list[str]) -> None:
    """An exported program: it runs without this code."""
    MODEL.mkdir(parents=True, exist_ok=True)
    images = torch.from_numpy(example[:2])
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    torch.export.save(program, MODEL / "model.pt2")
    card = {
        "schema": "mlctl.model/1",
        "flavor": "torch",
        "file": "model.pt2",
        "task": "classification",
        "target": "label",
        "classes": classes,
        "features": [{"name": f"pixel_{n}", "dtype": "float"} for n in range(images.shape[1])],
    }
    (MODEL / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")


def main() -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's way to repeat exactly
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    params, classes = read_params(), class_names()
    train, validation = read_split("train", classes), read_split("validation", classes)
    network, history = fit(
        train, validation, len(classes), params["train"], params["seed"], CHECKPOINTS, log_epoch
    )
    save_model(network, train[0], classes)
    write_csv(Path("plots/training.csv"), list(history[-1]), [row.values() for row in history])
    write_json(Path("metrics/train.json"), history[-1])
    shutil.rmtree(CHECKPOINTS)


if __name__ == "__main__":
    main()
