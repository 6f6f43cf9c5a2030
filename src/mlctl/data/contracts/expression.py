"""The language of cross-column checks: `start <= end and amount >= 0`.

    or, and, not      in this order, weakest first
    == != < <= > >=   may be chained: 0 <= a <= b
    x in [1, 2]       x not in [...], x is null, x is not null
    + - * / %         and a minus sign
    abs(x) length(x)  date("2026-01-31"), datetime("2026-01-31T12:00:00")

Names are columns (`any text` in backticks), text stands in quotes, and true, false and numbers are
as in YAML. Nothing of Python is evaluated. This module only parses; `compile` gives it meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn

Scalar = bool | int | float | str | date | datetime
FUNCTIONS = ("abs", "length")
_MAX_DEPTH = 50
_MAX_TOKENS = 300

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<quoted>`[^`]+`)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol>==|!=|<=|>=|[-+*/%<>()\[\],])
    )""",
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


class ExpressionError(ValueError):
    """The text is not an expression; the message says what and at which character (from 1)."""


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column in the row at hand."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function on its operands; `op` is the symbol or the name, `neg` the sign."""

    op: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Whether the value is one of the constants."""

    operand: Node
    values: tuple[Scalar, ...]


Node = Column | Literal | Apply | Member


def parse(text: str) -> Node:
    """The tree of `text`. Raises ExpressionError."""
    parser = _Parser(text, _tokens(text))
    node = parser.disjunction()
    if parser.kind != "end":
        parser.fail("expected an operator")
    return node


def columns(node: Node) -> frozenset[str]:
    """The columns that the expression reads."""
    match node:
        case Column(name):
            return frozenset({name})
        case Apply(_, operands):
            return frozenset().union(*map(columns, operands))
        case Member(operand, _):
            return columns(operand)
    return frozenset()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"{text[at]!r} at character {at + 1} means nothing here")
        kind = match.lastgroup or ""
        word = match[kind]
        if kind == "word" and word in _WORDS:
            kind = word
        found.append(_Token(kind, word, match.start(match.lastgroup or 0)))
        at = match.end()
    if len(found) > _MAX_TOKENS:
        raise ExpressionError(f"longer than {_MAX_TOKENS} words and symbols; split it")
    found.append(_Token("end", "", end))
    return found


class _Parser:
    """Recursive descent; each method parses one level of the grammar and leaves what follows."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._next].kind

    def fail(self, message: str) -> NoReturn:
        token = self._tokens[self._next]
        place = f"at {token.text!r}, character {token.at + 1}" if token.text else "at the end"
        raise ExpressionError(f"{message} {place}")

    def disjunction(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.fail("nested too deeply")
        node = self._conjunction()
        while self._take("or"):
            node = Apply("or", (node, self._conjunction()))
        self._depth -= 1
        return node

    def _conjunction(self) -> Node:
        node = self._negation()
        while self._take("and"):
            node = Apply("and", (node, self._negation()))
        return node

    def _negation(self) -> Node:
        flips = 0
        while self._take("not"):
            flips += 1
        node = self._comparison()
        return Apply("not", (node,)) if flips % 2 else node

    def _comparison(self) -> Node:
        left = self._sum()
        if self._take("is"):
            op = "is not null" if self._take("not") else "is null"
            self._expect("null")
            return Apply(op, (left,))
        if self.kind in {"in", "not"}:
            negated = self._take("not")
            self._expect("in")
            member = Member(left, self._list())
            return Apply("not", (member,)) if negated else member
        node: Node | None = None
        while (sign := self._symbol(*_COMPARISONS)) is not None:
            right = self._sum()
            link = Apply(sign, (left, right))
            node = link if node is None else Apply("and", (node, link))
            left = right
        return left if node is None else node

    def _sum(self) -> Node:
        node = self._product()
        while (op := self._symbol("+", "-")) is not None:
            node = Apply(op, (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._signed()
        while (op := self._symbol("*", "/", "%")) is not None:
            node = Apply(op, (node, self._signed()))
        return node

    def _signed(self) -> Node:
        negative = False
        while self._symbol("-") is not None:
            negative = not negative
        node = self._atom()
        if not negative:
            return node
        if isinstance(node, Literal) and isinstance(node.value, int | float):
            return Literal(-node.value)
        return Apply("neg", (node,))

    def _atom(self) -> Node:
        token = self._tokens[self._next]
        if self._symbol("(") is not None:
            node = self.disjunction()
            self._close(")")
            return node
        if token.kind == "quoted":
            self._next += 1
            return Column(token.text[1:-1])
        if token.kind == "word":
            self._next += 1
            return self._call(token.text) if self._symbol("(") is not None else Column(token.text)
        return Literal(self._scalar())

    def _call(self, name: str) -> Node:
        if name in {"date", "datetime"}:
            return Literal(self._moment(name))
        if name not in FUNCTIONS:
            self._next -= 2
            self.fail(f"no function is called {name!r} (there are {', '.join(FUNCTIONS)}, date)")
        node = Apply(name, (self.disjunction(),))
        self._close(")")
        return node

    def _moment(self, name: str) -> date | datetime:
        token = self._tokens[self._next]
        if token.kind != "text":
            self.fail(f"expected {name}('...')")
        try:
            read = date.fromisoformat if name == "date" else datetime.fromisoformat
            value = read(token.text[1:-1])
        except ValueError:
            self.fail(f"not an ISO {name}")
        self._next += 1
        self._close(")")
        return value

    def _list(self) -> tuple[Scalar, ...]:
        self._close("[")
        values = [self._scalar()]
        while self._symbol(",") is not None:
            values.append(self._scalar())
        self._close("]")
        return tuple(values)

    def _scalar(self) -> Scalar:
        negative = self._symbol("-") is not None
        token = self._tokens[self._next]
        if token.kind == "number":
            self._next += 1
            value = int(token.text) if token.text.isdecimal() else float(token.text)
            return -value if negative else value
        if token.kind in {"text", "true", "false"} and not negative:
            self._next += 1
            return token.text[1:-1] if token.kind == "text" else token.kind == "true"
        return self.fail("expected a value")

    def _take(self, kind: str) -> bool:
        if self.kind != kind:
            return False
        self._next += 1
        return True

    def _expect(self, kind: str) -> None:
        if not self._take(kind):
            self.fail(f"expected {kind!r}")

    def _symbol(self, *symbols: str) -> str | None:
        token = self._tokens[self._next]
        if token.kind != "symbol" or token.text not in symbols:
            return None
        self._next += 1
        return token.text

    def _close(self, symbol: str) -> None:
        if self._symbol(symbol) is None:
            self.fail(f"expected {symbol!r}")
