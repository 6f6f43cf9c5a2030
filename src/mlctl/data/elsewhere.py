"""Data of other repositories and of clouds, which DVC itself fetches and can update later.

git+https://host/repo.git#path/in/it     a file or folder of a git or DVC repository
git+/srv/repo#path/in/it                 the same on this machine
s3://bucket/path, ssh://host/path, …     whatever DVC knows besides
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlctl import plugins
from mlctl.adapters import dvc
from mlctl.adapters.remotes import refuse_password
from mlctl.data import pointer, source, tracking
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project

_KEPT_OUT = "use an SSH key, or git's credential helper"
_CLOUDS = {
    "s3",
    "gs",
    "azure",
    "abfs",
    "oss",
    "ssh",
    "hdfs",
    "webhdfs",
    "webdav",
    "webdavs",
    "gdrive",
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where it is: `path` in the repository at `url`, or the whole `url` of a cloud."""

    url: str
    path: str | None = None


def elsewhere(text: str) -> Elsewhere | None:
    """The place that `text` names, or None where it is for our own sources. Raises InvalidInput."""
    if text.startswith("git+"):
        url, hash_mark, path = text.removeprefix("git+").rpartition("#")
        if not hash_mark or not path:
            raise InvalidInput(f"{text}: which file of it?", hint="git+URL#path/in/the/repository")
        refuse_password(url, hint=_KEPT_OUT)
        return Elsewhere(url.removeprefix("file://"), path)
    scheme, _ = source.split(text)
    if scheme in _CLOUDS and scheme not in plugins.names("mlctl.data.sources"):
        refuse_password(text, hint=_KEPT_OUT)
        return Elsewhere(text)
    return None


def import_by_dvc(
    root: str, place: Elsewhere, path: str, *, rev: str | None, force: bool
) -> tracking.Added:
    """Import to `path` (from the root), so that `dvc update` too knows where it came from."""
    tracking.check_may_be_tracked(Project.open(root), path)
    file = pointer.pointer_of(path)
    before = pointer.read(root, file).md5 if os.path.isfile(os.path.join(root, file)) else None
    if os.path.lexists(os.path.join(root, path)) and not force:
        raise InvalidInput(
            f"{path} exists", hint="`mlctl data update` refreshes an import, --force replaces it"
        )
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    more = ["--force"] if force else []
    if place.path is None:
        dvc.ask("import-url", *more, "--", place.url, path, cwd=root)
    else:
        more += ["--rev", rev] if rev else []
        dvc.ask("import", *more, "-o", path, "--", place.url, place.path, cwd=root)
    return tracking.as_added(root, path, before)


def get_by_dvc(place: Elsewhere, target: str, *, rev: str | None, force: bool) -> None:
    """Fetch without tracking, to the path `target` of this machine."""
    more = ["--force"] if force else []
    if place.path is None:
        dvc.ask("get-url", *more, "--", place.url, target, cwd=".")
    else:
        more += ["--rev", rev] if rev else []
        dvc.ask("get", *more, "-o", target, "--", place.url, place.path, cwd=".")


def update_by_dvc(root: str, path: str, *, rev: str | None) -> tracking.Added:
    """Bring an import of DVC's up to date, at its source's newest state or at `rev`."""
    file = pointer.pointer_of(path)
    before = pointer.read(root, file).md5
    dvc.ask("update", *(["--rev", rev] if rev else []), "--", file, cwd=root)
    return tracking.as_added(root, path, before)
