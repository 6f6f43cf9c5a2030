"""Stages of a resolved `dvc.yaml`, as frozen data. Pure.

The rules are DVC's (stage/loader.py, output.py `load_from_pipeline`, dependency `_merge_params`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.pipeline import settings
from mlctl.pipeline.keys import (
    BadPathError,
    can_be_passed,
    check_out,
    check_text,
    key_of,
    located,
)
from mlctl.pipeline.spec import Dep, Out, OutKind, ParamsDep, Stage
from mlctl.pipeline.template import ResolvedStage
from mlctl.pipeline.template.context import DEFAULT_PARAMS
from mlctl.records.source import Source, YamlPath, kind_of

ANNOTATIONS = ("desc", "type", "labels", "meta")
_PLOT_OPTIONS = ("template", "x", "y", "x_label", "y_label", "title", "header")
_KINDS: tuple[tuple[str, OutKind], ...] = (
    ("outs", "out"),
    ("metrics", "metric"),
    ("plots", "plot"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where paths of a stage start: its file (for messages), its `wdir` key, the DVC root."""

    source: Source
    wdir: str
    root: str

    def locate(self, path: Any, where: YamlPath) -> tuple[str, str]:
        """The recorded path and the key; raises ConfigError at `where`."""
        if not isinstance(path, str):
            raise self.source.error(
                where,
                f"expected a path, got {kind_of(path)}",
                hint="put the value in quotes where it is defined",
            )
        try:
            return located(path, self.wdir, self.root)
        except BadPathError as error:
            raise self.source.error(where, str(error), hint=error.hint) from None

    def locate_out(self, path: Any, where: YamlPath) -> tuple[str, str]:
        """The same for what a stage writes, which must not hold the repository itself."""
        written, key = self.locate(path, where)
        try:
            check_out(written, key, self.root)
        except BadPathError as error:
            raise self.source.error(where, str(error), hint=error.hint) from None
        return written, key


def build(resolved: ResolvedStage, *, source: Source, directory: str, root: str) -> Stage:
    """The stage; `directory` is the key of its file's folder, `root` the absolute DVC root.

    Raises ConfigError for what is wrong only after templating: a path that cannot be, two outs
    of one path, a path that is both dep and out.
    """
    data, path = resolved.data, resolved.path
    if not can_be_passed(resolved.name):
        raise source.error(path, f"{resolved.name!r} has a character in it that no name can have")
    wdir = data.get("wdir")
    if wdir is not None and not isinstance(wdir, str):
        raise source.error((*path, "wdir"), f"expected a folder, got {kind_of(wdir)}")
    try:
        check_text(wdir or "")
    except BadPathError as error:
        raise source.error((*path, "wdir"), str(error), hint=error.hint) from None
    place = Place(source, key_of(wdir or "", directory, root), root)
    stage = Stage(
        file=source.file,
        name=resolved.name,
        wdir=place.wdir,
        cmd=_command(data["cmd"], source, (*path, "cmd")),
        deps=tuple(
            Dep(*place.locate(dep, (*path, "deps", index)))
            for index, dep in enumerate(data.get("deps", ()))
        ),
        params=_params(data.get("params", ()), place, (*path, "params")),
        outs=tuple(
            out
            for key, kind in _KINDS
            if key in data
            for out in _outs(data, key, kind, place, path)
        ),
        frozen=data.get("frozen", False),
        always_changed=data.get("always_changed", False),
        desc=None if data.get("desc") is None else str(data["desc"]),
        group=resolved.group,
        settings=settings.parse(data.get("meta"), source, (*path, "meta")),
    )
    check_paths(stage, source, path)
    return stage


def check_paths(stage: Stage, source: Source, path: YamlPath) -> None:
    """Raise ConfigError for two outs of one path, or a path that is both dep and out."""
    seen: dict[str, str] = {}
    for out in stage.outs:
        if out.key in seen:
            raise source.error(path, f"'{out.path}' is an out twice", hint="remove one of the two")
        seen[out.key] = out.path
    reads: tuple[Dep | ParamsDep, ...] = (*stage.deps, *stage.params)
    for dep in reads:
        if dep.key in seen:
            raise source.error(
                path,
                f"'{dep.path}' is both a dep and an out",
                hint="a stage cannot depend on what it writes: remove it from one of the two",
            )


def _command(cmd: Any, source: Source, path: YamlPath) -> str | tuple[str, ...]:
    if not isinstance(cmd, list | str):
        raise source.error(path, f"expected a command, got {kind_of(cmd)}")
    lines: list[Any] = [cmd] if isinstance(cmd, str) else cmd
    for index, line in enumerate(lines):
        if not isinstance(line, str):
            raise source.error(
                (*path, index),
                f"expected a command, got {kind_of(line)}",
                hint="put it in quotes",
            )
        if not can_be_passed(line):
            raise source.error(path, "a character that no command can have (NUL, or half a pair)")
    return cmd if isinstance(cmd, str) else tuple(cmd)


def _params(entries: list[Any] | tuple[()], place: Place, path: YamlPath) -> tuple[ParamsDep, ...]:
    """One dep a file, in the order of first mention; a file named whole anywhere is whole."""
    whole = {
        file
        for entry in entries
        if isinstance(entry, dict)
        for file, names in entry.items()
        if not names
    }
    merged: dict[Any, list[str]] = {}
    where: dict[Any, YamlPath] = {}
    for index, entry in enumerate(entries):
        here = (*path, index)
        if not isinstance(entry, dict):
            _need_names([entry], place.source, here)
            if DEFAULT_PARAMS not in whole:
                merged.setdefault(DEFAULT_PARAMS, []).append(entry)
                where.setdefault(DEFAULT_PARAMS, here)
            continue
        for file, names in entry.items():
            where.setdefault(file, here)
            known = merged.setdefault(file, [])
            if file in whole:
                continue
            if not isinstance(names, list):
                raise place.source.error(
                    (*here, file),
                    f"expected a list of names, got {kind_of(names)}",
                    hint=f"as in `- {file}: [name]`, or `- {file}:` for the whole file",
                )
            _need_names(names, place.source, (*here, file))
            known.extend(names)
    return tuple(
        ParamsDep(*place.locate(file, where[file]), tuple(dict.fromkeys(names)))
        for file, names in merged.items()
    )


def _need_names(names: list[Any], source: Source, path: YamlPath) -> None:
    for name in names:
        if not isinstance(name, str):
            raise source.error(
                path,
                f"expected a parameter's name, got {kind_of(name)}",
                hint=f'put it in quotes: "{name}"',
            )


def _outs(
    data: Mapping[str, Any], key: str, kind: OutKind, place: Place, path: YamlPath
) -> list[Out]:
    merged: dict[Any, dict[str, Any]] = {}
    where: dict[Any, YamlPath] = {}
    for index, entry in enumerate(data[key]):
        flagged = entry.items() if isinstance(entry, dict) else ((entry, {}),)
        for out, flags in flagged:
            merged.setdefault(out, {}).update(flags)
            where.setdefault(out, (*path, key, index))
    return [_out(out, flags, kind, place, where[out]) for out, flags in merged.items()]


def _out(path: Any, flags: Mapping[str, Any], kind: OutKind, place: Place, at: YamlPath) -> Out:
    written, key = place.locate_out(path, at)
    if not flags:
        return Out(written, key, kind)
    remote = flags.get("remote")
    if remote is not None and not isinstance(remote, str):
        raise place.source.error((*at, path, "remote"), f"expected a name, got {kind_of(remote)}")
    kept = (*ANNOTATIONS, *_PLOT_OPTIONS)
    return Out(
        path=written,
        key=key,
        kind=kind,
        cache=flags.get("cache", True),
        persist=flags.get("persist", False),
        push=flags.get("push", True),
        remote=remote,
        options={name: value for name, value in flags.items() if name in kept},
    )
