"""Keep the candidate with the best score: its folder becomes models/best."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from common import read_params, write_json


def main(candidates: list[str]) -> None:
    rule = read_params()["select"]
    pick = {"min": min, "max": max}[rule["order"]]
    found = {name: json.loads(Path("metrics", f"{name}.json").read_text()) for name in candidates}
    best = pick(candidates, key=lambda name: found[name][rule["metric"]])
    shutil.copytree(Path("models", best), Path("models/best"), dirs_exist_ok=True)
    write_json(Path("metrics/best.json"), {"candidate": best, **found[best]})
    for name in candidates:
        mark = "*" if name == best else " "
        print(f"{mark} {name:<12} {rule['metric']} {found[name][rule['metric']]:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
