"""A run as the training process sees it: something to log to, which never fails."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import Any, Callable, List, Mapping, Optional, Tuple, Type

from ._encode import json_line, metrics_line, number
from ._files import Files
from ._fork import renew_in_child
from ._lines import Lines
from ._params import as_mapping
from ._place import rank
from ._warn import harmless, reason, warn

_Ended = Callable[[str, Optional[str]], None]


class Run:
    """One run, or one stage of one, which logs below `folder`."""

    def __init__(self, run_id: str, folder: str) -> None:
        self.id = run_id
        self.folder = folder
        self._then: List[_Ended] = []
        self._next: float = 0
        self._lock = threading.RLock()
        self._metrics: Optional[Lines] = None
        self._params = Lines(os.path.join(folder, "params.jsonl"))
        self._files = Files(folder)
        renew_in_child(self)

    def log(
        self, values: Optional[Mapping[str, Any]] = None, *, step: Any = None, **metrics: Any
    ) -> None:
        """Log numbers of one step; without `step`, of the one after the last."""
        self.log_metrics(metrics if values is None else {**values, **metrics}, step)

    def log_metrics(self, metrics: Mapping[str, Any], step: Any = None) -> None:
        """The same of a mapping. The kernel has it on return; what is no number is passed over."""
        try:
            with self._lock:
                if step is None:
                    step = self._next
                elif step.__class__ is not int:
                    step = self._checked(step)
                line = metrics_line(metrics, step, time.time())
                if line is not None:
                    self._next = step + 1
                    (self._metrics or self._opened()).write(line)
        except Exception as error:
            warn("log", f"log failed and is passed over: {reason(error)}")

    @harmless
    def log_params(self, params: Any = None, **more: Any) -> None:
        """Log parameters: a mapping, a namespace of argparse or a dataclass, and keywords."""
        given = {} if params is None else as_mapping(params)
        self._params.write(json_line({"params": {**given, **more}}))

    @harmless
    def log_image(self, name: str, image: Any, step: Optional[float] = None) -> Optional[str]:
        """Log a path, bytes of an image file, an array, an image of PIL, or a figure; the path of
        its copy.
        """
        return self._files.image(name, image, step)

    @harmless
    def log_plot(self, name: str, plot: Any, step: Optional[float] = None) -> None:
        """Log SVG, a dict of Vega, a figure of matplotlib or Altair, or the path of a plot."""
        self._files.plot(name, plot, step)

    @harmless
    def log_artifact(self, path: Any, name: Optional[str] = None) -> None:
        """Log a file or a folder."""
        self._files.artifact(path, name)

    @harmless
    def end(self, status: str = "finished", exception: Optional[str] = None) -> None:
        """End the run: `finished`, `failed` or `interrupted`. A second time does nothing."""
        for lines in (self._metrics, self._params, self._files):
            if lines is not None:
                lines.close()
        then, self._then = self._then, []
        for ended in then:
            ended(status, exception)

    def when_ended(self, then: _Ended) -> None:
        """Have `then` told the status and the exception by `end`, in this process only."""
        self._then.append(then)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.end(*outcome(error))

    def forked(self) -> None:
        """In a child: it logs too, perhaps as another rank, and leaves the end to its parent."""
        self._lock = threading.RLock()
        self._metrics = None
        self._then = []

    def _opened(self) -> Lines:
        own = rank()
        name = f"metrics.rank{own}.jsonl" if own > 0 else "metrics.jsonl"
        self._metrics = Lines(os.path.join(self.folder, name))
        return self._metrics

    def _checked(self, step: Any) -> float:
        found = number(step)
        if found is None or found - found != 0:
            warn("step", f"a step must be a number, not {step!r:.60}: the next one is taken")
            return self._next
        return found


class Nowhere(Run):
    """Takes everything and keeps nothing: where logging is off, or cannot begin."""

    def __init__(self) -> None:
        super().__init__("", "")

    def log_metrics(self, metrics: Mapping[str, Any], step: Any = None) -> None:
        """Nothing is kept."""

    def log_params(self, params: Any = None, **more: Any) -> None:
        """Nothing is kept."""

    def log_image(self, name: str, image: Any, step: Optional[float] = None) -> Optional[str]:
        """Nothing is kept."""
        return None

    def log_plot(self, name: str, plot: Any, step: Optional[float] = None) -> None:
        """Nothing is kept."""

    def log_artifact(self, path: Any, name: Optional[str] = None) -> None:
        """Nothing is kept."""


def outcome(error: Optional[BaseException]) -> Tuple[str, Optional[str]]:
    """The status of a run that `error` ended, and what to say of it."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "finished", None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", None
    return "failed", reason(error)[:500]
