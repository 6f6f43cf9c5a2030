"""The entry point and the one error boundary: here errors become words and exit codes."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType, TracebackType

from mlctl import __version__
from mlctl.errors import ConfigError, MlctlError, NotAble, refused

INTERRUPTED, PIPE_CLOSED, BUG = 130, 141, 70
# Objects made between two collections. A pipeline of thousands of stages is a million small objects
# that all stay: Python's own 700 make the collector a fifth of the time.
_GARBAGE = 100_000
# The machine's fault, not ours: no permission, no space, a file that stands in the way.
_NOT_ABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
}
_NOT_ABLE |= {errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO}
_NOT_ABLE |= {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EXDEV}


def main(argv: list[str] | None = None) -> None:
    """The console script: runs `mlctl ARGV` and exits with its status."""
    args = sys.argv[1:] if argv is None else argv
    if args == ["--version"]:  # answered before typer is imported: it is asked by every CI step
        print(f"mlctl {__version__}")  # noqa: T201
        return
    gc.set_threshold(_GARBAGE)
    code = run(args)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE_CLOSED
    if code == PIPE_CLOSED:
        # The interpreter flushes stdout once more at exit, and would complain about the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run `mlctl ARGS` and return its exit code; everything that can go wrong is answered here."""
    from mlctl.cli._app import root_command

    try:
        result = root_command().main(args=args, prog_name="mlctl", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except MlctlError as error:
        _show(args, str(error), error.hint, error.exit_code, _place(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # typer itself answers a closed pipe by SystemExit
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _NOT_ABLE:
            return _bug(args, error)
        _show(args, str(refused(error)), None, NotAble.exit_code)
        return NotAble.exit_code
    except Exception as error:  # noqa: BLE001
        if hasattr(error, "format_message"):  # a usage error of typer's
            message = error.format_message()
            if message:  # none where the help was shown, for want of a command
                _show(args, message, _usage_hint(error), 2)
            return 2
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        return _bug(args, error)


def _show(
    args: list[str],
    message: str,
    hint: str | None,
    code: int,
    place: Mapping[str, str | int | None] = MappingProxyType({}),
) -> None:
    from mlctl.cli._output import error_text, print_json

    sys.stderr.write(error_text(message, hint))
    if "--json" in args:
        print_json("error", {"message": message, "hint": hint, "exit_code": code, **place})


def _place(error: MlctlError) -> dict[str, str | int | None]:
    """For machines: the file, YAML path and line that are wrong, where the error names them."""
    if not isinstance(error, ConfigError):
        return {}
    return {"file": error.file, "where": error.where, "line": error.line}


def _usage_hint(error: Exception) -> str | None:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context is not None else None


def _bug(args: list[str], error: Exception) -> int:
    log = _write_crash_log(args, error, error.__traceback__)
    _show(
        args,
        f"a bug in mlctl: {type(error).__name__}: {error}",
        f"the log is {log}; please report it with what you did",
        BUG,
    )
    return BUG


def _write_crash_log(args: list[str], error: Exception, trace: TracebackType | None) -> str:
    import platform
    import shlex
    import tempfile
    import traceback

    lines = [
        f"mlctl {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"$ mlctl {shlex.join(args)}",
        "".join(traceback.format_exception(type(error), error, trace)),
    ]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="mlctl-crash-", suffix=".log", delete=False
    ) as file:
        file.write("\n".join(lines))
    return file.name
