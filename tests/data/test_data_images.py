"""Folders of images judged by their contract: each fault is named with its file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mlctl.adapters.images import look
from mlctl.cli.main import run
from mlctl.data.contracts.contract import parse
from mlctl.data.contracts.imagerules import FORMATS
from mlctl.data.contracts.images import image_files, judge_images
from mlctl.data.contracts.verdict import Verdict
from mlctl.errors import ConfigError

RULES = """\
schema: mlctl.contract/1
data: images
images:
  count: {min: 6}
  per_folder: {min: 3}
  folders: [cat, dog]
  formats: [png, jpeg]
  modes: [L, RGB]
  width: {min: 8, max: 64}
  height: {max: 64}
  max_bytes: 20000
"""


def draw(
    path: Path, *, mode: str = "RGB", size: tuple[int, int] = (32, 24), **save: object
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.radial_gradient("L").resize(size).convert(mode)
    image.save(path, **save)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("cat", "dog"):
        draw(tmp_path / "images" / label / "0.png", mode="L")
        draw(tmp_path / "images" / label / "1.jpg")
        draw(tmp_path / "images" / label / "2.png")
    return tmp_path


def judged(root: Path, text: str = RULES) -> Verdict:
    contract = parse(text, file="c.yaml", name="c")
    return judge_images(str(root), contract, image_files(str(root), contract))


def found(verdict: Verdict) -> dict[tuple[str, str], object]:
    return {(f.check, f.file): f.detail or f.values for f in verdict.failures}


def test_a_clean_folder_is_valid(folder: Path) -> None:
    (folder / "images" / ".cache").mkdir()
    (folder / "images" / ".cache" / "x").write_text("passed over")
    (folder / "images" / "cat" / ".DS_Store").write_text("passed over")
    verdict = judged(folder)
    assert (verdict.failures, verdict.rows, verdict.checks) == ((), 6, 9)


def test_every_fault_is_named_with_its_file(folder: Path) -> None:
    cat, dog = folder / "images" / "cat", folder / "images" / "dog"
    png, jpeg = (dog / "2.png").read_bytes(), (dog / "1.jpg").read_bytes()
    (cat / "notes.txt").write_text("not an image")
    (cat / "empty.png").touch()
    (cat / "cut.png").write_bytes(png[:-40])
    (cat / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (cat / "no_end.jpg").write_bytes(jpeg[:-2])
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 0xFF
    (cat / "damaged.png").write_bytes(damaged)
    draw(cat / "wrong.png", format="GIF", mode="L")
    draw(cat / "odd.png", mode="RGBA")
    draw(cat / "wide.png", size=(65, 8))
    draw(cat / "heavy.png", size=(64, 64), compress_level=0, mode="RGB")
    (cat / "heavy.png").write_bytes((cat / "heavy.png").read_bytes() + b"\0" * 9000)
    draw(folder / "images" / "bird" / "0.png")
    (dog / "0.png").unlink()
    said = found(judged(folder))
    problems = {
        Path(file).name: what for (check, file), what in said.items() if check == "readable"
    }
    assert problems.keys() == {
        "notes.txt", "empty.png", "cut.png", "cut.jpg", "no_end.jpg", "damaged.png",
    }  # fmt: skip
    assert (problems["notes.txt"], problems["empty.png"]) == ("is no image", "is empty")
    assert "truncated" in str(problems["no_end.jpg"])
    rest = {key: what for key, what in said.items() if key[0] != "readable"}
    assert rest == {
        ("format png, jpeg", "images/cat/wrong.png"): ("gif",),
        ("mode L, RGB", "images/cat/wrong.png"): ("P",),
        ("mode L, RGB", "images/cat/odd.png"): ("RGBA",),
        ("width min 8 max 64", "images/cat/wide.png"): (65,),
        ("max_bytes 20000", "images/cat/heavy.png"): ((cat / "heavy.png").stat().st_size,),
        ("folders cat, dog", "images/bird"): "1 files",
        ("per_folder min 3", "images/dog"): "2 files",
    }


def test_a_share_may_fail_and_folders_may_be_missing(folder: Path) -> None:
    (folder / "images" / "cat" / "2.png").write_text("x")
    assert judged(folder, f"{RULES}  max_failing: 0.2\n").valid
    assert not judged(folder, f"{RULES}  max_failing: 0.1\n").valid
    for path in (folder / "images" / "dog").iterdir():
        path.unlink()
    assert found(judged(folder))[("per_folder min 3", "images/dog")] == "0 files"
    assert found(judged(folder))[("count min 6", "")] == "3 files"


def test_many_bad_files_are_named_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(130):
        (tmp_path / "images" / f"{number:03}.png").write_text("x")
    verdict = judged(tmp_path, "schema: mlctl.contract/1\ndata: images\nimages: {}\n")
    assert len(verdict.failures) == 101
    assert (verdict.failures[-1].count, verdict.failures[-1].detail) == (30, "in 30 more files")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder here"):
        judged(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(ConfigError, match="holds no file"):
        judged(tmp_path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp", "a.tiff", "a.webp", "a.ppm"])
def test_every_cut_of_an_image_is_seen(tmp_path: Path, name: str) -> None:
    path = draw(tmp_path / name, size=(9, 7))
    data = path.read_bytes()
    assert look(str(path), formats=FORMATS).problem is None
    for size in range(0, len(data) - 1, max(1, len(data) // 40)):
        path.write_bytes(data[:size])
        assert look(str(path), formats=FORMATS).problem is not None, size


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["png", "jpeg", "gif", "tiff", "webp", "bmp"]), st.data())
def test_whatever_a_file_holds_the_answer_is_a_look(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    path = draw(tmp_path_factory.getbasetemp() / f"fuzzed.{kind}", size=(5, 5))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    look(str(path), formats=FORMATS)


def test_the_verb_says_which_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / "contracts").mkdir()
    (folder / "contracts" / "images.yaml").write_text(RULES)
    monkeypatch.chdir(folder)
    assert run(["validate", "--no-report"]) == 0
    assert run(["validate", "--no-report"]) == 0
    (folder / "images" / "dog" / "1.jpg").write_text("broken")
    assert run(["validate", "--no-report"]) == 1
    assert "images/dog/1.jpg" in capsys.readouterr().out
