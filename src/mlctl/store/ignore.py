"""`.dvcignore`: which files DVC does not see, and the walk over those that it sees.

Rules as in DVC 3.67: gitignore patterns in a `.dvcignore` of any folder, the later and deeper one
winning; nothing below an ignored folder is seen; `.git`, `.hg` and `.dvc` are always ignored, and
so is a folder with a `.dvc` of its own (another repository). Without patterns, which is the common
case, names are compared and pathspec is not imported.
"""

from __future__ import annotations

import os
import re
import stat as stat_module
from collections.abc import Callable, Iterator
from typing import NoReturn

from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError, InvalidInput

IGNORE_FILE = ".dvcignore"
_ALWAYS_FILES = frozenset({".git"})
_ALWAYS_FOLDERS = frozenset({".git", ".hg", ".dvc"})
_BUILT_IN = (".hg/", ".git/", ".git", ".dvc/")

_CAN_BE_WRONG = re.compile(r"[\\\[]|^!")  # an escape, a range or an exception that lacks something

_Rule = tuple[re.Pattern[str], bool, bool]  # regex, ignores (or un-ignores), for folders only


class Ignore:
    """The rules of one repository; each `.dvcignore` is read once, when its folder is met."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._rules: dict[str, tuple[_Rule, ...]] = {}
        self._patterns: dict[str, tuple[str, ...]] = {}
        self._subrepos = {"": False}  # folder -> whether it is one, or lies in one

    def is_ignored(self, key: str, isdir: bool, *, subrepos: bool = True) -> bool:
        """Whether DVC ignores `key`; what lies outside of the root never is.

        `subrepos=False` leaves out the rule for other repositories, as DVC does where it asks
        whether an output exists.
        """
        if key in {"", "."} or key.startswith("/"):
            return False
        parts = key.split("/")
        if subrepos and self._in_subrepo(key, isdir):
            return True
        rules = self._rules_of(key.rpartition("/")[0])
        if not rules and _ALWAYS_FOLDERS.isdisjoint(parts):
            return False
        for end in range(1, len(parts) + 1):
            whole = end == len(parts)
            if self._matches(rules, "/".join(parts[:end]), parts[end - 1], isdir or not whole):
                return True
        return False

    def walk(self, key: str) -> Iterator[tuple[str, os.stat_result]]:
        """Every file below the folder `key` that DVC sees: POSIX path in it, and its stat.

        Links to files are followed and links to folders left out, as DVC's walk does. Raises
        InvalidInput for a `.dvcignore` inside, which DVC refuses, for a link to nothing and for
        what is neither file nor folder.
        """
        top = os.path.join(self.root, key)
        inside = not os.path.isabs(key)
        if inside and self.is_ignored(key, True):
            return
        prefix = "" if not inside or key in {"", "."} else key + "/"
        pending = [("", top)]
        while pending:
            below, folder = pending.pop()
            with os.scandir(folder) as scan:
                entries = list(scan)
            if inside:
                if below and any(entry.name == ".dvc" for entry in entries):
                    continue
                entries = self._visible(prefix + below, entries)
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((f"{below}{entry.name}/", entry.path))
                        continue
                    if entry.is_symlink() and entry.is_dir():
                        continue
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    _refuse_dangling(entry)
                    raise
                if not stat_module.S_ISREG(status.st_mode) or entry.name == IGNORE_FILE:
                    _refuse(entry)
                yield below + entry.name, status

    def find_files(self, prune: Callable[[str], bool] | None = None) -> Iterator[str]:
        """The keys of every `dvc.yaml` and `*.dvc` file, folder by folder from the root.

        `prune` is asked for every folder after its parent's files were yielded, so that a caller
        can leave out git-ignored folders and those that a stage just read writes.
        """
        pending = [""]
        while pending:
            folder = pending.pop()
            with os.scandir(os.path.join(self.root, folder)) as scan:
                entries = list(scan)
            if folder and any(entry.name == ".dvc" for entry in entries):
                continue
            visible = self._visible(folder, entries)
            files = [e for e in visible if e.name.endswith(".dvc") or e.name == "dvc.yaml"]
            for entry in sorted(files, key=lambda e: e.name):
                if entry.is_file() or entry.is_symlink():
                    yield folder + entry.name
            below = [folder + e.name for e in visible if e.is_dir(follow_symlinks=False)]
            kept = [name for name in below if prune is None or not prune(name)]
            pending.extend(f"{name}/" for name in sorted(kept, reverse=True))

    def _visible(self, folder: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
        """Those of a seen folder's entries that are seen (`folder` ends in a slash or is empty)."""
        rules = self._rules_of(folder.rstrip("/"))
        if not rules:
            return [e for e in entries if e.name not in _ALWAYS_FOLDERS or not self._built_in(e)]
        return [e for e in entries if not self._matches(rules, folder + e.name, e.name, e.is_dir())]

    def _built_in(self, entry: os.DirEntry[str]) -> bool:
        return self._matches((), entry.name, entry.name, entry.is_dir())

    @staticmethod
    def _matches(rules: tuple[_Rule, ...], key: str, name: str, isdir: bool) -> bool:
        if not rules:
            return name in (_ALWAYS_FOLDERS if isdir else _ALWAYS_FILES)
        for regex, ignores, folders_only in reversed(rules):
            if folders_only and not isdir:
                continue
            if regex.match(key) or (isdir and regex.match(key + "/")):
                return ignores
        return False

    def _rules_of(self, folder: str) -> tuple[_Rule, ...]:
        """The rules for what lies in `folder`; empty means the built-in ones only."""
        known = self._rules.get(folder)
        if known is not None:
            return known
        patterns = self._patterns_of(folder)
        if folder not in self._rules:
            self._rules[folder] = _compile(patterns) if len(patterns) > len(_BUILT_IN) else ()
        return self._rules[folder]

    def _patterns_of(self, folder: str) -> tuple[str, ...]:
        known = self._patterns.get(folder)
        if known is not None:
            return known
        if folder:
            parent = folder.rpartition("/")[0]
            above, rules = self._patterns_of(parent), self._rules_of(parent)
        else:
            above, rules = _BUILT_IN, ()
        path = f"{folder}/{IGNORE_FILE}" if folder else IGNORE_FILE
        own = () if self._matches(rules, path, IGNORE_FILE, False) else self._read(path)
        patterns = above + tuple(_rebase(pattern, folder) for pattern in own) if own else above
        self._patterns[folder] = patterns
        if folder and not own:
            self._rules[folder] = rules
        return patterns

    def _read(self, path: str) -> tuple[str, ...]:
        at = f"{self.root}/{path}"
        if not os.access(at, os.F_OK):  # nearly always; an exception would take three times as long
            return ()
        try:
            text = read_text(at, name=path)
        except (FileNotFoundError, NotADirectoryError):
            return ()
        lines = [line.strip() for line in text.split("\n")]
        for number, line in enumerate(lines, 1):
            _check(line, path, number)
        return tuple(line for line in lines if line and not line.startswith("#"))

    def _in_subrepo(self, key: str, isdir: bool) -> bool:
        folder = key if isdir else key.rpartition("/")[0]
        known = self._subrepos.get(folder)
        if known is None:
            known = self._in_subrepo(folder, False) or os.path.lexists(f"{self.root}/{folder}/.dvc")
            self._subrepos[folder] = known
        return known


def _refuse_dangling(entry: os.DirEntry[str]) -> None:
    if entry.is_symlink():
        raise InvalidInput(
            f"{entry.path}: a link to a file that does not exist",
            hint="remove the link, or name it in .dvcignore",
        ) from None


def _refuse(entry: os.DirEntry[str]) -> NoReturn:
    if entry.name == IGNORE_FILE and entry.is_file():
        raise InvalidInput(
            f"{entry.path}: a tracked folder must not hold a {IGNORE_FILE}",
            hint="move its patterns to the folder above",
        )
    raise InvalidInput(
        f"{entry.path}: neither a file nor a folder", hint="remove it, or name it in .dvcignore"
    )


def _rebase(pattern: str, folder: str) -> str:
    """The pattern of `folder/.dvcignore` as it would stand in the root's, as DVC rewrites it.

    Characters of `folder` that mean something in patterns are not escaped, since DVC does not.
    """
    if not folder:
        return pattern
    negated, rule = pattern.startswith("!"), pattern.removeprefix("!")
    anchored = "/" in rule[:-1] and not rule.startswith("**/")
    rule = rule.removeprefix("/" if anchored else "**/")
    rule = rule.removeprefix("\\")
    between = "/" if anchored else "/**/"
    return f"!/{folder}{between}{rule}" if negated else f"{folder}{between}{rule}"


def _check(line: str, path: str, number: int) -> None:
    """Raise ConfigError for a pattern that pathspec refuses, as DVC does."""
    if not _CAN_BE_WRONG.search(line):
        return
    try:
        _compile((line,))
    except (ValueError, re.error):
        raise ConfigError(
            f"{line!r} is not a pattern",
            file=path,
            line=number,
            hint="correct or remove the line; a literal backslash is written twice",
        ) from None


def _compile(patterns: tuple[str, ...]) -> tuple[_Rule, ...]:
    try:
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern as Pattern
    except ImportError:  # pathspec before 1.0
        from pathspec.patterns.gitwildmatch import GitWildMatchPattern as Pattern

    rules: list[_Rule] = []
    for pattern in patterns:
        regex, ignores = Pattern.pattern_to_regex(pattern)
        if regex is not None and ignores is not None:
            rules.append((re.compile(regex), bool(ignores), pattern.endswith("/")))
    return tuple(rules)
