"""Follows the logs of running stages and hands on whole lines."""

from __future__ import annotations

import threading
from collections.abc import Callable

_PERIOD = 0.05  # seconds between two looks at the logs
_LONGEST = 1 << 20  # bytes of a line without an end, after which it is handed on in parts


class Tail:
    """One thread reads every followed log; `emit(address, line)` may come from any thread."""

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        self._emit = emit
        self._followed: dict[str, _Log] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, address: str, path: str) -> None:
        """Hand on the lines of `path` from now on, whatever it holds already."""
        with self._lock:
            self._followed[address] = _Log(path)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="tail", daemon=True)
            self._thread.start()

    def release(self, address: str) -> None:
        """The stage ended: hand on what is left, also a last line without its end."""
        with self._lock:
            log = self._followed.pop(address, None)
        if log is not None:
            self._read(address, log, last=True)

    def close(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(_PERIOD):
            with self._lock:
                followed = list(self._followed.items())
            for address, log in followed:
                self._read(address, log)

    def _read(self, address: str, log: _Log, *, last: bool = False) -> None:
        with log.lock:
            for line in log.lines(last=last):
                self._emit(address, line)


class _Log:
    def __init__(self, path: str) -> None:
        self.lock = threading.Lock()
        self._path = path
        self._offset = 0
        self._rest = b""

    def lines(self, *, last: bool) -> list[str]:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (last or len(self._rest) > _LONGEST):
            whole.append(self._rest)
            self._rest = b""
        return [_text(line) for line in whole]


def _text(line: bytes) -> str:
    """A line as a terminal would leave it: what a progress bar overwrote is gone."""
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "replace")
