"""In the place of `dvclive.Live`: `from mlctl.tracking.live import Live`, and nothing else changes.

What DVCLive writes for `dvc.yaml` is written too: a pipeline that declares these files finds them.
`metrics.json`, the TSV of each metric and `params.yaml` come once, at the end or by `make_summary`.
"""

from __future__ import annotations

import atexit
import json
import os
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

from ._current import current
from ._encode import number, printable
from ._warn import harmless, warn


class Live:
    """The calls of DVCLive's. Options that have no meaning here are taken and passed over."""

    def __init__(self, dir: str = "dvclive", resume: bool = False, **_options: Any) -> None:
        self.dir = dir
        self.summary: Dict[str, Any] = {}
        self._run = current()
        self._points: Dict[str, List[Tuple[float, float]]] = {}
        self._params: Dict[str, Any] = {}
        self._step: Optional[int] = None
        self._ended = False
        if resume:
            self._step = self._last_step()
        atexit.register(self.end)

    @property
    def step(self) -> int:
        """The step of what is logged now."""
        return self._step or 0

    @step.setter
    def step(self, value: int) -> None:
        self._step = value

    def next_step(self) -> None:
        """The next step begins."""
        self.summary["step"] = self.step
        self._step = self.step + 1

    def log_metric(
        self, name: str, val: Any, timestamp: bool = False, plot: bool = True, **_more: Any
    ) -> None:
        """A number, of now; with `plot` it becomes part of a curve in `plots`."""
        self._run.log_metrics({name: val}, self.step)
        found = number(val)
        if found is None:
            return
        _put(self.summary, name, found)
        if plot:
            self._points.setdefault(name, []).append((self.step, found))

    def log_param(self, name: str, val: Any) -> None:
        """One parameter."""
        self.log_params({name: val})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters, nested or not."""
        self._params.update(params)
        self._run.log_params(params)

    @harmless
    def log_image(self, name: str, val: Any) -> None:
        """A path, an array, an image of PIL or a figure."""
        kept = self._run.log_image(name, val, self._step)
        if kept is not None:
            with open(kept, "rb") as file:
                self._write(f"plots/images/{name}", file.read())

    def log_artifact(
        self,
        path: Any,
        type: Optional[str] = None,
        name: Optional[str] = None,
        **_more: Any,
    ) -> None:
        """A file or a folder; unlike DVCLive, this adds none to DVC in the workspace."""
        self._run.log_artifact(path, name)

    @harmless
    def log_plot(
        self, name: str, datapoints: Any, x: str, y: str, template: str = "linear", **options: Any
    ) -> None:
        """Points of any kind, as a plot."""
        from ._vega import plot

        if hasattr(datapoints, "to_dict"):  # of pandas
            datapoints = datapoints.to_dict(orient="records")
        points = list(datapoints)
        self._run.log_plot(name, plot(points, x, y, template, options))
        self._write(f"plots/custom/{name}.json", json.dumps(points, indent=4).encode())

    @harmless
    def log_sklearn_plot(
        self, kind: str, labels: Any, predictions: Any, name: Optional[str] = None, **options: Any
    ) -> None:
        """`roc`, `precision_recall`, `det`, `calibration` or `confusion_matrix`."""
        from ._vega import plot
        from .sklearn import curve

        name = name or kind
        points, x, y, template = curve(kind, labels, predictions, **options)
        self._run.log_plot(name, plot(points, x, y, template, options))
        data = points if kind == "confusion_matrix" else {kind: points}
        file = name if name.endswith(".json") else f"{name}.json"
        self._write(f"plots/sklearn/{file}", json.dumps(data, indent=4).encode())

    @harmless
    def make_summary(self, update_step: bool = True) -> None:
        """Write the files that DVCLive writes."""
        if self._step is not None and update_step:
            self.summary["step"] = self.step
        self._write("metrics.json", json.dumps(self.summary, indent=4).encode())
        for name, points in self._points.items():
            rows = "".join(f"{step}\t{value!r}\n" for step, value in points)
            head = f"step\t{name.rpartition('/')[2]}\n"
            self._write(f"plots/metrics/{name}.tsv", (head + rows).encode())
        if self._params:  # JSON is YAML
            self._write("params.yaml", json.dumps(self._params, indent=2, default=str).encode())

    def make_report(self) -> None:
        """mlctl has a page of each run: `mlctl report run`."""

    def make_dvcyaml(self) -> None:
        """The record needs no `dvc.yaml`."""

    def end(self) -> None:
        """Write the files; the run itself ends with its stage or its process."""
        if not self._ended:
            self._ended = True
            atexit.unregister(self.end)
            self.make_summary(update_step="step" not in self.summary)

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.end()

    def _write(self, name: str, data: bytes) -> None:
        path = os.path.join(self.dir, printable(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def _last_step(self) -> Optional[int]:
        try:
            with open(os.path.join(self.dir, "metrics.json"), encoding="utf-8") as file:
                self.summary = json.load(file)
            return int(self.summary["step"]) + 1
        except (OSError, ValueError, KeyError):
            warn("resume", f"{self.dir} has no metrics.json to go on from")
            return None


def _put(summary: Dict[str, Any], name: str, value: float) -> None:
    """A metric `a/b` is nested in the summary."""
    *groups, last = name.split("/")
    for group in groups:
        inner = summary.setdefault(group, {})
        if not isinstance(inner, dict):
            inner = summary[group] = {}
        summary = inner
    summary[last] = value
