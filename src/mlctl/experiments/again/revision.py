"""The code that a run read, as a commit that can be checked out, and how two codes differ."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from mlctl.adapters.files import write_bytes
from mlctl.adapters.git import OUR_NAME, contents, git, toplevel
from mlctl.errors import InvalidInput, NotAble
from mlctl.experiments.code import OWN_FILES, OWN_FOLDERS
from mlctl.experiments.query import read_part
from mlctl.records.run import RunHead, run_folder
from mlctl.records.ulid import short_form

_PATCH = "code.patch"
_PLAIN = (
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs; lines are None for a binary one. `path` is from git's top level."""

    path: str
    added: int | None
    removed: int | None


def revision_of(root: str, head: RunHead) -> str:
    """A commit whose tree is the code that the run read: its commit, its snapshot, or its commit
    with the record's patch.

    Raises NotAble that names what is not here, and how to get it.
    """
    name, code = short_form(head.id), head.git
    if code is None or code.tree is None:
        raise NotAble(
            f"run {name} has no code recorded: it was made outside of a git repository",
            hint="commit the project to git; runs from then on can be made again",
        )
    if toplevel(root) is None:
        raise NotAble(f"{root} is not in a git repository, so the code of {name} is not here")
    if code.snapshot is not None and has(root, code.snapshot):
        return code.snapshot
    if code.commit is None:
        raise _missing(root, name, "its code was never committed, and its snapshot")
    if not has(root, code.commit):
        raise _missing(root, name, f"its commit {code.commit[:10]}")
    if code.snapshot is None:
        return code.commit
    patch = read_part(root, head.id, _PATCH)
    if patch is None:
        raise _missing(root, name, f"its snapshot {code.snapshot[:10]} (of uncommitted changes)")
    return _patched(root, name, code.commit, code.tree, patch)


def has(root: str, commit: str) -> bool:
    """Whether the repository has a commit with its tree."""
    return git("rev-parse", "-q", "--verify", f"{commit}^{{tree}}", cwd=root, check=False).code == 0


def resolve(root: str, revision: str) -> str:
    """The commit that a revision names. Raises InvalidInput where it names none."""
    asked = git("rev-parse", "-q", "--verify", f"{revision}^{{commit}}", cwd=root, check=False)
    if asked.code:
        raise InvalidInput(f"{revision!r} is no revision of this repository")
    return asked.stdout.strip()


def file_at(root: str, revision: str, key: str) -> bytes | None:
    """The bytes of the file `key` (from the DVC root) in a revision, or None."""
    asked = git("rev-parse", "-q", "--verify", f"{revision}:./{key}", cwd=root, check=False)
    if asked.code:
        return None
    return contents([asked.stdout.strip()], root)[0]


def in_history(root: str, key: str) -> bool:
    """Whether some commit that a ref leads to, a snapshot too, has the bytes of the file `key`."""
    hashed = git("hash-object", "--", key, cwd=root, check=False)
    if hashed.code:
        return False
    asked = ("log", "-1", "--all", "--format=%H", f"--find-object={hashed.stdout.strip()}")
    return bool(git(*asked, cwd=root, check=False).stdout.strip())


def prefix_of(root: str) -> str:
    """The DVC root from git's top level: empty, or a path that ends in `/`."""
    return git("rev-parse", "--show-prefix", cwd=root).stdout.removesuffix("\n")


def code_changes(root: str, old: str, new: str) -> tuple[FileChange, ...]:
    """The files that differ between two trees, without what mlctl writes itself."""
    said = git("diff", "--numstat", "-z", *_PLAIN, old, new, "--", *_paths(), cwd=root).stdout
    found = []
    for row in filter(None, said.split("\0")):
        added, removed, path = row.split("\t", 2)
        found.append(FileChange(path, _lines(added), _lines(removed)))
    return tuple(found)


def patch_text(root: str, old: str, new: str) -> str:
    """The difference of two trees as a patch, without what mlctl writes itself."""
    return git("diff", *_PLAIN, old, new, "--", *_paths(), cwd=root).stdout


def first_lines(root: str, old: str, new: str) -> Mapping[str, int]:
    """The first line (in `new`) that differs, by file from git's top level."""
    plain = ("-c", "core.quotePath=false", "diff", "-U0", *_PLAIN)
    said = git(*plain, old, new, "--", *_paths(), cwd=root).stdout.split("\n")
    found: dict[str, int] = {}
    path = None
    for before, row in pairwise(said):
        if before.startswith("--- ") and row.startswith("+++ "):
            path = row[len("+++ ") :].removeprefix("b/")
        elif row.startswith("@@ ") and path is not None and path not in found:
            found[path] = max(int(row.split("+", 1)[1].split(" ")[0].split(",")[0]), 1)
    return found


def _paths() -> tuple[str, ...]:
    folders = (f":(exclude){name}" for name in OWN_FOLDERS)
    files = (f":(exclude,glob,top)**/{name}" for name in OWN_FILES)
    return (":(top)", *folders, *files)


def _lines(text: str) -> int | None:
    return None if text == "-" else int(text)


def _missing(root: str, name: str, what: str) -> NotAble:
    shallow = git("rev-parse", "--is-shallow-repository", cwd=root, check=False).stdout.strip()
    fetch = "git fetch --unshallow" if shallow == "true" else "git fetch"
    return NotAble(
        f"the code of run {name} is not here: {what} is missing",
        hint=f"`{fetch}` brings commits, `mlctl exp pull {name}` brings snapshots",
    )


def _patched(root: str, name: str, commit: str, tree: str, patch: bytes) -> str:
    """A commit of `tree`, which is `commit` with the patch; the user's index stays as it is."""
    with tempfile.TemporaryDirectory(prefix="mlctl-") as folder:
        env = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
        path = os.path.join(folder, _PATCH)
        write_bytes(path, patch)
        top = toplevel(root) or root
        git("read-tree", commit, cwd=top, env=env)
        options = ("--cached", "--whitespace=nowarn")
        applied = git("apply", *options, path, cwd=top, env=env, check=False)
        written = git("write-tree", cwd=top, env=env).stdout.strip()
    if applied.code or written != tree:
        raise NotAble(
            f"the patch in the record of {name} does not give the code that it read",
            hint=f"`mlctl exp pull {name}` brings the snapshot",
        )
    said = ("--no-gpg-sign", "-p", commit, "-m", "mlctl: the code of a run")
    return git("commit-tree", *said, tree, cwd=top, env=OUR_NAME).stdout.strip()


def made_file(root: str, head: RunHead, key: str, md5: str) -> bytes | None:
    """The file `key` that a run made and git keeps, as it was committed with the run's record.

    None where no such commit has the bytes whose md5 was recorded.
    """
    record = f"{run_folder(head.id)}/run.json"
    for options in (("--diff-filter=A",), ()):
        asked = git(
            "log", "-1", "--format=%H", "--all", *options, "--", record, cwd=root, check=False
        )
        commit = asked.stdout.strip()
        data = file_at(root, commit, key) if commit else None
        if data is not None and hashlib.md5(data, usedforsecurity=False).hexdigest() == md5:
            return data
    return None
