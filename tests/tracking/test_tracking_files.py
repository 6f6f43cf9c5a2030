"""Files that a run logs are copied at once, in a form that anything can open."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mlctl.experiments import live
from mlctl.tracking import _files, _warn
from mlctl.tracking._png import array_png
from mlctl.tracking._run import Run


@pytest.fixture(autouse=True)
def nothing_told():
    _warn._told.clear()


@pytest.fixture
def run(tmp_path):
    made = Run("id", str(tmp_path / "main"))
    yield made
    made.end()


def logged(run):
    """(kind, name, path in the folder, step), and the content."""
    found = live.logged_files(live.Source(run.folder, None))
    return [
        (it.kind, it.name, it.path.removeprefix(f"{run.folder}/files/"), it.step) for it in found
    ]


def content(run, name):
    return (Path(run.folder) / "files" / name).read_bytes()


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)))


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
def test_arrays_are_their_png(shape):
    array = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(decoded(array_png(array)), array.squeeze(2) if shape[-1] == 1 else array)


def test_arrays_that_are_no_bytes():
    array = RANDOM.random((6, 4, 3))
    assert np.array_equal(decoded(array_png(array)), (array * 255 + 0.5).astype(np.uint8))
    wild = np.array([[-1.0, 2.0, np.nan], [0.0, 1.0, np.inf]])
    assert decoded(array_png(wild)).tolist() == [[0, 255, 0], [0, 255, 255]]
    assert decoded(array_png(np.array([[True, False]]))).tolist() == [[255, 0]]
    assert decoded(array_png(np.array([[300, -5]]))).tolist() == [[255, 0]]


def test_channels_first_of_torch():
    tensor = torch.rand(3, 8, 6, requires_grad=True)
    expected = (tensor.detach().numpy().transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8)
    assert np.array_equal(decoded(array_png(tensor)), expected)
    assert decoded(array_png(tensor.detach().bfloat16())).shape == (8, 6, 3)
    as_bytes = torch.full((3, 8, 6), 200, dtype=torch.uint8)
    assert decoded(array_png(as_bytes)).max() == 200


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2, 2), (5, 7, 9), (0, 3)])
def test_what_is_no_image_is_told_and_passed_over(run, caplog, shape):
    run.log_image("x", np.zeros(shape))
    assert logged(run) == []
    assert "log_image failed and is passed over: ValueError" in caplog.text


def test_images_of_all_kinds(run, tmp_path):
    picture = Image.new("RGB", (4, 3), (1, 2, 3))
    picture.save(tmp_path / "p.jpg")
    run.log_image("array", np.zeros((3, 4)), step=2)
    run.log_image("pil", picture)
    run.log_image("path", tmp_path / "p.jpg")
    run.log_image("bytes", (tmp_path / "p.jpg").read_bytes())
    run.log_image("figure", Figure())
    assert logged(run) == [
        ("image", "array", "array-2.png", 2),
        ("image", "pil", "pil.png", None),
        ("image", "path", "path.jpg", None),
        ("image", "bytes", "bytes.jpg", None),
        ("image", "figure", "figure.png", None),
    ]
    assert decoded(content(run, "pil.png")).tolist()[0][0] == [1, 2, 3]
    assert content(run, "figure.png") == b"png"


def test_plots_of_all_kinds(run, tmp_path):
    (tmp_path / "p.svg").write_text("<svg/>")
    run.log_plot("text", "\n<svg></svg>")
    run.log_plot("vega", {"mark": "bar"}, step=1)
    run.log_plot("altair", Chart())
    run.log_plot("figure", Figure())
    run.log_plot("axes", Axes())
    run.log_plot("path.svg", tmp_path / "p.svg")
    assert logged(run) == [
        ("plot", "text", "text.svg", None),
        ("plot", "vega", "vega-1.json", 1),
        ("plot", "altair", "altair.json", None),
        ("plot", "figure", "figure.svg", None),
        ("plot", "axes", "axes.svg", None),
        ("plot", "path.svg", "path.svg", None),
    ]
    assert json.loads(content(run, "altair.json")) == {"mark": "line"}


class Figure:
    """What is asked of a figure of matplotlib."""

    def savefig(self, path, **how):
        Path(path).write_text(how["format"])


class Axes:
    figure = Figure()


class Chart:
    def to_dict(self):
        return {"mark": "line"}


def test_a_file_is_kept_as_it_is_now(run, tmp_path):
    model = tmp_path / "model.bin"
    for text in ("one", "two"):
        model.write_text(text)
        run.log_artifact(model)
    run.log_artifact(model, name="../../a b/ü?.pt")
    assert [it[2] for it in logged(run)] == ["model.bin", "model-2.bin", "a-b-ü-.pt.bin"]
    assert (content(run, "model.bin"), content(run, "model-2.bin")) == (b"one", b"two")


def test_a_folder_and_a_large_file(run, tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "LARGE", 10)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("a")
    (tmp_path / "large.bin").write_bytes(b"0" * 11)
    run.log_artifact(tmp_path / "folder")
    run.log_artifact(tmp_path / "large.bin")
    assert [it[2] for it in logged(run)] == ["folder", str(tmp_path / "large.bin")]
    assert content(run, "folder/a") == b"a"


def test_a_file_that_is_not_there_is_told_and_passed_over(run, caplog):
    run.log_artifact("no/such/file")
    assert logged(run) == []
    assert "log_artifact failed and is passed over: FileNotFoundError" in caplog.text


def test_many_names_and_none(run):
    for name in ("net.0", "x" * 300, "...", "a/b/c"):
        run.log_plot(name, "<svg/>")
    assert [it[2] for it in logged(run)] == [
        "net.0.svg", f"{'x' * 100}.svg", "file.svg", "a-b-c.svg",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["image", "artifact"])
def test_files_become_part_of_the_record(box, kind):
    calls = {"image": r"log_image('i', b'\x89PNG')", "artifact": "log_artifact('dvc.yaml')"}
    box.write(
        "train.py", f"import mlctl\nmlctl.log_plot('p', '<svg/>', step=1)\nmlctl.{calls[kind]}\n"
    )
    box.stages({"train": {"cmd": "python train.py"}})
    code, said = box.run("run")
    assert code == 0, said
    (head,) = box.root.glob("runs/*/*/run.json")
    record = head.parent
    assert (record / "plots" / "p-1.svg").read_text() == "<svg/>"
    rows = [json.loads(line) for line in (record / "artifacts.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["plot", kind]
    digest = rows[1]["digest"].removeprefix("md5:")
    assert (box.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).exists()
