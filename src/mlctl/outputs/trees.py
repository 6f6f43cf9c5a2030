"""The files of a revision or of the workspace, with those that only DVC's cache holds.

A revision's files are checked out by git into a temporary folder, and only those that are read.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from mlctl.adapters.files import read_text
from mlctl.adapters.git import git, head
from mlctl.errors import InvalidInput, MlctlError
from mlctl.pipeline import lockfile
from mlctl.pipeline.load import Parsing, load_dvc_file, load_pipeline_file
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import PipelineFile, Stage, lock_key
from mlctl.store.config import Config
from mlctl.store.digest import Digest
from mlctl.store.tree import parse_tree

WORKSPACE = "workspace"


class Absent(MlctlError):
    """A file that neither the revision nor the cache holds."""

    exit_code = 2


@dataclass(slots=True)
class Checkout:
    """A revision's names, and the folder where its files appear when they are asked for."""

    top: str  # the work tree of git
    prefix: str  # the DVC root in it, "" or ending in /
    folder: str
    index: str
    names: frozenset[str]
    here: set[str] = field(default_factory=set)

    def fetch(self, keys: Iterable[str]) -> None:
        """Write those of `keys` that the revision has into the folder."""
        wanted = [key for key in keys if key in self.names and key not in self.here]
        if not wanted:
            return
        git(
            "checkout-index", "-q", "-z", "--stdin", f"--prefix={self.folder}/",
            cwd=self.top, env={"GIT_INDEX_FILE": self.index},
            stdin="".join(f"{self.prefix}{key}\0" for key in wanted),
        )  # fmt: skip
        self.here.update(wanted)


@dataclass(slots=True)
class Tree:
    """One revision: its pipeline, and its files by key."""

    name: str
    root: str
    cache_dir: str
    files: tuple[PipelineFile, ...]
    stages: tuple[Stage, ...]
    tracked: Mapping[str, Digest]
    checkout: Checkout | None = None

    def read(self, key: str) -> bytes:
        """The bytes of a file, from the tree or from the cache. Raises Absent."""
        if self.checkout is not None:
            if "://" in key or key.startswith(("/", "../")):
                raise Absent(f"{key} lies outside of the repository, and {self.name} has it not")
            self.checkout.fetch([key])
        try:
            with open(os.path.join(self.root, key), "rb") as file:
                return file.read()
        except OSError:
            return self._from_cache(key)

    def text(self, key: str) -> str:
        """The text of a file. Raises Absent, and InvalidInput where it is not UTF-8."""
        try:
            return self.read(key).decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(f"{key}: not valid UTF-8", hint="save the file as UTF-8") from None

    def has(self, key: str) -> bool:
        """Whether `key` is a file of the tree itself."""
        if self.checkout is not None:
            return key in self.checkout.names
        return os.path.isfile(os.path.join(self.root, key))

    def expand(self, key: str) -> list[str]:
        """The files in the folder `key`, sorted; `key` itself where it is no folder."""
        prefix = key + "/"
        if self.checkout is not None:
            found = [name for name in self.checkout.names if name.startswith(prefix)]
        else:
            found = [
                posixpath.join(os.path.relpath(folder, self.root).replace(os.sep, "/"), name)
                for folder, _, names in os.walk(os.path.join(self.root, key))
                for name in names
            ]
        if found or self.has(key):
            return sorted(found) or [key]
        digest = self.tracked.get(key)
        if digest is None or not digest.isdir:
            return [key]
        try:
            listing = parse_tree(self._object(digest, key), key)
        except Absent:
            return [key]
        return sorted(prefix + entry.relpath for entry in listing)

    def _from_cache(self, key: str) -> bytes:
        parent = key
        while parent and parent not in self.tracked:
            parent = posixpath.dirname(parent) if parent != "/" else ""
        digest = self.tracked.get(parent)
        if digest is None:
            raise Absent(f"{key} is not in {self.name}")
        if not digest.isdir:
            return self._object(digest, key)
        wanted = key[len(parent) + 1 :]
        for entry in parse_tree(self._object(digest, parent), parent):
            if entry.relpath == wanted:
                return self._object(Digest(entry.md5, legacy=digest.legacy), key)
        raise Absent(f"{key} is not in {parent} as {self.name} has it")

    def _object(self, digest: Digest, key: str) -> bytes:
        base = self.cache_dir if digest.legacy else os.path.join(self.cache_dir, "files", "md5")
        try:
            with open(os.path.join(base, digest.md5[:2], digest.md5[2:]), "rb") as file:
                return file.read()
        except OSError:
            raise Absent(
                f"{key} of {self.name} is not in the cache", hint="fetch it with `mlctl data fetch`"
            ) from None


@contextmanager
def open_tree(project: Project, rev: str | None) -> Iterator[Tree]:
    """The tree of a git revision, or of the workspace for None or `workspace`.

    Before the first commit, HEAD is an empty tree. Raises InvalidInput for an unknown revision,
    ConfigError where its pipeline does not parse.
    """
    config = project.config
    if rev is None or rev == WORKSPACE:
        tracked: dict[str, Digest] = {}
        for stage in project.stages:
            locked = project.locked(stage)
            outs = {out.path: out.digest for out in locked.outs} if locked else {}
            tracked.update(_tracked(stage, outs))
        yield Tree(
            WORKSPACE, project.root, config.cache_dir, project.files, project.stages, tracked
        )
        return
    if rev == "HEAD" and config.git_root and head(project.root) is None:
        yield Tree(rev, "", config.cache_dir, (), (), {}, Checkout("", "", "", "", frozenset()))
        return
    with tempfile.TemporaryDirectory(prefix="mlctl-") as folder:
        yield _revision(config, rev, os.path.realpath(folder))


def revisions(
    project: Project, *, branches: bool = False, tags: bool = False, commits: bool = False
) -> list[str]:
    """All branches, tags or commits (abbreviated, newest first), each commit under one name."""
    patterns = ["refs/heads"] * branches + ["refs/tags"] * tags
    found: dict[str, str] = {}
    if patterns:
        listed = git(
            "for-each-ref", "--format=%(objectname) %(*objectname) %(refname:short)", *patterns,
            cwd=project.root,
        ).stdout  # fmt: skip
        for line in listed.splitlines():
            plain, peeled, name = line.split(" ", 2)
            found.setdefault(peeled or plain, name)
    if commits:
        for line in git("rev-list", "--all", cwd=project.root).stdout.splitlines():
            found.setdefault(line, line[:7])
    return list(found.values())


def is_revision(project: Project, name: str) -> bool:
    """Whether git knows a commit by this name."""
    return bool(project.config.git_root and _commit(project.root, name))


def merge_base(project: Project, a: str, b: str) -> str:
    """The commit (abbreviated) where `b` left `a`. Raises InvalidInput where there is none."""
    if project.config.git_root is None:
        raise InvalidInput(f"there is no git repository to read {a!r} from")
    for name in (a, b):
        if not _commit(project.root, name):
            raise _unknown(name)
    found = git("merge-base", a, b, cwd=project.root, check=False).stdout.strip()
    if not found:
        raise InvalidInput(f"{a!r} and {b!r} have no commit in common")
    return found[:7]


def _commit(top: str, rev: str) -> str:
    """The commit that `rev` names, empty for none."""
    argv = ("rev-parse", "--verify", "-q", "--end-of-options", f"{rev}^{{commit}}")
    return git(*argv, cwd=top, check=False).stdout.strip()


def _unknown(rev: str) -> InvalidInput:
    return InvalidInput(f"git knows no revision {rev!r}", hint="see `git log` and `git branch`")


def _revision(config: Config, rev: str, folder: str) -> Tree:
    top = config.git_root
    if top is None:
        raise InvalidInput(f"there is no git repository to read {rev!r} from")
    relative = os.path.relpath(config.root, os.path.realpath(top)).replace(os.sep, "/")
    prefix = "" if relative == "." else f"{relative}/"
    commit = _commit(top, rev)
    if not commit:
        raise _unknown(rev)
    listed = git("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, cwd=top)
    every = listed.stdout.split("\0")
    names = frozenset(name[len(prefix) :] for name in every if name and name.startswith(prefix))
    index = os.path.join(folder, "index")
    git("read-tree", commit, cwd=top, env={"GIT_INDEX_FILE": index})
    files = os.path.join(folder, "files")
    checkout = Checkout(top, prefix, files, index, names)
    root = os.path.join(files, prefix.rstrip("/"))
    return _load(config, rev, root, checkout)


def _load(config: Config, rev: str, root: str, checkout: Checkout) -> Tree:
    """Parse the pipeline of a checkout.

    Templating reads files that a `dvc.yaml` names literally, so those whose names stand in one are
    checked out first, and `params.yaml` beside each.
    """
    pipelines = sorted(k for k in checkout.names if posixpath.basename(k) == "dvc.yaml")
    pointers = sorted(k for k in checkout.names if k.endswith(".dvc"))
    locks = [lock_key(key) for key in pipelines]
    beside = [posixpath.join(posixpath.dirname(key), "params.yaml") for key in pipelines]
    checkout.fetch([*pipelines, *pointers, *locks, *beside])
    texts = [read_text(os.path.join(root, key), name=key) for key in pipelines]
    checkout.fetch(_mentioned(checkout.names, texts))
    parsing = Parsing(
        "boolean_optional" if config.parsing_bool == "boolean_optional" else "store_true",
        "append" if config.parsing_list == "append" else "nargs",
    )
    files = [load_pipeline_file(root, key, parsing=parsing) for key in pipelines]
    dvc_files = [load_dvc_file(root, key) for key in pointers]
    tracked: dict[str, Digest] = {}
    for stage in dvc_files:
        tracked.update(_tracked(stage, {out.path: out.digest for out in stage.outs}))
    for file, lock in zip(files, locks, strict=True):
        path = os.path.join(root, lock)
        if os.path.isfile(path):
            parsed = lockfile.parse_text(read_text(path, name=lock), name=lock)
            for stage in file.stages:
                locked = parsed.stages.get(stage.name or "")
                outs = {out.path: out.digest for out in locked.outs} if locked else {}
                tracked.update(_tracked(stage, outs))
    stages = (*(stage for file in files for stage in file.stages), *dvc_files)
    return Tree(rev, root, config.cache_dir, tuple(files), stages, tracked, checkout)


def _mentioned(names: Iterable[str], texts: Sequence[str]) -> list[str]:
    endings = (".yaml", ".yml", ".json", ".toml", ".py")
    return [
        name
        for name in names
        if name.endswith(endings) and any(posixpath.basename(name) in text for text in texts)
    ]


def _tracked(stage: Stage, digests: Mapping[str, Digest | None]) -> dict[str, Digest]:
    found = {out.key: digests.get(out.path) for out in stage.outs}
    return {key: digest for key, digest in found.items() if digest is not None}
