"""`.gitignore` entries for cached outputs, kept as DVC keeps them.

Each output inside the repository gets `/name` in the `.gitignore` of its folder, unless git ignores
it already.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from typing import IO

from mlctl.adapters.files import write_bytes
from mlctl.adapters.git import git, tracked
from mlctl.errors import InvalidInput
from mlctl.store.config import Config

_BATCH = 500  # paths on one command line
_SPECIAL = frozenset("\\[]!*#?")


def ignored(config: Config, keys: Iterable[str]) -> set[str]:
    """Those of `keys` that git's rules ignore, whether git tracks them or not; one call of git."""
    keys = list(keys)
    if config.git_root is None or not keys:
        return set()
    result = git(
        "check-ignore", "--no-index", "--stdin", "-z",
        cwd=config.root, stdin="\0".join(keys) + "\0", check=False,
    )  # fmt: skip
    if result.code > 1:  # git gives up on the first path behind a link
        with GitIgnored(config) as is_ignored:
            return {key for key in keys if is_ignored(key)}
    return {name for name in result.stdout.split("\0") if name}


def check_untracked(config: Config, keys: Iterable[str]) -> None:
    """Raise InvalidInput where git tracks one of `keys`, or a file in it, as DVC does."""
    keys = [key for key in keys if not os.path.isabs(key)]
    if config.git_root is None:
        return
    for start in range(0, len(keys), _BATCH):
        found = tracked(keys[start : start + _BATCH], config.root)
        if found:
            key = min(found)
            raise InvalidInput(
                f"{key!r} is an output that DVC caches, but git tracks it already",
                hint=f"git rm -r --cached {key!r}, and git commit -m 'stop tracking {key}'",
            )


def ignore(config: Config, keys: Iterable[str]) -> tuple[str, ...]:
    """Make git ignore `keys`; the keys of the `.gitignore` files that were written."""
    wanted = [key for key in keys if not os.path.isabs(key)]
    already = ignored(config, wanted)
    folders: dict[str, list[str]] = {}
    for key in wanted if config.git_root is not None else ():
        if key not in already:
            folder, _, name = key.rpartition("/")
            folders.setdefault(folder, []).append(name)
    for folder, names in folders.items():
        text = read_lines(config, folder)
        after = lines_added(text, names)
        if after != text:
            write_lines(config, folder, after)
    return tuple(f"{folder}/.gitignore" if folder else ".gitignore" for folder in folders)


def lines_added(text: str, names: Iterable[str]) -> str:
    """The text of a `.gitignore` with a line for the last part of each of `names`."""
    lines = [f"/{_escape(os.path.basename(name))}\n" for name in dict.fromkeys(names)]
    known = set(text.splitlines(keepends=True))
    new = "".join(line for line in lines if line not in known)
    between = "" if not new or not text or text.endswith("\n") else "\n"
    return text + between + new


def read_lines(config: Config, folder: str) -> str:
    """The text of the `.gitignore` in `folder` (a key), empty where there is none."""
    return _read(_gitignore(config, folder))


def write_lines(config: Config, folder: str, text: str) -> None:
    """Replace the `.gitignore` in `folder` (a key), atomically."""
    _write(_gitignore(config, folder), text)


def unignore(config: Config, keys: Iterable[str]) -> tuple[str, ...]:
    """Take the entries of `keys` out; the keys of the files written or, when empty, deleted."""
    changed: list[str] = []
    for key in keys:
        if config.git_root is None or os.path.isabs(key):
            continue
        folder, _, name = key.rpartition("/")
        path = _gitignore(config, folder)
        lines = _read(path).splitlines(keepends=True)
        kept = [line for line in lines if line.strip() not in {f"/{name}", f"/{_escape(name)}"}]
        if kept == lines:
            continue
        if kept:
            _write(path, "".join(kept))
        else:
            os.unlink(path)
        changed.append(f"{folder}/.gitignore" if folder else ".gitignore")
    return tuple(dict.fromkeys(changed))


class GitIgnored:
    """Asks one running git, path by path: for walks, where each answer decides on the next."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, key: str) -> bool:
        """Whether git's rules ignore `key`; a folder is known by what lies on disk."""
        if self._config.git_root is None:
            return False
        process = self._process or self._start()
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            return False
        try:
            stdin.write(os.fsencode(key) + b"\0")
            stdin.flush()
            fields = [self._field(stdout) for _ in range(4)]
        except (OSError, EOFError):  # git gives up on a path behind a link: it ignores none there
            self.close()
            return False
        return fields[0] != b"" and not fields[2].startswith(b"!")

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            process.wait()

    def __enter__(self) -> GitIgnored:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            ["git", "check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"],
            cwd=self._config.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_FLUSH": "1"},
        )
        return self._process

    @staticmethod
    def _field(stdout: IO[bytes]) -> bytes:
        """One answer field: git ends each with a zero byte."""
        data = bytearray()
        while (byte := stdout.read(1)) != b"\0":
            if not byte:
                raise EOFError
            data += byte
        return bytes(data)


def _gitignore(config: Config, folder: str) -> str:
    path = os.path.join(config.root, folder, ".gitignore")
    root = os.path.realpath(config.git_root or config.root)
    if not os.path.realpath(path).startswith(root + os.sep):
        raise InvalidInput(f"{path}: is outside of the git repository {config.git_root}")
    return path


def _escape(name: str) -> str:
    if _SPECIAL.isdisjoint(name):
        return name
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in name)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(path: str, text: str) -> None:
    write_bytes(path, text.encode("utf-8", "surrogateescape"))
