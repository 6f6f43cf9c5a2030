"""Copies, clones and links of files, made so that no reader ever sees a part of one."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat as stat_module
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mlctl.adapters.files import name_file
from mlctl.errors import InvalidInput, NotAble

PROTECTED = 0o444
_Maker = Callable[[str, str], None]
_SMALL = 256 * 1024
_FICLONE = 0x40049409
# What a file system answers where it cannot make this kind of link: then the next kind is tried.
_REFUSALS = {
    errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOTTY, errno.ENOSYS,
    errno.EINVAL, errno.EAGAIN,
}  # fmt: skip
_no_clone: set[tuple[int, int]] = set()  # pairs of devices between which no clone is possible


def temporary_name() -> str:
    """A name for a file under way, of the form that DVC too leaves behind when it is killed."""
    return f".{os.urandom(12).hex()}.tmp"


@contextmanager
def replacing(target: str, folder: str | None = None) -> Iterator[str]:
    """A temporary path that takes the place of `target` when the block ends well.

    It lies in `folder`, which must be of the same file system, or beside the target.
    """
    temporary = os.path.join(folder or os.path.dirname(target), temporary_name())
    try:
        yield temporary
        os.rename(temporary, target)
    except BaseException as error:
        name_file(error, target, temporary)
        with suppress(OSError):
            os.unlink(temporary)
        raise


def copy_file(source: str, target: str) -> os.stat_result:
    """Copy to the new file `target` (mode 0666 less the umask), as a clone where that is possible.

    Returns the source's stat after it was read, so that a caller sees whether it changed.
    """
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(reader).st_size
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            if size <= _SMALL:
                _write_all(writer, os.read(reader, _SMALL + 1))
            elif not _clone_handle(reader, writer):
                _pour(reader, writer, size)
        finally:
            os.close(writer)
        return os.fstat(reader)
    finally:
        os.close(reader)


def make_link(source: str, target: str, types: list[str], folder: str | None = None) -> None:
    """Put the cache object `source` at `target`, by the first of `types` that works.

    A type that the file systems refuse is taken out of `types`, so that it is tried once only. What
    is a file or link at `target` is replaced in one step. Raises NotAble where no type is left.
    """

    def make(maker: _Maker) -> None:
        with replacing(target, folder) as temporary:
            maker(source, temporary)

    _by_first_that_works(target, types, make)


def make_new_link(source: str, target: str, types: list[str]) -> None:
    """Do as `make_link` in a folder that nobody sees yet: no step in between, and none to take."""

    def make(maker: _Maker) -> None:
        try:
            maker(source, target)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(target)
            raise

    _by_first_that_works(target, types, make)


def _by_first_that_works(target: str, types: list[str], make: Callable[[_Maker], None]) -> None:
    for kind in tuple(types):  # several threads may share `types`
        if kind not in types:
            continue
        try:
            make(_MAKERS[kind])
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            with suppress(ValueError):
                types.remove(kind)
        else:
            return
    raise NotAble(
        f"{target}: no link type of `cache.type` works between here and the cache",
        hint="add `copy`: dvc config cache.type reflink,copy",
    )


def remove(path: str) -> None:
    """Remove a file, a link or a whole folder, read-only ones too; nothing there is no error."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat_module.S_ISDIR(mode):
        shutil.rmtree(path, onerror=_make_writable)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)


def unprotect(path: str) -> None:
    """Make a file, or every file of a folder, a plain writable copy, as `dvc unprotect` does."""
    if not os.path.exists(path):
        raise InvalidInput(f"{path}: does not exist")
    if os.path.isdir(path):
        names = [os.path.join(top, name) for top, _, files in os.walk(path) for name in files]
    else:
        names = [path]
    mode = 0o666 & ~current_umask()
    for name in names:
        if os.path.islink(name) or os.stat(name).st_nlink > 1:
            with replacing(name) as temporary:
                copy_file(name, temporary)
        os.chmod(name, mode)


def protect(path: str) -> None:
    """Make a cache object read-only, which means *trusted*; a file system may refuse that."""
    with suppress(OSError):
        os.chmod(path, PROTECTED)


def set_executable(path: str) -> None:
    """Let the owner execute the file, as DVC does for outs with `isexec`."""
    with suppress(OSError):
        os.chmod(path, stat_module.S_IMODE(os.stat(path).st_mode) | stat_module.S_IXUSR)


def without_links(path: str) -> str:
    """What a link stands for, since not every system's `link` call follows one."""
    return os.path.realpath(path) if os.path.islink(path) else path


def current_umask() -> int:
    """The umask; asking for it means setting it, so it is asked once, when this module loads."""
    return _UMASK


def _reflink(source: str, target: str) -> None:
    if sys.platform == "darwin":
        _clonefile(source, target)
        os.chmod(target, 0o666 & ~current_umask())
        return
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            if not _clone_handle(reader, writer):
                raise OSError(errno.ENOTSUP, "no clones here")
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _hardlink(source: str, target: str) -> None:
    if os.stat(source).st_size == 0:  # all empty files share one object, and links are limited
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    else:
        os.link(without_links(source), target)


def _copy(source: str, target: str) -> None:
    copy_file(source, target)


_MAKERS: dict[str, _Maker] = {
    "reflink": _reflink,
    "hardlink": _hardlink,
    "symlink": os.symlink,
    "copy": _copy,
}


def _clone_handle(reader: int, writer: int) -> bool:
    if sys.platform != "linux":
        return False
    pair = (os.fstat(reader).st_dev, os.fstat(writer).st_dev)
    if pair in _no_clone:
        return False
    try:
        fcntl.ioctl(writer, _FICLONE, reader)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        _no_clone.add(pair)
        return False
    return True


def _pour(reader: int, writer: int, size: int) -> None:
    """Copy by the kernel where it can, else through memory."""
    done = 0
    if sys.platform == "linux":
        try:
            while done < size and (step := os.copy_file_range(reader, writer, size - done)):
                done += step
        except OSError as error:
            if done or error.errno not in _REFUSALS:
                raise
    while data := os.read(reader, 1 << 20):
        _write_all(writer, data)


def _write_all(writer: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(writer, view) :]


def _clonefile(source: str, target: str) -> None:
    """macOS's clone of a file (APFS)."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if library.clonefile(os.fsencode(source), os.fsencode(target), 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _make_writable(_function: object, path: str, _error: object) -> None:
    """rmtree's second try: what stops it is a folder that is read-only."""
    for name in (os.path.dirname(path), path):
        if os.path.isdir(name) and not os.path.islink(name):
            os.chmod(name, stat_module.S_IMODE(os.stat(name).st_mode) | stat_module.S_IRWXU)
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _ask_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _ask_umask()
