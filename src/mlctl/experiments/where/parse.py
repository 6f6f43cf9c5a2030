"""A filter as a tree.

either   = both ("or" both)*
both     = one ("and" one)*
one      = "not" one | "(" either ")" | field test
test     = ("=" | "!=" | "<" | "<=" | ">" | ">=") value | "=" range | ["not"] "in" set
         | ["not"] "contains" value | ("~" | "!~") regex | "is" ["not"] "null"
set      = range | "(" value ("," value)* ")"
range    = value ".." value
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlctl.experiments.where.tokens import Token, fail, tokens, unquoted

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
DEEPEST, MOST = 20, 500  # of what is in one another, and of tests: what SQLite takes
_WORDS = ("and", "or", "not", "in", "contains", "is")
_TESTS = f"one of {' '.join(COMPARISONS)} ~ in contains is"


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is written: `kind` is string, word, number, date or age."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Test:
    """A field and what is asked of it: a comparison, `range`, `in`, `contains`, `~` or `null`."""

    field: str
    at: int
    what: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """All but these."""

    of: Node


@dataclass(frozen=True, slots=True)
class Several:
    """All of these, or with `either` one of them."""

    of: tuple[Node, ...]
    either: bool


Node = Test | Not | Several


def parse(text: str) -> Node:
    """The tree of a filter. Raises InvalidInput that points at what is wrong."""
    reader = _Reader(text)
    node = reader.either()
    if reader.next.kind != "end":
        reader.fail("`and` or `or` is expected here")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0
        self._tests = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def fail(self, said: str) -> None:
        fail(self._text, self.next.at, said)

    def either(self) -> Node:
        nodes = [self._both()]
        while self._taken("or"):
            nodes.append(self._both())
        return nodes[0] if len(nodes) == 1 else Several(tuple(nodes), either=True)

    def _both(self) -> Node:
        nodes = [self._one()]
        while self._taken("and"):
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else Several(tuple(nodes), either=False)

    def _one(self) -> Node:
        if self._depth > DEEPEST:
            self.fail("this is too deep")
        self._depth += 1
        node = self._unit()
        self._depth -= 1
        return node

    def _unit(self) -> Node:
        if self._taken("not"):
            return Not(self._one())
        if self._taken_sign("("):
            node = self.either()
            self._expect(")")
            return node
        field = self.next
        if field.kind != "word" or field.is_word(*_WORDS):
            self.fail("the name of a field is expected here, such as metrics.auc")
        self._at += 1
        self._tests += 1
        if self._tests > MOST:
            fail(self._text, field.at, f"a filter has at most {MOST} tests")
        return self._test(field)

    def _test(self, field: Token) -> Node:
        name = field.text.replace("`", "")
        sign = self.next
        if sign.kind == "sign" and sign.text in (*COMPARISONS, "==", "~", "!~"):
            self._at += 1
            return self._compared(name, field.at, "=" if sign.text == "==" else sign.text)
        if self._taken("is"):
            denied = self._taken("not")
            if not self._taken("null"):
                self.fail("`null` is expected here")
            return _denied(Test(name, field.at, "null"), denied)
        denied = self._taken("not")
        if self._taken("in"):
            return _denied(self._among(name, field.at), denied)
        if self._taken("contains"):
            return _denied(Test(name, field.at, "contains", (self._value(),)), denied)
        self.fail(f"{_TESTS} is expected here")
        raise AssertionError

    def _compared(self, name: str, at: int, what: str) -> Node:
        value = self._value()
        if what in ("~", "!~"):
            self._check_regex(value)
            return _denied(Test(name, at, "~", (value,)), what == "!~")
        if self.next.kind == "range":
            if what not in ("=", "!="):
                self.fail(f"no range may follow {what}")
            return _denied(self._range(name, at, value), what == "!=")
        return Test(name, at, what, (value,))

    def _among(self, name: str, at: int) -> Test:
        if not self._taken_sign("("):
            first = self._value()
            if self.next.kind != "range":
                self.fail("a range, 0.8..0.9, or a list in parentheses is expected after `in`")
            return self._range(name, at, first)
        values = [self._value()]
        if self.next.kind == "range":
            ranged = self._range(name, at, values[0])
            self._expect(")")
            return ranged
        while self._taken_sign(","):
            values.append(self._value())
        self._expect(")")
        return Test(name, at, "in", tuple(values))

    def _range(self, name: str, at: int, first: Value) -> Test:
        self._at += 1
        return Test(name, at, "range", (first, self._value()))

    def _value(self) -> Value:
        token = self.next
        if token.kind not in ("string", "word", "number", "date", "age"):
            self.fail("a value is expected here")
        self._at += 1
        text = unquoted(token.text) if token.kind == "string" else token.text
        return Value(token.kind, text, token.at)

    def _check_regex(self, value: Value) -> None:
        try:
            re.compile(value.text)
        except re.error as error:
            fail(self._text, value.at, f"no regular expression: {error}")

    def _taken(self, word: str) -> bool:
        taken = self.next.is_word(word)
        self._at += taken
        return taken

    def _taken_sign(self, sign: str) -> bool:
        taken = self.next.kind == "sign" and self.next.text == sign
        self._at += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._taken_sign(sign):
            self.fail(f"`{sign}` is expected here")


def _denied(node: Node, denied: bool) -> Node:
    return Not(node) if denied else node
