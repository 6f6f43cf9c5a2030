"""The text of `dvc.lock`: one piece for each stage, and whether DVC's round trip would keep it.

DVC loads the whole lock through ruamel's round trip and dumps it again for every stage. A piece is
*canonical* when that gives it back as it was; then it need not be dumped again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mlctl.adapters import yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import emit

HEAD = "schema: '2.0'\nstages:\n"

_STAGES = re.compile(r"^stages:\n", re.MULTILINE)
_SHALLOW = re.compile(r"\n( {0,2})([^ \n][^\n]*)")
_ANCHOR = re.compile(r"[-:] [&*]\S")

_WORD = r"""[!"$-9;-~]++"""
_VALUE = (
    r"(?!(?i:true|false|null)\n)(?:\.{0,2}/|[A-Za-z]|\.[a-hj-mo-z])"
    r"""[!"$-9;-~]*+"""
    rf"(?: {_WORD})*+\n"
)
_KEY = r"(?!(?i:true|false|null):)(?:\.{0,2}/|[A-Za-z_])[A-Za-z0-9_./@+=,-]{0,80}:"
_INT = r"(?:0|[1-9][0-9]{0,17})\n"
_FLOAT = r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,15}\n"
_DIGEST = r"(?!0[bx])(?=[0-9e]*[abcdf])[0-9a-f]{32}(?:\.dir)?\n"
_FIELD = rf"hash: md5\n|md5: {_DIGEST}|size: {_INT}|nfiles: {_INT}|isexec: true\n"
_PATHS = rf"(?:    - path: (?=.{{0,68}}\n){_VALUE}(?:      (?:{_FIELD}))*+)++"
_PARAMS = (
    rf"(?:      {_KEY}\n"
    rf"(?:        (?=.{{0,72}}\n){_KEY} (?:{_FLOAT}|{_INT}|(?:true|false)\n|{_VALUE}))++)++"
)
# A stage as DVC writes most of them; whether the command is folded as DVC folds it is asked apart.
_USUAL = re.compile(
    r"    cmd:(?P<cmd> [^\n]++\n(?:      [^\n]++\n)*+)"
    rf"(?:    deps:\n(?P<deps>{_PATHS}))?"
    rf"(?:    params:\n(?P<params>{_PARAMS}))?"
    rf"(?:    outs:\n(?P<outs>{_PATHS}))?"
)


def split(text: str) -> tuple[str, dict[str, str], str] | None:
    """What stands before the stages, the text of each stage by its name, and what comes after.

    None where the round trip would change any of it, or where the pieces are not plain to see.
    """
    start = _STAGES.search(text)
    if start is None or not text.endswith("\n"):
        return None
    stages: dict[str, str] = {}
    end = start.end()
    try:
        for key, begin, _, end in _pieces(text, start.end()):
            name, piece = _stage_name(key), text[begin:end]
            if name is None or name in stages or not _is_canonical(piece):
                return None
            stages[name] = piece
    except yaml.Doubt:
        return None
    before, after = text[: start.end()], text[end:]
    if (before != HEAD or after) and not _survives_around(before, after):
        return None
    return (before, stages, after) if stages else None


def _survives_around(before: str, after: str) -> bool:
    comments = re.search(r"^(?:#|\n)", before + after, re.MULTILINE)
    return comments is None and _survives(f"{before}  a: 1\n{after}")


def bodies(text: str) -> dict[str, Any] | None:
    """The YAML data of each stage of a lock with nothing but stages, read without a YAML parser
    where that is surely the same; None where the whole must be parsed.
    """
    if not text.startswith(HEAD) or not text.endswith("\n"):
        return None
    found: dict[str, Any] = {}
    stop = 0
    try:
        for key, begin, body, stop in _pieces(text, len(HEAD)):
            usual = _USUAL.fullmatch(text, body, stop)
            if usual and emit.is_plain_key(key):
                name, data = key, _usual_body(usual)
            else:
                [(name, data)] = yaml.load(text[begin:stop], name="dvc.lock").items()
            if name in found:
                return None
            found[name] = data
    except (yaml.Doubt, ConfigError, ValueError, AttributeError):
        return None
    return found if stop == len(text) else None


def _pieces(text: str, start: int) -> Iterator[tuple[str, int, int, int]]:
    """For each stage: its key, and where its text, its body and the next stage begin.

    Raises Doubt where another line stands as far left as the stages' names do.
    """
    key, begin, body = "", start, 0
    for mark in _SHALLOW.finditer(text, start - 1):
        if body:
            yield key, begin, body, mark.start() + 1
        elif mark.start() + 1 != start:
            raise yaml.Doubt
        if not mark[1]:
            return
        if mark[1] != "  " or mark[2][-1] != ":":
            raise yaml.Doubt
        key, begin, body = mark[2][:-1], mark.start() + 1, mark.end() + 1
    if body:
        yield key, begin, body, len(text)


def _stage_name(key: str) -> str | None:
    if emit.is_plain_key(key):
        return key
    try:
        name = yaml.load(key, name="dvc.lock")
    except ConfigError:
        return None
    return name if isinstance(name, str) else None


@lru_cache(maxsize=20_000)
def _is_canonical(piece: str) -> bool:
    """Whether the round trip keeps this text of a stage."""
    body = piece.index("\n") + 1
    usual = _USUAL.fullmatch(piece, body)
    if usual and emit.is_plain_key(piece[2 : body - 2]) and _command(usual["cmd"]) is not None:
        return True
    return not _ANCHOR.search(piece) and _survives(f"stages:\n{piece}")


def has_comments(piece: str) -> bool:
    """Whether a stage's text holds more than its data: comments, other number formats."""
    text = f"stages:\n{piece}"
    return yaml.dump(yaml.load(text, name="dvc.lock")) != text


def _survives(text: str) -> bool:
    try:
        data = yaml.load(text, name="dvc.lock")
        if isinstance(data, dict) and "".join(emit.mapping_lines(data, 0)) == text:
            return True
    except ConfigError:
        return False
    except emit.NotPlain:
        # The round trip loses the last digit of some floats: what DVC just wrote is kept as it is.
        if yaml.dump(data) == text:
            return True
    try:
        return yaml.dump_roundtrip(yaml.load_roundtrip(text, name="dvc.lock")) == text
    except ConfigError:
        return False


def _command(written: str) -> str | None:
    """The command behind `    cmd:` as written, or None where DVC would write it otherwise."""
    value = " ".join(line.strip(" ") for line in written.split("\n")[:-1])
    try:
        return value if emit.plain(value, 8, 6) + "\n" == written else None
    except emit.NotPlain:
        return None


def _usual_body(usual: re.Match[str]) -> dict[str, Any]:
    cmd = _command(usual["cmd"])
    if cmd is None:
        raise yaml.Doubt
    body: dict[str, Any] = {"cmd": cmd}
    if usual["deps"]:
        body["deps"] = _usual_paths(usual["deps"])
    if usual["params"]:
        body["params"] = _usual_params(usual["params"])
    if usual["outs"]:
        body["outs"] = _usual_paths(usual["outs"])
    return body


def _usual_paths(lines: str) -> list[dict[str, Any]]:
    items = []
    for piece in lines[len("    - ") : -1].split("\n    - "):
        pairs = [line.split(": ", 1) for line in piece.split("\n      ")]
        item: dict[str, Any] = dict(pairs)
        if len(item) < len(pairs):
            raise yaml.Doubt
        for key in ("size", "nfiles"):
            if key in item:
                item[key] = int(item[key])
        if "isexec" in item:
            item["isexec"] = True
        items.append(item)
    return items


def _usual_params(lines: str) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    values: dict[str, Any] = {}
    for line in lines[:-1].split("\n"):
        if line[6] != " ":
            values = {}
            if params.setdefault(line[6:-1], values) is not values:
                raise yaml.Doubt
            continue
        key, value = line[8:].split(": ", 1)
        if key in values:
            raise yaml.Doubt
        values[key] = yaml.scalar(value)
    return params
