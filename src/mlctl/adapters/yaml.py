"""YAML 1.2, as DVC reads and writes it.

Reading takes libyaml (through PyYAML) for text on which it provably agrees with ruamel's YAML 1.2
reader, and ruamel itself on any doubt: what `load` returns is always what ruamel returns.
Writing is always ruamel, with DVC's settings.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import Any, NoReturn

from mlctl.errors import ConfigError, Unmerged

YamlPath = tuple[str | int, ...]

CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)

_OUTSIDE = re.compile(
    r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_START = r"(?:^|[-:?] |[\[{,]) *"  # where a token can start
_DOUBT = re.compile(
    rf"{_START}[&*!@`%?]|^(?:---|\.\.\.|=)|<<"
    r"|[|>][-+]?[0-9]|[|>][-+]? *#|[|>][-+]? +$|[|>][-+]?\n *$",
    re.MULTILINE,
)
_ESCAPE = re.compile(rf'{_START}"', re.MULTILINE)
_FLOW = re.compile(rf"{_START}([\[{{].*)", re.MULTILINE)
_SAFE_FLOW_ITEM = r"(?:[\w./+-][\w./+-]*(?: [\w./+-]+)*|'[^'\n]*'|\"[^\"\\\n]*\")"
_SAFE_FLOW = re.compile(
    rf"(?:\[ ?(?:{_SAFE_FLOW_ITEM}(?:, ?{_SAFE_FLOW_ITEM})*)? ?\]"
    rf"|\{{ ?(?:{_SAFE_FLOW_ITEM}: {_SAFE_FLOW_ITEM}"
    rf"(?:, ?{_SAFE_FLOW_ITEM}: {_SAFE_FLOW_ITEM})*)? ?\}}) *(?: #.*)?"
)

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_SURELY_STR = re.compile(
    r"=|[-+]?[0-9_.]+(?:[eE][-+]?[0-9]+)?|[-+]?0[box][0-9a-fA-F_]+"
    r"|[-+]?\.(?:inf|nan)|[0-9]{4}-[0-9].*",
    re.IGNORECASE,
)


class Doubt(Exception):
    """The quick reader and ruamel may differ here."""


def load(text: str, *, name: str) -> Any:
    """The one document in `text`, None where it is empty.

    Raises ConfigError (naming `name` and the line) for syntax errors and duplicate keys.
    """
    if not _doubtful(text):
        try:
            return _fast_load(text)
        except (Doubt, UnicodeEncodeError, RecursionError):
            pass
    return _ruamel_load(text, name, typ="safe")


def load_roundtrip(text: str, *, name: str = "YAML") -> Any:
    """The document with its comments and layout, to be edited and dumped again."""
    return _ruamel_load(text, name, typ="rt")


def dump(data: Any) -> str:
    """`data` as DVC writes a YAML file."""
    from collections import OrderedDict

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.Representer.add_representer(OrderedDict, yaml.Representer.represent_dict)
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def dump_roundtrip(data: Any) -> str:
    """What `load_roundtrip` read, after edits, as DVC writes it back."""
    return dump(data)


def reads_as_str(value: str) -> bool:
    """Whether the plain (unquoted) scalar `value` is surely a string, for whoever writes YAML."""
    return value not in _WORDS and not _NOT_SURELY_STR.fullmatch(value)


def line_of(text: str, path: YamlPath) -> int | None:
    """The 1-based line of the entry at `path`, or of its nearest parent that exists.

    None where the text does not parse. Slow; for error messages.
    """
    return lines_of(text)(path)


def lines_of(text: str) -> Callable[[YamlPath], int | None]:
    """`line_of` for many paths of one text, which is parsed once."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        top = YAML().compose(text)
    except (YAMLError, *_RUAMEL_BUGS):
        top = None

    def line(path: YamlPath) -> int | None:
        if top is None:
            return None
        node, found = top, int(top.start_mark.line)
        for step in path:
            entry = _child(node, step)
            if entry is None:
                break
            mark, node = entry
            found = int(mark.line)
        return found + 1

    return line


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if node.id == "sequence":
        if isinstance(step, int) and 0 <= step < len(node.value):
            return node.value[step].start_mark, node.value[step]
    elif node.id == "mapping":
        for key, value in node.value:
            if key.id == "scalar" and key.value == str(step):
                return key.start_mark, value
    return None


# What ruamel raises of its own on odd scalars and deep nesting, beside YAMLError.
_RUAMEL_BUGS = (
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
)


_PLACE = ' in "<unicode string>"'
_HINTS = (
    (r"'\t'", "indent with spaces, not with tabs"),
    ("<block end>", "compare its indentation with that of the lines above"),
    ("duplicate key", "keep one of the two"),
)


def _ruamel_load(text: str, name: str, *, typ: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ=typ).load(text)
    except (YAMLError, *_RUAMEL_BUGS) as error:
        _raise_config_error(error, text, name)


def _raise_config_error(error: Exception, text: str, name: str) -> NoReturn:
    conflict = CONFLICT.search(text)
    if conflict:
        raise Unmerged(
            "holds git conflict markers",
            file=name,
            line=text.count("\n", 0, conflict.start()) + 1,
            hint="resolve the merge conflict, then try again",
        ) from None
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    problem = " ".join(str(problem).split()).replace("'<stream end>'", "the end of the file")
    hints = [hint for sign, hint in _HINTS if sign in problem]
    raise ConfigError(
        f"not valid YAML: {problem.partition(_PLACE)[0]}",
        file=name,
        line=None if mark is None else mark.line + 1,
        hint=hints[0] if hints else None,
    ) from None


def _doubtful(text: str) -> bool:
    if _OUTSIDE.search(text) or _DOUBT.search(text):
        return True
    if "\\" in text and _ESCAPE.search(text):
        return True
    return any(not _SAFE_FLOW.fullmatch(found[1]) for found in _FLOW.finditer(text))


def _fast_load(text: str) -> Any:
    import yaml

    parser = _parser()
    if parser is None:
        raise Doubt
    try:
        node = parser(text).get_single_node()
    except yaml.YAMLError:
        raise Doubt from None  # ruamel gives the message, or reads it after all
    if node is None:
        return None
    if node.id == "scalar":
        raise Doubt  # the readers differ on a block scalar that is the whole document
    return _build(node)


@cache
def _parser() -> Callable[[str], Any] | None:
    """libyaml's parser, which marks scalars as plain or quoted instead of resolving them."""
    import yaml

    if not yaml.__with_libyaml__:
        return None

    class Parser(yaml.CSafeLoader):
        def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str:
            return "plain" if isinstance(implicit, tuple) and implicit[0] else "quoted"

        def descend_resolver(self, _node: Any, _index: Any) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    return Parser


def _build(node: Any) -> Any:
    value = node.value
    if node.id == "scalar":
        return scalar(value) if node.tag == "plain" else value
    if node.id == "sequence":
        return [_build(item) for item in value]
    built = {}
    for key, item in value:
        if key.id != "scalar":
            raise Doubt
        built[_build(key)] = _build(item)
    if len(built) != len(value):
        raise Doubt  # duplicate keys: ruamel says where
    return built


@lru_cache(maxsize=8192)
def scalar(value: str) -> Any:
    """What the plain (unquoted) scalar `value` means. Raises Doubt where only ruamel knows."""
    if value in _WORDS:
        return _WORDS[value]
    if not _NOT_SURELY_STR.fullmatch(value):
        return value
    try:
        if _INT.fullmatch(value):
            return int(value)
        if _FLOAT.fullmatch(value):
            return float(value)
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Doubt
