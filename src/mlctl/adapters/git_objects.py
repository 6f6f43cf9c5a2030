"""Commits that are made without a work tree or an index, and the refs that name them.

All goes through `git fast-import`: one process, and many files are one pack, not loose objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from mlctl.adapters import clock
from mlctl.adapters.git import StrPath, git
from mlctl.adapters.process import ToolFailed, call_bytes

_ATTEMPTS = 20
_NO_REF = "refs/mlctl/made"  # fast-import wants a name; it is taken back before it is written


class Entry(NamedTuple):
    """A file or folder (mode `040000`) that git has already."""

    mode: str
    oid: str


Change = bytes | Entry | None  # new content, what git has already, or gone


def make_commit(
    cwd: StrPath,
    message: str,
    changes: Mapping[str, Change],
    *,
    parent: str | None = None,
    base: str | None = None,
    also: str | None = None,
) -> str:
    """A commit that no ref names: the tree of `base` (or the parent's, or an empty one) with
    `changes`, by path from its top. `also` is a second parent. Its author is mlctl.

    Raises ToolFailed where git refuses, as in a read-only repository.
    """
    who = f"mlctl <mlctl@localhost> {int(clock.now())} +0000\n".encode()
    stream = [b"feature get-mark\nfeature done\n", f"commit {_NO_REF}\nmark :1\n".encode()]
    stream += [b"committer ", who, _data(message.encode())]
    if parent is not None:
        stream.append(f"from {parent}\n".encode())
        stream += [f"merge {also}\n".encode()] if also else []
    if base is not None:
        tree = git("rev-parse", f"{base}^{{tree}}", cwd=cwd).stdout.strip()
        stream.append(f'M 040000 {tree} ""\n'.encode())
    for path, change in changes.items():
        stream.append(_change(path, change))
    stream.append(f"get-mark :1\nreset {_NO_REF}\nfrom {'0' * _oid_length(cwd)}\n\ndone\n".encode())
    said = call_bytes(["git", "fast-import", "--quiet", "--force"], b"".join(stream), cwd=cwd)
    return said.decode().strip()


def move_ref(
    cwd: StrPath, ref: str, make: Callable[[str | None], str | None], *, attempts: int = _ATTEMPTS
) -> str | None:
    """Set `ref` to the commit that `make` gives for the present one; None leaves it as it is.

    Where another process was quicker, `make` is asked again, so no one's commit is lost. What the
    ref names in the end. Raises ToolFailed where it cannot be set.
    """
    for attempt in range(attempts):
        old = resolve(cwd, ref)
        new = make(old)
        if new is None or new == old:
            return old
        said = git("update-ref", ref, new, old or "0" * len(new), cwd=cwd, check=False)
        if said.code == 0:
            return new
        quicker = "File exists" in said.stderr or resolve(cwd, ref) != old
        if not quicker or attempt + 1 == attempts:
            raise ToolFailed(said)
        clock.sleep(0.01 * (attempt + 1))
    return None


def resolve(cwd: StrPath, name: str) -> str | None:
    """The commit that a ref or revision names, or None."""
    said = git("rev-parse", "-q", "--verify", f"{name}^{{commit}}", cwd=cwd, check=False)
    return said.stdout.strip() if said.code == 0 else None


def refs(cwd: StrPath, *patterns: str) -> dict[str, str]:
    """The refs that match (git's own patterns), and the object that each names."""
    said = git("for-each-ref", "--format=%(objectname) %(refname)", *patterns, cwd=cwd).stdout
    return {name: oid for oid, name in (line.split(" ", 1) for line in said.splitlines())}


def delete_refs(cwd: StrPath, names: Iterable[str]) -> None:
    """Delete refs, all in one transaction."""
    orders = "".join(f"delete {name}\n" for name in names)
    if orders:
        git("update-ref", "--stdin", cwd=cwd, stdin=orders)


def lacking(cwd: StrPath, oids: Iterable[str]) -> set[str]:
    """Those of the objects that git does not have, asked of one process."""
    stdin = "".join(f"{oid}\n" for oid in sorted(set(oids)))
    if not stdin:
        return set()
    said = git("cat-file", "--batch-check", cwd=cwd, stdin=stdin).stdout
    return {line.split(" ")[0] for line in said.splitlines() if line.endswith(" missing")}


def changed(cwd: StrPath, old: str, new: str) -> dict[str, Entry | None]:
    """The files that differ between two commits or trees, as the new one has them; None: gone."""
    said = git("diff-tree", "-r", "-z", "--no-renames", old, new, cwd=cwd).stdout.split("\0")
    found: dict[str, Entry | None] = {}
    for facts, path in zip(said[::2], said[1::2], strict=False):
        _, mode, _, oid, status = facts.split(" ")
        found[path] = None if status == "D" else Entry(mode, oid)
    return found


def empty_tree(cwd: StrPath) -> str:
    """The tree without a file, which is there once this was asked."""
    return git("mktree", cwd=cwd, stdin="").stdout.strip()


def _change(path: str, change: Change) -> bytes:
    name = _quoted(path)
    if change is None:
        return b"D " + name + b"\n"
    if isinstance(change, Entry):
        return f"M {change.mode} {change.oid} ".encode() + name + b"\n"
    return b"M 100644 inline " + name + b"\n" + _data(change)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _oid_length(cwd: StrPath) -> int:
    said = git("rev-parse", "--show-object-format", cwd=cwd, check=False).stdout.strip()
    return 64 if said == "sha256" else 40
