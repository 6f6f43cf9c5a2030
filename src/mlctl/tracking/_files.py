"""Logged files: pictures, plots and whatever else a run makes, copied to its folder."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Optional

from ._encode import json_line, printable
from ._lines import Lines

LARGE = 64_000_000  # bytes from which on a file is read only when the run is over
_LONGEST = 100  # characters of a file's name


class Files:
    """The files of one stage, below its folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lines = Lines(os.path.join(folder, "artifacts.jsonl"))

    def image(self, name: str, image: Any, step: Optional[float]) -> str:
        """A path, the bytes of an image file, an array, an image of PIL or a figure; its copy."""
        if isinstance(image, (str, os.PathLike)):
            path = self._copied(name, os.fspath(image), step)
        elif isinstance(image, (bytes, bytearray)):
            path = self._written(name, step, _suffix(bytes(image[:4])), bytes(image))
        elif _figure(image) is not None:
            path = self._drawn(name, step, _figure(image), "png")
        elif hasattr(image, "save"):
            path = self._place(name, step, ".png")
            image.save(self._absolute(path), "PNG")
        else:
            from ._png import array_png

            path = self._written(name, step, ".png", array_png(image))
        self._note("image", name, path, step)
        return self._absolute(path)

    def plot(self, name: str, plot: Any, step: Optional[float]) -> None:
        """SVG, a description of Vega, a figure, or the path of a file with one of these."""
        if hasattr(plot, "to_dict"):  # of Altair
            plot = plot.to_dict()
        if isinstance(plot, dict):
            path = self._written(name, step, ".json", json_line(plot))
        elif _figure(plot) is not None:
            path = self._drawn(name, step, _figure(plot), "svg")
        elif isinstance(plot, str) and plot.lstrip()[:1] == "<":
            path = self._written(name, step, ".svg", plot.encode("utf-8"))
        else:
            path = self._copied(name, os.fspath(plot), step)
        self._note("plot", name, path, step)

    def artifact(self, path: Any, name: Optional[str]) -> None:
        """A file or a folder. A large file stays where it is until the run is over."""
        source = os.path.abspath(os.fspath(path))
        name = name or os.path.basename(source)
        if os.path.isdir(source):
            import shutil

            kept = self._place(name, None, "")
            shutil.copytree(source, self._absolute(kept))
        elif os.stat(source).st_size > LARGE:
            kept = source
        else:
            kept = self._copied(name, source, None)
        self._note("artifact", name, kept, None)

    def close(self) -> None:
        """Sync what was noted of the files."""
        self._lines.close()

    def _note(self, kind: str, name: str, path: str, step: Optional[float]) -> None:
        row = {"kind": kind, "name": printable(name), "path": path, "step": step}
        self._lines.write(json_line({**row, "time": time.time()}))

    def _copied(self, name: str, source: str, step: Optional[float]) -> str:
        import shutil

        path = self._place(name, step, os.path.splitext(source)[1])
        shutil.copyfile(source, self._absolute(path))
        return path

    def _written(self, name: str, step: Optional[float], suffix: str, data: bytes) -> str:
        path = self._place(name, step, suffix)
        with open(self._absolute(path), "wb") as file:
            file.write(data)
        return path

    def _drawn(self, name: str, step: Optional[float], figure: Any, kind: str) -> str:
        path = self._place(name, step, "." + kind)
        figure.savefig(self._absolute(path), format=kind)
        return path

    def _place(self, name: str, step: Optional[float], suffix: str) -> str:
        """A path of its own in the folder, relative to it, for a file that is called `name`."""
        os.makedirs(self._absolute("files"), exist_ok=True)
        stem = re.sub(r"[^\w.-]+", "-", printable(name)).strip(".-")
        if suffix and stem.lower().endswith(suffix.lower()):
            stem = stem[: -len(suffix)]
        stem = (stem or "file")[:_LONGEST] + ("" if step is None else f"-{step:g}")
        number = 1
        while True:
            path = f"files/{stem}{f'-{number}' if number > 1 else ''}{suffix}"
            if not os.path.lexists(self._absolute(path)):
                return path
            number += 1

    def _absolute(self, path: str) -> str:
        return os.path.join(self._folder, path)


def _figure(value: Any) -> Any:
    """The figure of matplotlib that `value` is, or belongs to (axes, a plot of seaborn)."""
    for candidate in (value, getattr(value, "figure", None), getattr(value, "fig", None)):
        if hasattr(candidate, "savefig"):
            return candidate
    return None


def _suffix(start: bytes) -> str:
    if start[:3] == b"\xff\xd8\xff":
        return ".jpg"
    if start == b"GIF8":
        return ".gif"
    return ".webp" if start == b"RIFF" else ".png"
