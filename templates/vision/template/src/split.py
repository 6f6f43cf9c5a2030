"""Share the images of each label out to training, validation and testing."""

from __future__ import annotations

import random

from common import IMAGES, SPLITS, class_names, read_params, write_csv


def share_out(items: list[str], test: float, validation: float, seed: str) -> dict[str, list[str]]:
    """The items in random groups, each sorted; `seed` alone decides which."""
    order = sorted(items)
    random.Random(seed).shuffle(order)
    first, second = round(len(order) * test), round(len(order) * (test + validation))
    groups = {"test": order[:first], "validation": order[first:second], "train": order[second:]}
    return {name: sorted(group) for name, group in groups.items()}


def main() -> None:
    params = read_params()
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "validation": [], "test": []}
    for label in class_names():
        names = [path.name for path in (IMAGES / label).iterdir()]
        groups = share_out(names, **params["split"], seed=f"{params['seed']}/{label}")
        for group, members in groups.items():
            rows[group] += [(f"{label}/{name}", label) for name in members]
    for group, members in rows.items():
        write_csv(SPLITS / f"{group}.csv", ("path", "label"), members)
        print(f"{group}: {len(members)} images")


if __name__ == "__main__":
    main()
