r"""`${name}` in strings: the grammar, and rendering against a scope of plain values.

A reference is `word(.word | [word])*` where a word holds none of `.[]`; blanks around words do not
count. `\${` is a literal `${`. A string that is one reference keeps the type of its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

from mlctl.errors import did_you_mean, suggestion
from mlctl.pipeline.params import dotted_names
from mlctl.pipeline.template.command import Parsing, to_text
from mlctl.pipeline.template.problem import TemplateError

Scope = Mapping[str, Any]
Allow = Literal["scalars", "mappings", "anything"]

_REFERENCE = re.compile(r"(?<!\\)\$\{(.*?)\}")
_FIRST_WORD = re.compile(r"[^.\[\]]+")
_NEXT_WORD = re.compile(r"(?:(?<=\])[ \n\r\t]+)?(?:\.([^.\[\]]+)|\[([^.\[\]]+)\])")
_END = re.compile(r"[ \n\r\t]*$")
_DEFAULT = Parsing()


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}`: the text between the braces, and the names that it walks."""

    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value with nothing to render in it."""

    value: Any


Renderer = Callable[[Scope], Any]


@lru_cache(maxsize=16384)
def compiled(text: str) -> str | Reference | tuple[str | Reference, ...]:
    """A string ready to render: itself, one reference, or pieces of both.

    Raises TemplateError for a reference that is not well formed.
    """
    pieces: list[str | Reference] = []
    start = 0
    for found in _REFERENCE.finditer(text):
        if found.start() > start:
            pieces.append(text[start : found.start()])
        pieces.append(_reference(found[1]))
        start = found.end()
    if not pieces:
        return _unescaped(text)
    if start < len(text):
        pieces.append(text[start:])
    if len(pieces) == 1 and isinstance(pieces[0], Reference):
        return pieces[0]
    return tuple(pieces)


def has_reference(value: Any) -> bool:
    """Whether any string in `value`, keys included, holds an unescaped `${...}`."""
    if isinstance(value, str):
        return _REFERENCE.search(value) is not None
    if isinstance(value, dict):
        return any(has_reference(key) or has_reference(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_reference, value))


def prepared(value: Any, allow: Allow, parsing: Parsing = _DEFAULT) -> Constant | Renderer:
    """`value` ready to be rendered many times, in lists, mappings and their keys too.

    Raises TemplateError, whose path leads into `value`, for a malformed reference; the renderer
    raises it for one that names nothing.
    """
    if isinstance(value, str):
        return _prepared_text(value, allow, parsing)
    if isinstance(value, list):
        items = [_prepared_at(i, item, allow, parsing) for i, item in enumerate(value)]
        if all(isinstance(item, Constant) for item in items):
            return Constant([item.value for item in items if isinstance(item, Constant)])
        return _list_renderer([_renderer(item) for item in items])
    if isinstance(value, dict):
        entries = {key: _prepared_at(key, item, allow, parsing) for key, item in value.items()}
        keys = [_prepared_at(key, key, allow, parsing) for key in value]
        if all(isinstance(item, Constant) for item in (*keys, *entries.values())):
            return Constant(_mapping_renderer(keys, entries)({}))
        return _mapping_renderer(keys, entries)
    return Constant(value)


def render(value: Any, scope: Scope, allow: Allow, parsing: Parsing = _DEFAULT) -> Any:
    """`value` with every reference replaced; raises TemplateError, whose path leads into it."""
    ready = prepared(value, allow, parsing)
    return ready.value if isinstance(ready, Constant) else ready(scope)


def select(reference: Reference, scope: Scope) -> Any:
    """The value that a reference names; raises TemplateError where there is none."""
    node: Any = scope
    try:
        for name in reference.names:
            node = node[int(name)] if isinstance(node, list) else _mapping(node)[name]
    except (LookupError, ValueError):
        raise TemplateError(
            f"could not find '{reference.text.strip()}'", hint=_hint(reference, scope)
        ) from None
    return node


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, dict) else {}


def _prepared_text(text: str, allow: Allow, parsing: Parsing) -> Constant | Renderer:
    template = compiled(text)
    if isinstance(template, str):
        return Constant(template)
    if isinstance(template, Reference):
        reference = template

        def whole(scope: Scope) -> Any:
            value = select(reference, scope)
            _check_allowed(value, reference, allow)
            return value

        return whole

    def joined(scope: Scope) -> str:
        parts = []
        for piece in template:
            if isinstance(piece, str):
                parts.append(piece)
                continue
            value = select(piece, scope)
            if not isinstance(value, str):
                _check_allowed(value, piece, allow)
                value = to_text(value, parsing)
            parts.append(value)
        return _unescaped("".join(parts))

    return joined


def _prepared_at(step: Any, item: Any, allow: Allow, parsing: Parsing) -> Constant | Renderer:
    try:
        return prepared(item, allow, parsing)
    except TemplateError as error:
        error.path = (step, *error.path)
        raise


def _renderer(item: Constant | Renderer) -> Renderer:
    if not isinstance(item, Constant):
        return item
    value = item.value
    return lambda _scope: value


def _list_renderer(items: list[Renderer]) -> Renderer:
    def render_list(scope: Scope) -> list[Any]:
        done: list[Any] = []
        try:
            for item in items:
                done.append(item(scope))  # noqa: PERF401  its length says which item failed
        except TemplateError as error:
            error.path = (len(done), *error.path)
            raise
        return done

    return render_list


def _mapping_renderer(
    keys: list[Constant | Renderer], entries: Mapping[Any, Constant | Renderer]
) -> Renderer:
    triples = [
        (name, _renderer(key), _renderer(item))
        for key, (name, item) in zip(keys, entries.items(), strict=True)
    ]

    def render_mapping(scope: Scope) -> dict[Any, Any]:
        done = {}
        for name, key, item in triples:
            try:
                rendered = key(scope)
                if isinstance(rendered, list | dict):
                    raise TemplateError("a list or a mapping cannot be a key")  # noqa: TRY301
                done[rendered] = item(scope)
            except TemplateError as error:
                error.path = (name, *error.path)
                raise
        return done

    return render_mapping


def _check_allowed(value: Any, reference: Reference, allow: Allow) -> None:
    if allow == "anything" or not isinstance(value, list | dict):
        return
    if allow == "mappings" and isinstance(value, dict):
        return
    kind = "list" if isinstance(value, list) else "mapping"
    raise TemplateError(
        f"'{reference.text.strip()}' is a {kind}, which cannot stand here",
        hint=f"name one value of it, as in ${{{reference.text.strip()}"
        + ("[0]}" if kind == "list" else ".name}"),
    )


def _unescaped(text: str) -> str:
    return text.replace(r"\${", "${")


def _reference(inner: str) -> Reference:
    inner = inner.expandtabs()
    word = _FIRST_WORD.match(inner)
    if word is None:
        raise _malformed(inner, 0)
    names = [word[0].strip()]
    end = word.end()
    while follower := _NEXT_WORD.match(inner, end):
        names.append((follower[1] or follower[2]).strip())
        end = follower.end()
    if not _END.match(inner, end):
        raise _malformed(inner, end)
    return Reference(inner, tuple(names))


def _malformed(inner: str, position: int) -> TemplateError:
    found = f"unexpected '{inner[position]}'" if position < len(inner) else "nothing"
    return TemplateError(
        f"${{{inner}}} is not a reference: {found} at character {position + 3}",
        hint=r"write ${name}, ${name.part} or ${list[0]}; a literal ${ is \${",
    )


def _hint(reference: Reference, scope: Scope) -> str:
    wanted, last = ".".join(reference.names), reference.names[-1]
    known = list(islice(dotted_names(scope), 2000))
    same = [name for name in known if name.rpartition(".")[2] == last]
    return (
        did_you_mean(wanted, known)
        or (f"did you mean {same[0]!r}?" if same else None)
        or suggestion(wanted, scope)
        or "there is no params.yaml here, and no vars"
    )
