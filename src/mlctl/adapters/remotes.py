"""DVC's remotes, as places of files: whatever file systems DVC knows, by DVC's own configuration.

A key is a POSIX path from the remote's root, such as `files/md5/ab/cdef…`. DVC is imported here
and nowhere else on the way, once a command. Where a file system can rename (a folder, SSH), a file
is sent to a temporary name first, so that its own name never stands for a part of it; the others
(object stores, HTTP) show a file only when it is whole.
"""

from __future__ import annotations

import os
import posixpath
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

from mlctl.errors import InvalidInput, MlctlError, NotAble

Tick = Callable[[int], None]  # bytes since the last call; may raise to give up

TEMPORARY = ".mlctl-tmp"  # the folder of a remote, or of a cache, for files under way
_RENAMING = {"ssh"}
_CREDENTIALS = ("auth", "custom_auth_header", "password", "user")
_PAGE = 1000  # names that one listing answers
_USER = re.compile(r"//[^/@]*@")
_PASSWORD = re.compile(r"//[^/@]*:[^/@]*@")


class Listed(NamedTuple):
    """One file of a remote; no `size` where its file system does not tell."""

    key: str
    size: int | None


class Remote:
    """One remote; threads may share it. Each call raises NotAble where the remote refuses."""

    def __init__(self, name: str, fs: Any, root: str, url: str, *, public: bool = False) -> None:
        self.name = name
        self.url = url
        self.jobs: int = fs.jobs
        self._dvc_fs = fs
        self._root = root
        self._public = public
        self._folders: set[str] = set()
        self._lock = threading.Lock()

    @property
    def renames(self) -> bool:
        """Whether a file is sent to a temporary name first."""
        return self._dvc_fs.protocol in _RENAMING

    @property
    def folder(self) -> str | None:
        """The local folder that the remote is, or None."""
        return self._root if self._dvc_fs.protocol == "local" else None

    def sizes(self, keys: Sequence[str], jobs: int) -> dict[str, int | None]:
        """Those of `keys` that are there, and their sizes.

        Asks for each, or lists their folders where that takes fewer questions.
        """
        folders: dict[str, list[str]] = {}
        for key in keys:
            folders.setdefault(posixpath.dirname(key), []).append(key)
        if not folders:
            return {}
        with ThreadPoolExecutor(jobs, "mlctl-look") as pool:
            if len(keys) > len(folders):
                fullest = max(folders, key=lambda folder: len(folders[folder]))
                listed = dict(self._listing(fullest))
                if len(folders) * (1 + len(listed) // _PAGE) < len(keys):
                    rest = pool.map(self._listing, [f for f in folders if f != fullest])
                    there = dict(item for found in rest for item in found) | listed
                    return {key: there[key] for key in keys if key in there}
            found = pool.map(self._size, keys)
            return {item.key: item.size for item in found if item is not None}

    def listing(self, folders: Iterable[str], jobs: int) -> Iterator[Listed]:
        """Every file that lies right in one of `folders`."""
        with ThreadPoolExecutor(jobs, "mlctl-list") as pool:
            for found in pool.map(self._listing, folders):
                yield from found

    def folders(self, key: str) -> list[str]:
        """The keys of the folders in the folder `key`."""
        return [posixpath.join(key, name) for name, info in self._ls(key) if _is_folder(info)]

    def read(self, key: str) -> bytes:
        """The bytes of a small file. Raises FileNotFoundError."""
        with self._answering():
            data: bytes = self._fs.cat_file(self._path(key))
        return data

    def link(self, key: str, seconds: int) -> str:
        """A URL of the web by which anybody may read the file for so long, without credentials.

        Raises InvalidInput where the remote has none to give.
        """
        if self._public:
            return self._path(key)
        with self._answering():
            try:
                url: str = self._fs.sign(self._path(key), expiration=seconds)
            except (NotImplementedError, AttributeError):
                url = ""
        if not url.startswith("http"):
            raise InvalidInput(f"remote {self.name!r} ({self.url}) has no URLs to give away")
        return url

    def receive(self, key: str, target: str, tick: Tick) -> None:
        """Write the file to the new local file `target`. Raises FileNotFoundError."""
        with self._answering():
            self._fs.get_file(self._path(key), target, callback=_callback(tick))

    def send(self, source: str, key: str, temporary: str, tick: Tick) -> None:
        """Put a local file at `key`; `temporary` is a key that nobody else uses.

        Raises NotAble where not as many bytes arrived as the file has.
        """
        target = self._path(temporary if self.renames else key)
        size = os.path.getsize(source)
        with self._answering():
            try:
                self._fs.put_file(source, target, callback=_callback(tick))
                self._require_size(target, size)
                if self.renames:
                    self._make_folder(posixpath.dirname(key))
                    self._fs.mv(target, self._path(key))
            except BaseException:
                with suppress(Exception):
                    self._fs.rm_file(target)
                raise

    def _require_size(self, path: str, size: int) -> None:
        arrived = self._fs.info(path).get("size")
        if arrived is not None and arrived != size:
            raise NotAble(f"remote {self.name!r}: {arrived} of {size} bytes arrived")

    def remove(self, keys: Sequence[str], jobs: int) -> None:
        """Remove files; what is gone already is no error."""

        def one(key: str) -> None:
            with self._answering(), suppress(FileNotFoundError):
                self._fs.rm_file(self._path(key))

        with ThreadPoolExecutor(jobs, "mlctl-remove") as pool:
            list(pool.map(one, keys))

    def sweep(self, mine: Iterable[str], *, before: float) -> None:
        """Remove files under way: those in our folders `mine`, and anybody's older than `before`
        (seconds since 1970)."""
        if not self.renames:
            return
        wanted = set(mine)
        for name, info in self._ls(TEMPORARY):
            changed = info.get("mtime")
            old = isinstance(changed, datetime) and changed.timestamp() < before
            if name in wanted or old:
                with self._answering(), suppress(FileNotFoundError):
                    self._fs.rm(self._path(posixpath.join(TEMPORARY, name)), recursive=True)
        with suppress(Exception):  # not empty, or not there
            self._fs.rm(self._path(TEMPORARY))

    @property
    def _fs(self) -> Any:
        return self._dvc_fs.fs

    def _path(self, key: str) -> str:
        path: str = self._dvc_fs.join(self._root, *key.split("/"))
        return path

    def _size(self, key: str) -> Listed | None:
        with self._answering():
            try:
                return Listed(key, self._fs.info(self._path(key)).get("size"))
            except FileNotFoundError:
                return None

    def _listing(self, folder: str) -> list[Listed]:
        return [
            Listed(posixpath.join(folder, name), info.get("size"))
            for name, info in self._ls(folder)
            if not _is_folder(info)
        ]

    def _ls(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        with self._answering():
            try:
                self._fs.invalidate_cache(self._path(folder))
                found = self._fs.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                return []
        return [(str(info["name"]).rstrip("/").rpartition("/")[2], info) for info in found]

    def _make_folder(self, folder: str) -> None:
        with self._lock:
            if folder not in self._folders:
                self._fs.makedirs(self._path(folder), exist_ok=True)
                self._folders.add(folder)

    def _answering(self) -> Any:
        return answering(f"remote {self.name!r} ({self.url})")


def open_remote(root: str, name: str | None) -> Remote:
    """The remote `name`, or the default one.

    Raises InvalidInput where there is none or it is one that only `dvc` itself can serve, and
    NotAble where its file system is not installed.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    with answering("dvc"):
        from dvc.config import Config, ConfigError
        from dvc.fs import get_cloud_fs

        try:
            config = Config(os.path.join(root, ".dvc"))
        except ConfigError as error:
            hint = "look at .dvc/config and .dvc/config.local"
            raise InvalidInput(f"dvc: {error}", hint=hint) from None
        name = name or config["core"].get("remote")
        known = sorted(config["remote"])
        if not name or name.lower() not in known:
            raise _no_remote(name, known)
        kind, options, path = get_cloud_fs(config, name=name)
        if options.get("worktree") or options.get("version_aware"):
            raise InvalidInput(
                f"remote {name!r} is versioned by its cloud, which mlctl does not speak",
                hint="use `dvc push` and `dvc pull` for it",
            )
        url = str(config["remote"][name.lower()]["url"])
        public = url.startswith("http") and not any(options.get(key) for key in _CREDENTIALS)
        return Remote(name, kind(**options), path, without_secrets(url), public=public)


def without_secrets(url: str) -> str:
    """A URL without its user and password."""
    return _USER.sub("//", url)


def refuse_password(url: str, *, hint: str) -> None:
    """Raise InvalidInput for a URL that carries one: it would come into git."""
    if _PASSWORD.search(url):
        raise InvalidInput("a password in a URL would come into git", hint=hint)


def _no_remote(name: str | None, known: Sequence[str]) -> InvalidInput:
    if name:
        return InvalidInput(
            f"no remote is called {name!r}",
            hint=f"known: {', '.join(known)}" if known else "`mlctl data remote add NAME URL`",
        )
    if known:
        return InvalidInput(
            "no remote is the default",
            hint=f"--remote {known[0]}, or `mlctl data remote default {known[0]}`",
        )
    return InvalidInput("there is no remote", hint="`mlctl data remote add --default NAME URL`")


@contextmanager
def answering(who: str) -> Iterator[None]:
    """What DVC and the libraries under it raise, as one error of ours that says `who` refused.

    FileNotFoundError passes: it is an answer. So do errors of Python's own kind, which are bugs.
    """
    try:
        yield
    except (MlctlError, FileNotFoundError):
        raise
    except Exception as error:
        package = re.search(r"requires '([\w-]+)'", str(error))
        if isinstance(error, ImportError) and package:
            raise NotAble(f"{who}: {error}", hint=f"pip install '{package[1]}'") from error
        origin = type(error).__module__.partition(".")[0]
        if origin in {"builtins", "mlctl"} and not isinstance(error, OSError):
            raise
        missing = getattr(error, "missing_deps", None)
        if missing:
            protocol = getattr(error, "protocol", "")
            raise NotAble(
                f"{who}: needs {', '.join(missing)}, which is not installed",
                hint=f"pip install 'dvc-{protocol}'",
            ) from error
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotAble(f"{who}: {said.strip()}") from error


def _callback(tick: Tick) -> Any:
    from fsspec.callbacks import Callback

    class Ticking(Callback):  # type: ignore[misc]
        """Tells how many bytes came since the last call; fsspec counts from the start."""

        counted = 0

        def call(self, *_: Any, **__: Any) -> None:
            told, self.counted = self.counted, max(self.counted, self.value)
            if self.counted > told:
                tick(self.counted - told)

    return Ticking()


def _is_folder(info: dict[str, Any]) -> bool:
    return info.get("type") == "directory"
