"""Any contract that `parse` accepts, for hypothesis."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from mlctl.data.contracts import expression
from mlctl.data.contracts.imagerules import FORMATS, MODES
from mlctl.data.contracts.model import (
    KINDS,
    ORDERED,
    ColumnContract,
    Contract,
    CrossCheck,
    Duplicates,
    Freshness,
    ImagesContract,
    Kind,
    Leakage,
    NearDuplicates,
    Range,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NAMES = TEXTS.filter(lambda n: n != "*" and not (n.startswith("^") and n.endswith("$")))
PATHS = st.from_regex(r"[a-z0-9_.*]{1,8}(/[a-z0-9 *]{1,8})?\.csv", fullmatch=True).filter(
    lambda path: ".." not in path.split("/")
)
SHARES = st.floats(0, 1).map(lambda x: x + 0.0)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False).map(lambda x: x + 0.0),
    "date": st.dates(date(1000, 1, 1)),
    "datetime": st.datetimes(datetime.fromisoformat("1000-01-01")),
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["yes", "1e3", "~", "2020-01-01", "#", "a: b", "0x1", " x"]),
    "bool": st.booleans(),
}
EXPRESSIONS = ("{0} == 1", "`{0}` is not null or length(`{0}`) > 2", "`{0}` in ['a', \"b\"]")


@st.composite
def ranges(draw: st.DrawFn, *, empty: bool = True) -> Range:
    low, high = draw(st.none() | st.integers(0, 99)), draw(st.none() | st.integers(0, 99))
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Range(low if low is not None or high is not None or empty else 0, high)


@st.composite
def columns(draw: st.DrawFn, name: str) -> ColumnContract:
    kind: Kind = draw(st.sampled_from(KINDS))
    max_missing = draw(st.none() | SHARES)
    column = ColumnContract(
        name,
        kind,
        nullable=max_missing is not None or draw(st.booleans()),
        unique=draw(st.booleans()),
        max_failing=draw(st.just(0.0) | SHARES),
        max_missing=max_missing,
        personal=draw(st.booleans()),
        description=draw(st.none() | TEXTS),
    )
    tolerant = ["unique"] if column.unique else []
    if kind in ORDERED and draw(st.booleans()):
        ends = sorted(draw(st.lists(VALUES[kind], min_size=2, max_size=2)))
        low, high = draw(st.sampled_from([("min", "max"), ("min", ""), ("", "max"), ("above", "")]))
        chosen = {key: end for key, end in zip((low, high), ends, strict=True) if key}
        column, tolerant = replace(column, **chosen), [*tolerant, *chosen]
    elif kind != "any" and draw(st.booleans()):
        values = draw(st.lists(VALUES[kind], min_size=1, max_size=4, unique=True))
        column, tolerant = replace(column, values=tuple(values)), [*tolerant, "in"]
    elif kind == "str":
        column = replace(column, regex=draw(st.none() | st.sampled_from(["^a", "[0-9]+$", "é\\."])))
        column = replace(column, length=draw(st.none() | ranges(empty=False)))
        tolerant += ["regex"] if column.regex else []
        tolerant += ["length"] if column.length else []
    shares = [(rule, draw(st.none() | SHARES)) for rule in tolerant]
    found = tuple((rule, share) for rule, share in shares if share is not None)
    return replace(column, tolerances=found)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    listed = tuple(draw(columns(name)) for name in names)
    keys = [column.name for column in listed if not column.nullable]
    moments = [column.name for column in listed if column.type in {"date", "datetime"}]
    minutes = st.integers(1, 10**6).map(lambda n: timedelta(minutes=n))
    plain = [name for name in names if "`" not in name]
    rows = draw(ranges())
    splits = draw(st.just(()) | some_splits())
    label = draw(st.none() | st.sampled_from(names))
    few = any(column.values or column.type == "bool" for column in listed)
    return Contract(
        name="c",
        file="c.yaml",
        data=draw(PATHS),
        columns=listed,
        min_rows=0 if few else rows.min or 0,
        max_rows=rows.max,
        key=tuple(draw(st.lists(st.sampled_from(keys), unique=True))) if keys else (),
        checks=tuple(draw(st.lists(checks(plain), max_size=3))) if plain else (),
        strict=draw(st.booleans()),
        description=draw(st.none() | TEXTS),
        label=label,
        splits=splits,
        leakage=draw(leakages(listed, between=bool(splits), labelled=label is not None)),
        scan_personal=draw(st.booleans()),
        freshness=Freshness(draw(st.sampled_from(moments)), draw(minutes))
        if moments and draw(st.booleans())
        else None,
    )


@st.composite
def some_splits(draw: st.DrawFn) -> tuple[tuple[str, str], ...]:
    names = draw(st.lists(TEXTS, min_size=2, max_size=3, unique=True))
    paths = draw(st.lists(PATHS, min_size=len(names), max_size=len(names), unique=True))
    return tuple(zip(names, paths, strict=True))


@st.composite
def leakages(
    draw: st.DrawFn, listed: tuple[ColumnContract, ...], *, between: bool, labelled: bool
) -> Leakage:
    some = st.lists(st.sampled_from([c.name for c in listed]), unique=True).map(tuple)
    known = [c.name for c in listed if c.type != "any"]
    ordered = [c.name for c in listed if c.type in ORDERED]
    near = st.builds(
        NearDuplicates,
        st.lists(st.sampled_from(known), min_size=1, unique=True).map(tuple),
        st.floats(0.3, 1, exclude_min=True),
        SHARES,
    ) if known else st.none()  # fmt: skip
    return Leakage(
        key=draw(some) if between else (),
        time=draw(st.none() | st.sampled_from(ordered)) if between and ordered else None,
        duplicates=draw(st.none() | st.builds(Duplicates, some, SHARES)),
        near_duplicates=draw(st.none() | near),
        target=draw(st.none() | st.floats(0.5, 1, exclude_min=True)) if labelled else None,
        labels=draw(st.none() | st.floats(0.01, 1)) if labelled and between else None,
    )


@st.composite
def checks(draw: st.DrawFn, names: list[str]) -> CrossCheck:
    name = draw(st.sampled_from(names))
    text = draw(st.sampled_from(EXPRESSIONS)).format(name)
    if not text.startswith("`"):
        text = text.replace(name, f"`{name}`", 1)
    share, said = draw(st.just(0.0) | SHARES), draw(st.none() | TEXTS)
    return CrossCheck(text, expression.parse(text), share, said)


@st.composite
def image_contracts(draw: st.DrawFn) -> Contract:
    words = st.none() | st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)

    def some(known: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...] | None]:
        return st.none() | st.lists(st.sampled_from(known), min_size=1, unique=True).map(tuple)

    images = ImagesContract(
        count=draw(ranges()),
        per_folder=draw(ranges()),
        folders=draw(words),
        formats=draw(some(FORMATS)),
        modes=draw(some(MODES)),
        width=draw(ranges()),
        height=draw(ranges()),
        max_bytes=draw(st.none() | st.integers(1, 10**12)),
        max_failing=draw(SHARES),
    )
    said = draw(st.none() | TEXTS)
    return Contract("c", "c.yaml", draw(PATHS), (), description=said, images=images)
