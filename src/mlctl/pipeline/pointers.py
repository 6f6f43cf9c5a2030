"""`.dvc` files as stages: what `dvc add` and the imports write. Pure.

The rules are DVC's (schema.py `SINGLE_STAGE_SCHEMA`, output.py and dependency `loadd_from`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from mlctl.pipeline.keys import key_of
from mlctl.pipeline.spec import Dep, Digest, Out, Stage
from mlctl.pipeline.stages import ANNOTATIONS, Place, check_paths
from mlctl.records.source import Source, YamlPath

_EXTRA = ("cloud", "files", "etag", "checksum", "version_id")


def build(data: Mapping[str, Any], *, source: Source, root: str) -> Stage:
    """The stage of a validated `.dvc` file, whose key is `source.file`.

    A dep in another repository has the key `repo://PATH?URL`, one in a database `db://CONNECTION`:
    neither can meet a file of this project.
    """
    directory = posixpath.dirname(source.file)
    place = Place(source, key_of(data.get("wdir") or "", directory, root), root)
    stage = Stage(
        file=source.file,
        name=None,
        wdir=place.wdir,
        deps=tuple(
            _dep(entry, place, ("deps", index))
            for index, entry in enumerate(data.get("deps") or ())
        ),
        outs=tuple(
            _out(entry, place, ("outs", index))
            for index, entry in enumerate(data.get("outs") or ())
        ),
        frozen=data.get("frozen", False) or data.get("locked", False),
        always_changed=data.get("always_changed", False),
        desc=data.get("desc"),
        data=data,
    )
    check_paths(stage, source, ())
    return stage


def _dep(entry: Mapping[str, Any], place: Place, at: YamlPath) -> Dep:
    if "db" in entry:
        return Dep(entry.get("path", ""), f"db://{entry['db'].get('connection', '')}")
    if "path" not in entry:
        raise place.source.error(at, "'path' is missing", hint="add `path: ...` here")
    if "repo" in entry:
        return Dep(entry["path"], f"repo://{entry['path']}?{entry['repo']['url']}")
    return Dep(*place.locate(entry["path"], (*at, "path")))


def _out(entry: Mapping[str, Any], place: Place, at: YamlPath) -> Out:
    path, key = place.locate_out(entry["path"], (*at, "path"))
    return Out(
        path=path,
        key=key,
        cache=entry.get("cache", True),
        persist=entry.get("persist", False),
        push=entry.get("push", True),
        remote=entry.get("remote"),
        digest=digest(entry),
        options={name: entry[name] for name in ANNOTATIONS if name in entry},
    )


def digest(entry: Mapping[str, Any]) -> Digest | None:
    """The digest in an `outs` entry, None where none is recorded.

    An entry without `hash` is DVC 2's. Where cloud versioning lists the `files` of a folder, the
    folder's digest is that of the list, as DVC makes it.
    """
    extra = {name: entry[name] for name in _EXTRA if name in entry}
    legacy = "hash" not in entry
    if entry.get("files"):
        return _folder(entry["files"], legacy=legacy, extra=extra)
    if not entry.get("md5"):
        return None
    return Digest(
        md5=entry["md5"],
        size=entry.get("size"),
        nfiles=entry.get("nfiles"),
        isexec=entry.get("isexec", False),
        legacy=legacy,
        extra=extra,
    )


def _folder(
    files: list[Mapping[str, Any]], *, legacy: bool, extra: Mapping[str, Any]
) -> Digest | None:
    if not all(file.get("md5") for file in files):
        return None
    import hashlib
    import json

    listed = sorted((file["relpath"], file["md5"]) for file in files)
    text = json.dumps([{"md5": md5, "relpath": relpath} for relpath, md5 in listed])
    return Digest(
        md5=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() + ".dir",
        size=sum(file.get("size") or 0 for file in files),
        nfiles=len(files),
        legacy=legacy,
        extra=extra,
    )
