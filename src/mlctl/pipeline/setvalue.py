"""One override, `key=value` in Hydra's grammar (hydra/grammar/OverrideParser.g4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from mlctl.errors import InvalidInput

Kind = Literal["", "+", "++", "~"]
_OVERRIDE = re.compile(r"(\+\+|\+|~)?((?:[^=:]*:)?)([^=:]+?)(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Override:
    """One parsed override; `value` is None for a bare deletion."""

    text: str
    kind: Kind
    key: tuple[str, ...]
    value: Any
    has_value: bool


def parse(text: str) -> Override:
    """The override in `text`; a file before a colon is not read here. Raises InvalidInput."""
    match = _OVERRIDE.fullmatch(text)
    kind = match[1] or "" if match else ""
    if match is None or (match[4] is None and kind != "~"):
        raise InvalidInput(f"-S {text}: expected KEY=VALUE", hint="for example -S train.lr=0.1")
    key = tuple(match[3].split("."))
    if not all(part and part == part.strip() for part in key):
        raise InvalidInput(f"-S {text}: {match[3]!r} is not a dotted name")
    has_value = match[4] is not None
    value = parse_value(match[4], text) if has_value else None
    return Override(text, kind, key, value, has_value)  # type: ignore[arg-type]


_INT = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_FLOAT = re.compile(
    r"[+-]?(?:(?:(?:0|[1-9](?:_?[0-9])*)\.(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?|(?:0|[1-9](?:_?[0-9])*)[eE][+-]?[0-9](?:_?[0-9])*"
    r"|(?i:inf|nan))"
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_WORD = re.compile(r"(?:\\.|[^,:\[\]{}()'\"\\=]|:(?=[^\s,\]}]))+", re.DOTALL)
_TOP_WORD = re.compile(r"(?:\\.|[^,\[\]{}()'\"\\])+", re.DOTALL)
_SPACE = re.compile(r"[ \t\n]*")


def parse_value(text: str, override: str) -> Any:
    """What stands after the equals sign. Raises InvalidInput, naming the whole `override`."""
    if not text.strip():
        return ""
    parser = _Parser(text, override)
    value = parser.value(_TOP_WORD)
    parser.skip()
    if parser.at < len(text):
        parser.fail()
    return value


def split_values(text: str, override: str) -> list[str]:
    """The texts of the values that commas separate in `text`, lists and quotes kept whole."""
    if not text.strip():
        return [text]
    parser = _Parser(text, override)
    found = []
    while True:
        start = parser.at
        parser.value(_TOP_WORD)
        found.append(text[start : parser.at].strip())
        if not parser.take(","):
            break
    if parser.at < len(text):
        parser.fail()
    return found


class _Parser:
    def __init__(self, text: str, override: str) -> None:
        self.text = text
        self.override = override
        self.at = 0

    def fail(self) -> NoReturn:
        rest = self.text[self.at :]
        hint = "put the value in quotes: -S 'key=\"…\"'"
        if rest.startswith(","):
            hint = "several values are a list, key=[1,2], or a sweep, which `mlctl exp run` does"
        raise InvalidInput(
            f"-S {self.override}: cannot read {rest or 'an empty value'!r}", hint=hint
        )

    def skip(self) -> str:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def take(self, mark: str) -> bool:
        if self.skip() != mark:
            return False
        self.at += 1
        return True

    def value(self, word: re.Pattern[str] = _WORD) -> Any:
        """The value that starts here: a list, a dict, a quoted string or a plain one."""
        first = self.skip()
        if first == "[":
            return self.items()
        if first == "{":
            return self.pairs()
        quoted = _QUOTED.match(self.text, self.at)
        if quoted:
            self.at = quoted.end()
            quote = quoted[0][0]
            return re.sub(rf"\\({quote}|\\(?=\\*{quote}|$))", r"\1", quoted[0][1:-1])
        plain = word.match(self.text, self.at)
        if plain is None:
            self.fail()
        self.at = plain.end()
        if self.text[self.at : self.at + 1] in ("(", "'", '"'):
            self.fail()
        return scalar(plain[0].strip())

    def items(self) -> list[Any]:
        self.at += 1
        values: list[Any] = []
        if self.take("]"):
            return values
        while True:
            values.append(self.value())
            if self.take("]"):
                return values
            if not self.take(","):
                self.fail()

    def pairs(self) -> dict[Any, Any]:
        self.at += 1
        values: dict[Any, Any] = {}
        if self.take("}"):
            return values
        while True:
            key = self.value(re.compile(r"[^,:\[\]{}()'\"\\=]+"))
            if isinstance(key, (list, dict)) or not self.take(":"):
                self.fail()
            values[key] = self.value()
            if self.take("}"):
                return values
            if not self.take(","):
                self.fail()


def scalar(word: str) -> Any:
    """An unquoted word: a number, a boolean, null, or a string."""
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    if word.lower() == "null":
        return None
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word):
        return float(word)
    return re.sub(r"\\([\\()\[\]{}:=, \t])", r"\1", word)
