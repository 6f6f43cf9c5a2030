"""Files: reading, and writing so that a reader never sees half a file."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlctl.errors import ConfigError

StrPath = str | os.PathLike[str]


def read_text(path: StrPath, *, name: str | None = None) -> str:
    """The text of a file.

    Raises FileNotFoundError or NotADirectoryError where there is none, ConfigError (naming `name`
    or the path) where it cannot be read or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise
    except IsADirectoryError:
        raise ConfigError("a folder, where a file is expected", file=name or str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=name or str(path)) from None
    return decoded(data, name=name or os.fspath(path))


def decoded(data: bytes, *, name: str) -> str:
    """The text in the bytes of a file. Raises ConfigError (naming `name`) for other than UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not valid UTF-8 (byte {error.start})",
            file=name,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="save the file as UTF-8",
        ) from None


def write_text(path: StrPath, text: str, *, durable: bool = True) -> None:
    """Replace `path` by `text`, atomically and durably: a reader sees the old or the new."""
    write_bytes(path, text.encode("utf-8"), durable=durable)


def write_bytes(path: StrPath, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data`, atomically and durably, keeping its mode where it exists.

    A symbolic link is followed, so that the file it points to is replaced and the link stays. What
    can be made again need not be `durable`: a power cut may then leave it empty.
    """
    target = os.path.realpath(path)
    with replacing(target) as temporary:
        with open(temporary, "xb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))


def append_text(path: StrPath, text: str) -> None:
    """Add `text` to the end of a file that others add to as well."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def replacing(target: StrPath) -> Iterator[str]:
    """A temporary path beside `target` that takes its place when the block ends well."""
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        os.makedirs(folder or ".", exist_ok=True)
    temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, target)
    except BaseException as error:
        name_file(error, target, temporary)
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def name_file(error: BaseException, path: StrPath, temporary: str) -> None:
    """Name `path` in an error that names no file, as that of `write` does, or only `temporary`."""
    if isinstance(error, OSError) and error.filename in {None, temporary}:
        error.filename = os.fspath(path)


def sync(path: StrPath) -> None:
    """Bring a file, or the names in a folder, to the disk. Raises OSError with the path."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    finally:
        os.close(handle)


def sync_folder(path: StrPath) -> None:
    """Bring the names in a folder to the disk, where its file system knows how to."""
    with suppress(OSError):
        sync(path)


def copy_file(source: StrPath, target: StrPath) -> None:
    """Write the content of `source` to `target`, whose mode is a new file's."""
    import shutil

    shutil.copyfile(source, target)


def remove_file(path: StrPath) -> None:
    """Remove a file; none there is no error."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def rename(source: StrPath, target: StrPath) -> None:
    """Move a file or a folder, to another file system too."""
    import shutil

    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)


def remove_tree(path: StrPath) -> None:
    """Remove a folder and all that is in it, as far as that can be done."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def hold(handle: int) -> None:
    """Lock an open file for as long as it, or a copy of it in a child process, stays open."""
    fcntl.flock(handle, fcntl.LOCK_EX)


def try_hold(handle: int) -> bool:
    """The same without waiting; whether it is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: StrPath) -> bool:
    """Whether some process holds the file `path`; a dead one holds nothing."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
