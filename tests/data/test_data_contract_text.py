"""Contracts as text: what is written reads back, and edits leave the rest as it was."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.contract_strategies import contracts, image_contracts
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.editing import CannotEdit, Editor
from mlctl.data.contracts.render import to_yaml

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(contracts() | image_contracts(), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_reads_back_as_an_equal_contract(contract: Contract, note: str) -> None:
    notes = {column.name: note for column in contract.columns} | {"": "one\ntwo"}
    text = to_yaml(contract, notes)
    assert parse(text, file=contract.file, name=contract.name) == contract
    assert to_yaml(parse(text, file="c.yaml", name="c"), notes) == text


TEXT = """\
# ours
schema: mlctl.contract/1   # the format
data: d.csv
rows: {min: 3}   # few

columns:
  a: {type: int, min: 0, in: [1, 2]}  # a comment, with {braces}
  # on its own line
  b:
    type: str   # text
    in:
      - x   # the first
      - "y"
  c: {type: float, max: {value: 3, max_failing: 0.1}}
# the end
strict: true
"""


def test_edits_keep_comments_order_and_layout() -> None:
    editor = Editor(TEXT)
    editor.set(("rows", "min"), "1")
    editor.set(("columns", "a", "min"), "-1")
    editor.append(("columns", "a", "in"), ["3", "4"])
    editor.append(("columns", "b", "in"), ['"z z"'])
    editor.set(("columns", "b", "nullable"), "true")
    editor.set(("columns", "c", "max", "value"), "9")
    editor.set(("columns", "c", "nullable"), "true")
    editor.insert(("columns",), "d", "{type: int}", note="  # new")
    expected = (
        TEXT.replace("{min: 3}", "{min: 1}")
        .replace("min: 0, in: [1, 2]", "min: -1, in: [1, 2, 3, 4]")
        .replace('- "y"\n', '- "y"\n      - "z z"\n    nullable: true\n')
        .replace("value: 3, max_failing: 0.1}}", "value: 9, max_failing: 0.1}, nullable: true}")
        .replace("nullable: true}\n#", "nullable: true}\n  d: {type: int}  # new\n#")
    )
    assert editor.text() == expected


def test_what_cannot_be_edited_is_said() -> None:
    shared = "a: &x {type: int, min: 0}\nb: *x\n"
    for path in (("a", "min"), ("b", "min")):
        with pytest.raises(CannotEdit, match="anchors"):
            Editor(shared).set(path, "1")
    with pytest.raises(CannotEdit, match=r"a\.b is not there"):
        Editor("a: {c: 1}\n").set(("a", "b", "c"), "1")
    with pytest.raises(CannotEdit, match="not a list"):
        Editor("a: {c: 1}\n").append(("a",), ["1"])


@SLOW
@given(contracts(), st.data())
def test_an_edit_changes_one_value_and_no_other(contract: Contract, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(contract.columns))
    before = to_yaml(contract, {c.name: "said: {x}, [y]" for c in contract.columns})
    editor = Editor(before)
    editor.set(("columns", column.name, "personal"), "true" if not column.personal else "false")
    after = parse(editor.text(), file="c.yaml", name="c")
    assert after.column(column.name) != column
    rest = [c for c in after.columns if c.name != column.name]
    assert rest == [c for c in contract.columns if c.name != column.name]
    assert editor.text().count("# said") == len(contract.columns)
