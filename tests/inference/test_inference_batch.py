"""Batch prediction against the libraries' own predictions, on real models and files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from mlctl.cli.main import run
from mlctl.errors import AnswerNo, ConfigError, InvalidInput
from mlctl.inference import batch
from mlctl.models.model import load


def describe(folder: Path, **changes: object) -> None:
    said = {"schema": "mlctl.model/1", **changes}
    lines = [f"{key}: {value}" for key, value in said.items()]
    (folder / "model.yaml").write_text("\n".join(lines) + "\n")


def features_of(names: list[str], dtype: str = "float") -> str:
    return "[" + ", ".join(f"{{name: {name}, dtype: {dtype}}}" for name in names) + "]"


@pytest.fixture(scope="module")
def cancer() -> tuple[pl.DataFrame, list[str], np.ndarray, np.ndarray]:
    bunch = load_breast_cancer()
    names = [f"f{index}" for index in range(bunch.data.shape[1])]
    frame = pl.DataFrame(
        {
            "id": range(len(bunch.data)),
            **{name: bunch.data[:, i] for i, name in enumerate(names)},
            "target": bunch.target,
        }
    )
    return frame, names, bunch.data, bunch.target


@pytest.fixture(scope="module")
def booster_folder(tmp_path_factory: pytest.TempPathFactory, cancer: tuple) -> Path:
    _, names, x, y = cancer
    folder = tmp_path_factory.mktemp("model")
    data = lightgbm.Dataset(x, label=y, feature_name=names)
    parameters = {"objective": "binary", "num_leaves": 8, "verbosity": -1, "num_threads": 1}
    lightgbm.train(parameters, data, 15).save_model(folder / "model.txt")
    describe(
        folder,
        flavor="lightgbm",
        file="model.txt",
        task="classification",
        target="target",
        classes="[0, 1]",
        features=features_of(names),
    )
    return folder


def save_sklearn(folder: Path, estimator: object, names: list[str], classes: str) -> None:
    joblib.dump(estimator, folder / "model.joblib")
    describe(
        folder,
        flavor="sklearn",
        file="model.joblib",
        task="classification",
        target="target",
        classes=classes,
        features=features_of(names),
    )


def write(frame: pl.DataFrame, path: Path) -> str:
    {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}[
        path.suffix
    ](path)
    return str(path)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_lightgbm_predicts_as_the_library_does(
    tmp_path: Path, booster_folder: Path, cancer: tuple, ending: str
) -> None:
    frame, _, x, _ = cancer
    data = write(frame, tmp_path / f"data{ending}")
    out = tmp_path / "out.parquet"
    done = batch.predict(load(str(booster_folder)), data, str(out))
    found = pl.read_parquet(out)
    own = lightgbm.Booster(model_file=booster_folder / "model.txt").predict(x)
    assert done.rows == frame.height == found.height
    assert found.columns == ["id", "target", "prediction", "p_0", "p_1"]
    assert found["p_1"].to_list() == own.tolist()
    assert found["prediction"].to_list() == (own > 0.5).astype(int).tolist()
    assert found["id"].to_list() == frame["id"].to_list()


def test_lightgbm_regression_and_multiclass(tmp_path: Path) -> None:
    for name, bunch, objective in (
        ("regression", load_diabetes(), {"objective": "regression"}),
        ("classification", load_wine(), {"objective": "multiclass", "num_class": 3}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        names = [f"f{index}" for index in range(bunch.data.shape[1])]
        data = lightgbm.Dataset(bunch.data, label=bunch.target, feature_name=names)
        trained = lightgbm.train({**objective, "verbosity": -1, "num_threads": 1}, data, 5)
        trained.save_model(folder / "m.txt")
        classes = {"classes": "[a, b, c]"} if name == "classification" else {}
        describe(
            folder,
            flavor="lightgbm",
            file="m.txt",
            task=name,
            target="y",
            features=features_of(names),
            **classes,
        )
        path = write(pl.DataFrame(bunch.data, schema=names), folder / "d.parquet")
        batch.predict(load(str(folder)), path, str(folder / "o.parquet"))
        found = pl.read_parquet(folder / "o.parquet")
        own = trained.predict(bunch.data)
        if name == "regression":
            assert found["prediction"].to_list() == own.tolist()
        else:
            assert found.select("p_a", "p_b", "p_c").to_numpy().tolist() == own.tolist()
            labels = np.array(["a", "b", "c"])[own.argmax(axis=1)]
            assert found["prediction"].to_list() == labels.tolist()


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=5, random_state=0),
        LogisticRegression(max_iter=5000),
        SVC(),
    ],
    ids=["forest", "logistic", "svc"],
)
@pytest.mark.parametrize("named", [True, False])
def test_sklearn_predicts_as_the_library_does(
    tmp_path: Path, cancer: tuple, estimator: object, named: bool
) -> None:
    frame, names, x, y = cancer
    labels = np.where(y == 1, "benign", "malignant")
    table = frame.select(names) if named else x
    estimator.fit(table, labels)  # type: ignore[attr-defined]
    save_sklearn(tmp_path, estimator, names, "[benign, malignant]")
    data = write(frame, tmp_path / "d.csv")
    batch.predict(load(str(tmp_path), trust=True), data, str(tmp_path / "o.parquet"), keep=["id"])
    found = pl.read_parquet(tmp_path / "o.parquet")
    assert found["prediction"].to_list() == estimator.predict(table).tolist()  # type: ignore[attr-defined]
    if hasattr(estimator, "predict_proba"):
        own = estimator.predict_proba(table)
        assert found.columns == ["id", "prediction", "p_benign", "p_malignant"]
        assert found.select("p_benign", "p_malignant").to_numpy().tolist() == own.tolist()
    else:
        assert found.columns == ["id", "prediction"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_batches_give_the_same_bytes_as_one_go(
    tmp_path: Path, booster_folder: Path, cancer: tuple, ending: str
) -> None:
    frame, *_ = cancer
    data = write(frame, tmp_path / f"data{ending}")
    model = load(str(booster_folder))
    outs = []
    for rows in (1000, 569, 64, 1):
        out = tmp_path / f"{rows}{ending}"
        batch.predict(model, data, str(out), batch_rows=rows)
        outs.append(out.read_bytes())
    assert outs[1:] == outs[:1] * 3


def test_text_that_is_kept_stays_as_it_was_written(
    tmp_path: Path, booster_folder: Path, cancer: tuple
) -> None:
    frame, names, *_ = cancer
    codes = pl.Series("code", [f"00{i}.50" for i in range(3)])
    data = write(frame.select(names).head(3).with_columns(codes), tmp_path / "d.csv")
    batch.predict(load(str(booster_folder)), data, str(tmp_path / "o.csv"))
    lines = (tmp_path / "o.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["code", "000.50", "001.50", "002.50"]


def test_a_broken_signature_names_everything_and_writes_nothing(
    tmp_path: Path, booster_folder: Path, cancer: tuple
) -> None:
    frame, *_ = cancer
    bad = frame.drop("f3").rename({"f7": "f7x"}).with_columns(f5=pl.lit("text"))
    data = write(bad, tmp_path / "d.parquet")
    with pytest.raises(batch.BrokenSignature) as caught:
        batch.predict(load(str(booster_folder)), data, str(tmp_path / "o.csv"))
    said = str(caught.value)
    assert "'f3' is missing" in said
    assert "'f7' is missing (there is 'f7x')" in said
    assert "'f5' is str, not float" in said
    assert caught.value.exit_code == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.parquet"]


def test_values_that_do_not_parse_are_named_by_row_across_batches(
    tmp_path: Path, booster_folder: Path, cancer: tuple
) -> None:
    frame, *_ = cancer
    values = frame["f2"].cast(pl.String).to_list()
    values[400] = "abc"
    data = write(frame.with_columns(f2=pl.Series(values)), tmp_path / "d.csv")
    with pytest.raises(AnswerNo, match=r"row 401, column 'f2': 'abc' is not float"):
        batch.predict(load(str(booster_folder)), data, str(tmp_path / "o.csv"), batch_rows=100)
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_no_rows_give_a_table_without_rows(
    tmp_path: Path, booster_folder: Path, cancer: tuple, ending: str
) -> None:
    frame, *_ = cancer
    data = write(frame.head(0), tmp_path / f"d{ending}")
    done = batch.predict(load(str(booster_folder)), data, str(tmp_path / "o.parquet"))
    found = pl.read_parquet(tmp_path / "o.parquet")
    assert done.rows == found.height == 0
    assert found.columns == ["id", "target", "prediction", "p_0", "p_1"]


def test_columns_to_keep_are_checked(tmp_path: Path, booster_folder: Path, cancer: tuple) -> None:
    frame, *_ = cancer
    data = write(frame.with_columns(prediction=pl.lit(1)), tmp_path / "d.parquet")
    model = load(str(booster_folder))
    with pytest.raises(InvalidInput, match="the name of a prediction"):
        batch.predict(model, data, str(tmp_path / "o.csv"))
    with pytest.raises(InvalidInput, match="no column 'nope' to keep"):
        batch.predict(model, data, str(tmp_path / "o.csv"), keep=["nope"])
    done = batch.predict(model, data, str(tmp_path / "o.csv"), keep=["id"])
    assert done.ignored == ("target", "prediction")


def test_missing_values_reach_lightgbm_as_missing(
    tmp_path: Path, booster_folder: Path, cancer: tuple
) -> None:
    frame, _, x, _ = cancer
    holes = frame.with_columns(f0=pl.when(pl.col("id") % 2 == 0).then(None).otherwise(pl.col("f0")))
    data = write(holes, tmp_path / "d.csv")
    batch.predict(load(str(booster_folder)), data, str(tmp_path / "o.parquet"))
    matrix = x.copy()
    matrix[::2, 0] = np.nan
    own = lightgbm.Booster(model_file=booster_folder / "model.txt").predict(matrix)
    assert pl.read_parquet(tmp_path / "o.parquet")["p_1"].to_list() == own.tolist()


def test_the_model_must_fit_its_description(tmp_path: Path, booster_folder: Path) -> None:
    text = (booster_folder / "model.yaml").read_text()
    (tmp_path / "model.txt").write_bytes((booster_folder / "model.txt").read_bytes())
    for old, new, said in (
        ("name: f3,", "name: g3,", "its feature 3 is 'f3', not 'g3'"),
        ("{name: f3, dtype: float}, ", "", "reads 30 features, described are 29"),
        ("[0, 1]", "[0, 1, 2]", "2 classes, described are 3"),
        ("flavor: lightgbm", "flavor: lightgbn", "did you mean 'lightgbm'"),
    ):
        (tmp_path / "model.yaml").write_text(text.replace(old, new))
        with pytest.raises(InvalidInput) as caught:
            load(str(tmp_path))
        assert said in f"{caught.value} {caught.value.hint}"
    (tmp_path / "model.yaml").write_text(text)
    (tmp_path / "model.txt").write_text("not a model")
    with pytest.raises(ConfigError, match="cannot be loaded as lightgbm"):
        load(str(tmp_path))


def test_torch_programs_predict(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3)).eval()
    example = (torch.zeros(2, 2),)
    rows = torch.export.Dim("rows")
    program = torch.export.export(module, example, dynamic_shapes=({0: rows},))
    torch.export.save(program, tmp_path / "m.pt2")
    describe(
        tmp_path,
        flavor="torch",
        file="m.pt2",
        task="classification",
        target="y",
        classes="[x, y, z]",
        features=features_of(["a", "b"]),
    )
    frame = pl.DataFrame({"a": [0.5, -1.0, 2.0], "b": [1.0, 3.0, -2.0]})
    data = write(frame, tmp_path / "d.csv")
    with pytest.raises(InvalidInput, match="can run any code"):
        load(str(tmp_path))
    batch.predict(load(str(tmp_path), trust=True), data, str(tmp_path / "o.parquet"))
    with torch.inference_mode():
        logits = module(torch.tensor(frame.to_numpy(), dtype=torch.float32))
    own = torch.softmax(logits.double(), dim=1).numpy()
    found = pl.read_parquet(tmp_path / "o.parquet").select("p_x", "p_y", "p_z").to_numpy()
    assert np.allclose(found, own, atol=1e-6)


def test_pickles_are_loaded_when_git_or_dvc_vouches_for_them(tmp_path: Path, cancer: tuple) -> None:
    _, names, x, y = cancer
    folder = tmp_path / "m"
    folder.mkdir()
    save_sklearn(folder, LogisticRegression(max_iter=50).fit(x[:, :2], y), names[:2], "[0, 1]")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    with pytest.raises(InvalidInput, match="can run any code"):
        load(str(folder))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    with pytest.raises(InvalidInput, match="can run any code"):
        load(str(folder))  # staged is not committed
    subprocess.run([*git, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    load(str(folder))
    joblib.dump(LogisticRegression().fit(x[:50, :2], y[:50]), folder / "model.joblib")
    with pytest.raises(InvalidInput, match="can run any code"):
        load(str(folder))


def test_the_verb_and_its_exit_codes(
    tmp_path: Path, booster_folder: Path, cancer: tuple, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, *_ = cancer
    data = write(frame, tmp_path / "d.csv")
    out = str(tmp_path / "o.csv")
    assert run(["predict", str(booster_folder), data, "-o", out, "--keep", "id,target"]) == 0
    assert "569 rows in" in capsys.readouterr().out
    assert pl.read_csv(out).columns == ["id", "target", "prediction", "p_0", "p_1"]
    assert run(["predict", str(booster_folder), data, "-o", out, "--keep", "id", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["rows"], said["ignored"]) == ("mlctl.predict/1", 569, ["target"])
    broken = write(frame.drop("f1"), tmp_path / "b.csv")
    assert run(["predict", str(booster_folder), broken, "-o", out]) == 1
    assert "'f1' is missing" in capsys.readouterr().err
    assert run(["predict", str(tmp_path), data, "-o", out]) == 2
    assert run(["predict", str(booster_folder), "nothing.csv", "-o", out]) == 2
    assert run(["predict", str(booster_folder), data, "-o", "out.xlsx"]) == 2
