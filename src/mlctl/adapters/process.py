"""Processes that answer and end: tools that we call and whose output we read.

Stages are not started here but by the executors, which own long-running process groups.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mlctl.errors import NotAble

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished process said."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


class ToolFailed(NotAble):
    """A tool that we called ended with an error; the message shows the command and what it said."""

    def __init__(self, result: Result) -> None:
        said = (result.stderr.strip() or result.stdout.strip() or "no output").replace("\n", "\n  ")
        super().__init__(
            f"`{shlex.join(result.argv)}` ended with exit code {result.code}:\n  {said}"
        )
        self.result = result


def call(
    argv: Sequence[str],
    *,
    cwd: StrPath | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> Result:
    """Run `argv` to its end and return what it printed; `env` is added to the environment.

    Raises NotAble where the tool is not installed, and ToolFailed where it fails and `check` is on.
    """
    return begin(argv, cwd=cwd, env=env, stdin=stdin, check=check)()


def begin(
    argv: Sequence[str],
    *,
    cwd: StrPath | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> Callable[[], Result]:
    """Start what `call` runs; the answer is to be called once, and waits for the end."""
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
    except FileNotFoundError:
        if shutil.which(argv[0]):
            raise  # the folder is missing, not the tool
        raise _not_installed(argv[0]) from None

    def end() -> Result:
        with process:
            try:
                stdout, stderr = process.communicate(stdin)
            except BaseException:
                process.kill()
                raise
        result = Result(tuple(argv), process.returncode, stdout, stderr)
        if check and result.code:
            raise ToolFailed(result)
        return result

    return end


def call_bytes(argv: Sequence[str], stdin: bytes, *, cwd: StrPath | None = None) -> bytes:
    """What `argv` prints when it is told `stdin`, byte for byte. Raises as `call` does."""
    try:
        done = subprocess.run(list(argv), cwd=cwd, input=stdin, capture_output=True)
    except FileNotFoundError:
        if shutil.which(argv[0]):
            raise
        raise _not_installed(argv[0]) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise ToolFailed(Result(tuple(argv), done.returncode, "", said))
    return done.stdout


def _not_installed(tool: str) -> NotAble:
    return NotAble(f"{tool!r} is not installed", hint=f"install {tool} and try again")


def find_tool(name: str) -> str | None:
    """Where PATH has the program `name`, or None."""
    return shutil.which(name)


def call_through(argv: Sequence[str], *, cwd: StrPath | None = None) -> int:
    """Run `argv` on our own stdin, stdout and stderr, and return its exit code."""
    return subprocess.run(list(argv), cwd=cwd).returncode


def call_into(argv: Sequence[str], log: StrPath, env: Mapping[str, str]) -> int:
    """Run `argv` with all that it prints going into the file `log`; its exit code.

    It stays in our process group, so that what ends us ends it. Raises NotAble where the program is
    not there or cannot be started.
    """
    with open(log, "ab") as file:
        try:
            return subprocess.run(
                list(argv),
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            ).returncode
        except FileNotFoundError:
            raise NotAble(f"{argv[0]!r} is not installed", hint="look at PATH") from None
        except OSError as error:  # no permission, no `#!` line, too long
            raise NotAble(f"{argv[0]!r} cannot be started: {error.strerror}") from None
