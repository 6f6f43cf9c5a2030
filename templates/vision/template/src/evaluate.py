"""Judge the trained network on the test images: metrics/test.json and plots/confusion.csv."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml
from torch.nn.functional import cross_entropy

from common import read_split, write_csv, write_json

MODEL = Path("models/digits")


def main() -> None:
    torch.set_num_threads(1)
    classes = yaml.safe_load((MODEL / "model.yaml").read_text(encoding="utf-8"))["classes"]
    images, labels = (torch.from_numpy(part) for part in read_split("test", classes))
    network = torch.export.load(MODEL / "model.pt2").module()
    with torch.inference_mode():
        logits = network(images)
    predicted = logits.argmax(dim=1)
    found = {
        "log_loss": cross_entropy(logits, labels).item(),
        "accuracy": (predicted == labels).float().mean().item(),
    }
    pairs = [(classes[a], classes[p]) for a, p in zip(labels, predicted, strict=True)]
    write_csv(Path("plots/confusion.csv"), ("actual", "predicted"), pairs)
    write_json(Path("metrics/test.json"), found)
    print("  ".join(f"{name} {value:.4f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
