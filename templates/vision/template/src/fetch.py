"""Put scikit-learn's handwritten digits (8 x 8 pixels) into data/images/<label>/<number>.png.

For images of your own: delete this stage, put them into such folders, and `dvc add data/images`.
"""

from __future__ import annotations

from pathlib import Path

from sklearn.datasets import load_digits

from png import write_grey

FOLDER = Path("data/images")


def main() -> None:
    images, labels = load_digits().images, load_digits().target
    for label in sorted(set(labels)):
        (FOLDER / str(label)).mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        pixels = (image * 255 / 16).round().astype("uint8")
        write_grey(FOLDER / str(label) / f"{number:04}.png", pixels)
    print(f"{len(images)} images")


if __name__ == "__main__":
    main()
