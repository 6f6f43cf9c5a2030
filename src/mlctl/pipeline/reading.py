"""What a stage reads: its deps and parameters, from before its command starts until it has ended.

Where something changed meanwhile, what was there before the start is recorded: the command may have
read it at any moment, and a later content would be called unchanged although nobody has read it.
(DVC records the later one.) Bytecode that Python writes beside the code that it runs is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlctl.errors import AnswerNo, MlctlError, suggestion
from mlctl.pipeline.fingerprint import same
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.params import dotted_names
from mlctl.pipeline.spec import Dep, Digest, LockedPath, LockedStage, ParamsDep, Stage
from mlctl.store.observed import Observed

_BYTECODE = "__pycache__"
_JUST_NOW = 1.0  # seconds
Params = dict[str, Mapping[str, Any]]


class Reading:
    """The deps and parameters of one stage; `before` is what was recorded of it last."""

    def __init__(self, stage: Stage, before: LockedStage | None, observer: Observer) -> None:
        self._stage = stage
        self._observer = observer
        self._recorded = {e.path: e.digest for e in before.deps} if before else {}
        self._begun: LockedStage | None = None
        self._observed: dict[str, Observed | None] = {}
        self._changed = False

    def begin(self) -> None:
        """The command starts now. What was seen when the run began may be long ago: look again.

        A folder that many stages read would cost each of them a walk, so what was seen of it just
        now will do: if it has changed since, `end` finds that.
        """
        self._observer.refresh(self._keys(), _JUST_NOW)
        self._begun = self.to_record()
        self._observed = {dep.key: self._look_at(dep) for dep in self._stage.deps}

    def end(self) -> tuple[str, ...]:
        """The command has ended; names what changed since `begin`."""
        if self._begun is None:
            return ()
        self._observer.forget(self._keys())
        deps = zip(self._begun.deps, self._stage.deps, strict=True)
        changed = [f"dep {dep.path!r}" for entry, dep in deps if self._is_changed(entry, dep)]
        changed += [
            f"a parameter in {dep.path!r}" for dep in self._stage.params if self._differs(dep)
        ]
        self._changed = bool(changed)
        return tuple(changed)

    def _is_changed(self, entry: LockedPath, dep: Dep) -> bool:
        """Whether the dep is not what `entry` says; what cannot be read now has changed."""
        try:
            if same(entry.digest, self._digest(dep.path, dep.key)):
                return False
            one, other = self._observed.get(dep.key), self._look_at(dep)
        except MlctlError:
            return True
        return one is None or other is None or not _only_bytecode(one, other)

    def _differs(self, dep: ParamsDep) -> bool:
        try:
            return self._begun is None or self._observer.params(dep) != self._begun.params[dep.path]
        except MlctlError:
            return True

    def to_record(self) -> LockedStage:
        """The command, its deps and parameters, without outs. Raises AnswerNo where one is missing.

        They are as they are now, or as they were at `begin` where they changed.
        """
        if self._begun is not None and self._changed:
            return self._begun
        deps = []
        for dep in self._stage.deps:
            digest = self._digest(dep.path, dep.key)
            if digest is None:
                raise AnswerNo(f"{dep.path!r} does not exist")
            deps.append(LockedPath(dep.path, digest))
        return LockedStage(self._stage.cmd, tuple(deps), self.params(), ())

    def params(self) -> Params:
        """The parameters' values. Raises AnswerNo where a file or a name is missing."""
        values: Params = {}
        for dep in self._stage.params:
            found = self._observer.params(dep)
            if found is None:
                raise AnswerNo(
                    f"missing parameters file {dep.path!r}",
                    hint=f"make it, or correct `params` in {self._stage.file}",
                )
            missing = [name for name in dep.names if name not in found]
            if missing:
                known = dotted_names(self._observer.project.params_file(dep.key) or {})
                raise AnswerNo(
                    f"{dep.path} has no parameter {', '.join(map(repr, missing))}",
                    hint=suggestion(missing[0], known) or f"add it to {dep.path}",
                )
            values[dep.path] = found
        return values

    def _digest(self, path: str, key: str) -> Digest | None:
        return self._observer.current(key, self._recorded.get(path))

    def _look_at(self, dep: Dep) -> Observed | None:
        """The dep's files; nothing is known of a URL's."""
        if "://" in dep.key:
            return None
        recorded = self._recorded.get(dep.path)
        return self._observer.observed(dep.key, legacy=recorded is not None and recorded.legacy)

    def _keys(self) -> Iterator[str]:
        yield from (dep.key for dep in self._stage.deps)
        yield from (dep.key for dep in self._stage.params)


def _only_bytecode(one: Observed, other: Observed) -> bool:
    """Whether nothing but Python's bytecode differs between two looks at a folder."""
    before, after = one.signatures, other.signatures
    names = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    return all(_BYTECODE in name.split("/")[:-1] for name in names)
