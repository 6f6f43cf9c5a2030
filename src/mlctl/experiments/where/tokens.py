"""The words of a filter, each with its place, so that an error can point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from mlctl.errors import InvalidInput

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<range>\.\.)
  | (?P<date>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?![\w]))
  | (?P<age>\d+(?:\.\d+)?(?:ms|mo|s|m|h|d|w|y)(?![\w.]))
  | (?P<number>[+-]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
  | (?P<sign><=|>=|!=|==|=|<|>|!~|~|\(|\)|,)
  | (?P<word>(?:[^\s()<>=!~,"'`.]|`[^`]+`|\.(?!\.))+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is string, range, date, age, number, sign, word or end; `at` counts characters."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the language's own words, in any case."""
        return self.kind == "word" and self.text.lower() in words


def tokens(text: str) -> list[Token]:
    """The tokens of a filter, an `end` last. Raises InvalidInput that points at what is none."""
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            quoted = text[start] in "\"'`"
            said = "a quote that is not closed" if quoted else f"what is {text[start]!r}?"
            fail(text, start, said)
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, Token("end", "", end)]


def unquoted(text: str) -> str:
    """What a quoted text says."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def fail(text: str, at: int, said: str, hint: str | None = None) -> NoReturn:
    """Raise InvalidInput that shows the filter, and where in it."""
    raise InvalidInput(f"--where: {said}\n  {text}\n  {' ' * at}^", hint=hint)
