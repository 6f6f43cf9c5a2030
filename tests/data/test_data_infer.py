"""First contracts: robust against data of the same kind that comes later, and honest about it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from mlctl.data.contracts import facts, naming
from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import ColumnContract, parse
from mlctl.data.contracts.infer import Inferred, infer
from mlctl.data.contracts.render import to_yaml
from mlctl.data.contracts.verdict import Failure, judge


def inferred(frame: pl.DataFrame, *, text: bool = False) -> Inferred:
    return infer(frame.lazy(), data="d.csv", name="d", file="c.yaml", text=text)


def column(values: object, name: str = "x", *, text: bool = False) -> tuple[ColumnContract, str]:
    series = pl.Series(name, values, dtype=pl.String if text else None)
    found = inferred(series.to_frame(), text=text)
    return found.contract.columns[0], found.notes[name]


def failures_of_the_second_half(frame: pl.DataFrame) -> list[Failure]:
    half = frame.height // 2
    found = inferred(frame.head(half))
    contract = parse(to_yaml(found.contract, found.notes), file="c.yaml", name="c")
    compiled = compile_contract(contract)
    assert judge(frame.head(half), compiled).failures == ()
    return list(judge(frame.slice(half), compiled).failures)


def bundled(name: str) -> pl.DataFrame:
    data = getattr(datasets, f"load_{name}")()
    columns = {f"{n}": data.data[:, i] for i, n in enumerate(data.feature_names)}
    target = data.target if data.target.ndim > 1 else data.target[:, None]
    return pl.DataFrame({**columns, **{f"target{i}": c for i, c in enumerate(target.T)}})


@pytest.mark.parametrize(
    "name", ["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud"]
)
def test_the_second_half_of_a_real_table_keeps_the_contract_of_the_first(name: str) -> None:
    frame = bundled(name)
    assert failures_of_the_second_half(frame) == []  # some are sorted by their target
    for seed in range(5):
        mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
        assert failures_of_the_second_half(mixed) == []


def hires(seed: int, rows: int) -> pl.DataFrame:
    """Bikes lent every four hours, like the UCI data: seasons, growth, and a rare kind of day."""
    random = np.random.default_rng(seed)
    start = datetime.fromisoformat("2011-01-01")
    when = [start + timedelta(hours=4 * i) for i in range(rows)]
    day = np.array([w.timetuple().tm_yday for w in when])
    temperature = 10 + 10 * np.sin((day - 110) / 58) + random.normal(0, 3, rows)
    growth = np.linspace(1, 2, rows)
    casual = random.poisson(np.clip(temperature, 1, None) * 3 * growth)
    registered = random.poisson(100 * growth)
    return pl.DataFrame(
        {
            "instant": np.arange(1, rows + 1),
            "day": [w.date() for w in when],
            "year": [w.year for w in when],
            "month": [w.month for w in when],
            "hour": [w.hour for w in when],
            "workingday": [int(w.weekday() < 5) for w in when],
            "weather": random.choice([1, 2, 3, 4], rows, p=[0.66, 0.26, 0.0795, 0.0005]),
            "temperature": temperature,
            "humidity": random.beta(5, 3, rows),
            "wind": random.gamma(2, 6, rows),
            "casual": casual,
            "registered": registered,
            "cnt": casual + registered,
            "customer_id": random.integers(1, 1000, rows) + np.arange(rows) // 2,
            "ts": [int(w.timestamp()) for w in when],
        }
    )


def orders(seed: int, rows: int) -> pl.DataFrame:
    """Orders with long tails, codes, many cities and missing values."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, 201)
    return pl.DataFrame(
        {
            "order_id": [f"ORD-{i:06}" for i in range(rows)],
            "city": random.choice([f"city{i}" for i in range(200)], rows, p=share / share.sum()),
            "amount": np.exp(random.normal(3, 1, rows)),
            "pareto": random.pareto(1.2, rows),
            "quantity": random.poisson(2, rows),
            "zip": [f"{x:05}" for x in random.integers(0, 99999, rows)],
            "refund": np.where(random.random(rows) < 0.95, 0, random.exponential(30, rows)),
            "plan": random.choice(["free", "pro"], rows),
            "gap": [None if x < 0.1 else x for x in random.random(rows)],
            "normal": random.normal(3, 1, rows),
            "waiting": random.exponential(1, rows),
            "loss": -random.exponential(2, rows),
            "student": random.standard_t(3, rows),
            "rate": random.beta(2, 2, rows),
            "counter": np.cumsum(random.integers(0, 3, rows)),
            "created_ms": 1_700_000_000_000 + np.cumsum(random.integers(0, 99_999, rows)),
        }
    )


@pytest.mark.parametrize("make", [hires, orders])
@pytest.mark.parametrize("rows", [200, 1000, 4000])
def test_data_that_grows_keeps_its_contract(make: object, rows: int) -> None:
    for seed in range(8):
        assert callable(make)
        assert failures_of_the_second_half(make(seed, rows)) == [], seed


def test_kinds_of_numbers_are_told_apart() -> None:
    random = np.random.default_rng(3)
    n = 1000
    assert column(np.arange(n), "order_id")[0] == ColumnContract(
        "order_id", "int", unique=True, min=0
    )
    other, note = column(random.integers(0, 300, n), "customerId")
    assert (other.unique, other.min, other.max, note) == (
        False,
        0,
        None,
        "an id of something else [likely]",
    )
    assert column(1990 + np.arange(n) % 30, "year")[0].max is None
    assert column(1_600_000_000 + random.integers(0, 10**7, n), "updated_at")[1].startswith("sec")
    assert column(20_240_100 + np.arange(n) % 28 + 1, "day")[1].startswith("a day as yyyymmdd")
    assert column(random.integers(0, 2, n), "x")[1] == "a flag [sure]"
    assert column(random.integers(0, 2, n).astype(float), "x")[0].values == (0.0, 1.0)
    assert column([7] * n)[0] == ColumnContract("x", "int")
    assert "always 7" in column([7] * n)[1]
    assert column(np.sort(random.integers(0, 3, n)))[0].values is None  # more may follow
    assert column(random.normal(0, 1, n))[0].max is not None
    assert "long tail" in column(random.pareto(1, n))[1]
    assert column(random.random(n), "click_rate")[0] == ColumnContract(
        "click_rate", "float", min=0.0, max=1.0
    )


def test_kinds_of_texts_are_told_apart() -> None:
    random = np.random.default_rng(3)
    n = 1000
    codes, note = column([f"AB{i:04}x" for i in random.integers(0, 9999, n)], text=True)
    assert (codes.regex, note) == ("^[A-Z]+[0-9]+[a-z]+$", "a code, all of one shape [likely]")
    assert column([f"{i:05}" for i in range(n)], text=True)[0].regex == "^[0-9]{5}$"
    prose = ["it is said that the weather will be fine" + "!" * (i % 9) for i in range(n)]
    assert column([f"{p} {i}" for i, p in enumerate(prose)], text=True)[1].startswith("free text")
    many = [f"c {i}" for i in random.integers(0, 30, n)]
    assert column(many, text=True)[0].values is not None
    rare = [*many[:-1], "once"]
    assert column(rare, text=True)[0].values is None
    assert "too open or too rare" in column(rare, text=True)[1]
    mixed, note = column([*map(str, range(n)), *["n/a"] * 9], text=True)
    assert mixed.type == "str"
    assert note.startswith("mixed: numbers, and 0.89% other texts, most often 'n/a'")
    assert column(["JP"] * n, text=True)[0].values is None


def test_nothing_personal_is_written_down() -> None:
    mails = ["ann@example.org", "bob@example.org"] * 100
    for name, values in (
        ("contact", mails),
        ("eMail", ["x"] * 200),
        ("氏名", ["山田", "林"] * 100),
    ):
        found, note = column(values, name, text=True)
        assert found == ColumnContract(name, "str", personal=True)
        assert note == "personal: its values stay here [likely]"
    birth, note = column([date(1950 + i % 50, 1, 1) for i in range(200)], "birth_date")
    assert (birth.personal, birth.min) == (True, None)
    assert "19" not in note
    assert not naming.is_personal("telescope")


def test_missing_values_get_room() -> None:
    values = [None if i % 20 == 0 else float(i % 7) for i in range(400)]
    assert column(values)[0].max_missing == 0.2
    few = column(values[:100])[0]
    assert (few.nullable, few.max_missing) == (True, None)
    assert column([None] * 380 + [1.0, 2.0] * 10)[0].max_missing is None


def test_the_label_is_recognised() -> None:
    frame = pl.DataFrame({"x": range(40), "target": [0, 1] * 20})
    assert inferred(frame).contract.label == "target"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_large_file_is_read_in_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """What the sample does not hold is found all the same: extremes, odd values, other types."""
    monkeypatch.setattr(facts, "SAMPLE", 1000)
    n = 50_001
    frame = pl.DataFrame(
        {
            "id": range(n),
            "number": [str(i % 10) if i != 7777 else "1.5" for i in range(n)],
            "word": [str(i % 10) if i != 7777 else "x" for i in range(n)],
            "few": [["a", "b"][i % 7 % 2] if i != 7777 else "rare" for i in range(n)],
            "code": [f"AB{i % 900}" if i != 7777 else "ab 1" for i in range(n)],
            "gap": [None if i == 7777 else 1.0 + i % 5 for i in range(n)],
            "twice_id": [i if i != 7777 else 7776 for i in range(n)],
        }
    )
    path = tmp_path / f"d.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    text = ending == "csv"
    lazy = pl.scan_csv(path, infer_schema=False) if text else pl.scan_parquet(path)
    found = infer(lazy, data="d.csv", name="d", file="c.yaml", text=text)
    by_name = {c.name: c for c in found.contract.columns}
    types = [by_name[name].type for name in ("number", "word")]
    assert types == (["float", "str"] if text else ["str", "str"])
    assert by_name["few"].values is None
    assert by_name["code"].regex is None
    assert by_name["gap"].max_missing == 0.15
    assert (by_name["id"].unique, by_name["twice_id"].unique) == (True, False)
    assert found.rows == n
    contract = parse(to_yaml(found.contract, found.notes), file="c.yaml", name="c")
    assert judge(lazy.collect(), compile_contract(contract), text=text).failures == ()
