"""The sections `splits`, `leakage` and `personal` of a contract."""

from __future__ import annotations

import pytest

from mlctl.data.contracts.checkrules import declared
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.model import Duplicates, Leakage, NearDuplicates
from mlctl.errors import ConfigError

HEAD = "schema: mlctl.contract/1\ndata: data\nlabel: y\n"
COLUMNS = (
    "columns: {id: {type: int}, at: {type: date}, t: {type: str}, y: {type: str}, x: {type: any}}\n"
)
SPLITS = "splits: {train: data/train.csv, test: data/test.parquet}\n"


def read(more: str) -> Contract:
    return parse(HEAD + COLUMNS + more, file="c.yaml", name="c")


def test_everything_that_can_be_said() -> None:
    contract = read(
        SPLITS + "personal: scan\nleakage:\n  key: [id]\n  time: at\n  duplicates: 0.01\n"
        "  near_duplicates: {columns: [t], similarity: 0.8, max: 0.001}\n"
        "  target: 0.98\n  labels: 0.1\n"
    )
    assert contract.splits == (("train", "data/train.csv"), ("test", "data/test.parquet"))
    near = NearDuplicates(("t",), 0.8, 0.001)
    assert contract.leakage == Leakage(("id",), "at", Duplicates((), 0.01), near, 0.98, 0.1)
    assert contract.scan_personal
    assert declared(contract) == 7


def test_what_is_not_said_is_not_asked() -> None:
    assert read("").leakage == Leakage()
    assert declared(read("")) == 0
    assert read("leakage: {near_duplicates: {columns: [t]}}").leakage.near_duplicates == (
        NearDuplicates(("t",), 0.9, 0.0)
    )
    said = read("leakage: {duplicates: {columns: [t, y], max: 0.5}}").leakage.duplicates
    assert said == Duplicates(("t", "y"), 0.5)


WRONG = {
    "splits: {train: data/a.csv}": "c.yaml:5: splits: one split alone",
    "splits: {a: data/a.csv, b: data/a.csv}": "c.yaml:5: splits.b: data/a.csv is another split",
    "splits: {a: /a.csv, b: b.csv}": "c.yaml:5: splits.a: '/a.csv' is not a path inside",
    "splits: {a: ../a.csv, b: b.csv}": "c.yaml:5: splits.a: '../a.csv' is not a path inside",
    "splits: {1: a.csv, b: b.csv}": "c.yaml:5: splits.1: 1 is not a text",
    "leakage: {key: [id]}": "c.yaml:5: leakage.key: is asked between splits, and there are none",
    "leakage: {keys: [id]}": "c.yaml:5: leakage.keys: unknown key 'keys'",
    SPLITS + "leakage: {key: [who]}": "c.yaml:6: leakage.key[0]: 'who' is not among the columns",
    SPLITS + "leakage: {key: [id, id]}": "c.yaml:6: leakage.key[1]: 'id' is named twice",
    SPLITS + "leakage: {time: t}": "c.yaml:6: leakage.time: 't' is of type str, which has no order",
    SPLITS + "leakage: {time: when}": "c.yaml:6: leakage.time: 'when' is not among the columns",
    SPLITS + "leakage: {labels: 2}": "c.yaml:6: leakage.labels: expected a number above 0",
    "leakage: {duplicates: 2}": "c.yaml:5: leakage.duplicates: expected a number from 0 to 1",
    "leakage: {duplicates: {most: 2}}": "c.yaml:5: leakage.duplicates.most: unknown key 'most'",
    "leakage: {near_duplicates: {max: 0}}": "c.yaml:5: leakage.near_duplicates: names no `columns`",
    "leakage: {near_duplicates: {columns: [x]}}": "c.yaml:5: leakage.near_duplicates.columns[0]: "
    "'x' is of type any",
    "leakage: {near_duplicates: {columns: [t], similarity: 0.1}}": "c.yaml:5: "
    "leakage.near_duplicates.similarity: expected a number above 0.3 and up to 1, got 0.1",
    "leakage: {target: 0.4}": "c.yaml:5: leakage.target: expected a number above 0.5",
    "personal: yes": "c.yaml:5: personal: expected one of scan, got 'yes'",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_fault_is_named_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert WRONG[text] in str(error.value)


def test_the_label_must_be_named() -> None:
    with pytest.raises(ConfigError, match="asked of the label, and none is named"):
        parse(HEAD.replace("label: y\n", "") + COLUMNS + "leakage: {target: 0.9}", file="", name="")
