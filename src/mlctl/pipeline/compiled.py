"""Parsed `dvc.yaml`, `dvc.lock` and `.dvc` files, kept in local state until a file changes.

Parsing YAML costs more than everything else that a no-op does, so what was read is kept with the
stat signature of every file that it was read from. `marshal` is used because it keeps Python's
types (tuples, integer keys) and, unlike pickle, can run no code; what it cannot hold (a date in a
parameter) is parsed anew each time.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from mlctl import __version__
from mlctl.adapters import clock
from mlctl.adapters.files import write_bytes
from mlctl.pipeline.spec import (
    Dep,
    Digest,
    Each,
    LockedPath,
    LockedStage,
    Out,
    ParamsDep,
    PipelineFile,
    Settings,
    Stage,
)


def _defaults(cls: Any) -> dict[str, Any]:
    values = {f.name: f.default for f in fields(cls) if f.default is not MISSING}
    made = {f.name: f.default_factory() for f in fields(cls) if f.default_factory is not MISSING}
    return {**values, **made}


Signature = tuple[str, int, int, int, int] | tuple[str]
_T = TypeVar("_T")
# A file changed this recently (in ns) may change again without a new mtime: it is not kept.
_TICK = 50_000_000
_NESTED = {tuple, dict, list}
_CLASSES = (
    Dep, Digest, Each, LockedPath, LockedStage, Out, ParamsDep, PipelineFile, Settings, Stage
)  # fmt: skip
_TYPES: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}
_BY_MARK = {mark + name: cls for name, cls in _TYPES.items() for mark in ("\0", "\1")}
_DEFAULTS = {name: _defaults(cls) for name, cls in _TYPES.items()}
_FIELDS = {name: tuple(f.name for f in fields(cls)) for name, cls in _TYPES.items()}


class Compiled:
    """The cache in `.mlctl/cache/`: `get` parses only what changed, `save` writes it if needed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = os.path.join(root, ".mlctl", "cache", "compiled.bin")
        self._tag = f"{__version__} {sys.implementation.cache_tag}"
        self._kept: dict[str, tuple[Any, Any]] = self._load()
        self._used: dict[str, tuple[Any, Any]] = {}
        self._current: set[str] = set()  # asked about, and not yet got
        self._changed = False

    def get(self, key: str, parse: Callable[[], tuple[_T, Iterable[str]]]) -> _T:
        """What `parse` makes of the file `key`; it also returns the other files that it read."""
        kept = self._kept.get(key)
        if kept is not None and (key in self._current or self._same(kept[0])):
            self._current.discard(key)  # a later question is about a later moment
            self._used[key] = kept
            value: _T = _decode(kept[1])
            return value
        before = self._signature(key)
        value, reads = parse()
        signatures = tuple(self._signature(read) for read in dict.fromkeys([key, *reads]))
        if signatures[0] == before and all(map(_settled, signatures)):
            self._used[key] = (signatures, _encode(value))
            self._changed = True
        return value

    def current(self, wanted: Callable[[str], bool]) -> Iterator[str]:
        """The `wanted` files that are kept and that `is_current` says yes to."""
        return filter(self.is_current, filter(wanted, self._kept))

    def is_current(self, key: str) -> bool:
        """Whether the file `key` is there, and nothing that it was made of has changed.

        A yes is remembered until `get`.
        """
        if key in self._current:
            return True
        kept = self._kept.get(key)
        if kept is None or len(kept[0][0]) == 1 or not self._same(kept[0]):
            return False
        self._current.add(key)
        return True

    def save(self) -> None:
        """Write what this command parsed anew, and drop files that are gone."""
        if not self._changed:
            return
        unused = self._kept.keys() - self._used.keys()
        there = {key: self._kept[key] for key in unused if len(self._signature(key)) > 1}
        kept = {**there, **self._used}
        try:
            data = marshal.dumps((self._tag, kept))
        except ValueError:  # a value that marshal does not know, such as a date
            kept = {key: value for key, value in kept.items() if _marshallable(value)}
            data = marshal.dumps((self._tag, kept))
        with suppress(OSError):
            write_bytes(self._path, data, durable=False)

    def _load(self) -> dict[str, tuple[Any, Any]]:
        try:
            with open(self._path, "rb") as file:
                # `marshal.load` asks the file for a few bytes at a time
                tag, kept = marshal.loads(file.read())  # noqa: S302 - our own local state; see above
        except (OSError, ValueError, EOFError, TypeError):
            return {}
        return kept if tag == self._tag else {}

    def _same(self, signatures: Iterable[Signature]) -> bool:
        """Whether the files are as they were; where there was none, there is none."""
        for sig in signatures:
            # `access` answers that without the exception that `stat` raises
            if len(sig) == 1 and not os.access(self._at(sig[0]), os.F_OK):
                continue
            if self._signature(sig[0]) != sig:
                return False
        return True

    def _at(self, key: str) -> str:
        return key if key.startswith("/") else f"{self._root}/{key}"

    def _signature(self, key: str) -> Signature:
        try:
            st = os.stat(self._at(key))
        except OSError:
            return (key,)
        return (key, st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino)


def _settled(signature: Signature) -> bool:
    return len(signature) == 1 or clock.now() * 1e9 - max(signature[1:3]) > _TICK


def _marshallable(value: Any) -> bool:
    try:
        marshal.dumps(value)
    except ValueError:
        return False
    return True


def _encode(value: Any) -> Any:
    """Dataclasses as `("\\0Stage", {field: value})` without the fields at their default.

    One that holds no other is marked `\\1`: its fields need no decoding, which is most of the time.
    """
    name = type(value).__name__
    if name in _TYPES and type(value) is _TYPES[name]:
        defaults = _DEFAULTS[name]
        items = {field: getattr(value, field) for field in _FIELDS[name]}
        kept = {f: v for f, v in items.items() if f not in defaults or v != defaults[f]}
        encoded = {field: _encode(item) for field, item in kept.items()}
        return (("\1" if encoded == kept else "\0") + name, encoded)
    if isinstance(value, tuple):
        return tuple(_encode(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    """What `_encode` was given. Most values are plain, and are not worth a call."""
    if isinstance(value, tuple):
        if len(value) == 2 and type(value[0]) is str and value[0] in _BY_MARK:
            mark, fields = value
            if mark[0] == "\0":
                fields = {k: _decode(v) if type(v) in _NESTED else v for k, v in fields.items()}
            return _BY_MARK[mark](**fields)
        return tuple([_decode(item) if type(item) in _NESTED else item for item in value])
    if isinstance(value, dict):
        return {k: _decode(v) if type(v) in _NESTED else v for k, v in value.items()}
    if isinstance(value, list):
        return [_decode(item) if type(item) in _NESTED else item for item in value]
    return value
