"""A walk in columns says of each file what its stat says."""

from __future__ import annotations

import os
from pathlib import Path

from mlctl.store.ignore import Ignore
from mlctl.store.state import signature
from mlctl.store.walked import Walked, walk


def walked(repo: Path) -> Walked:
    return walk(str(repo / "data"), "data", Ignore(str(repo)))


def test_each_file_has_its_own_numbers(repo: Path, write) -> None:
    write(repo, {f"data/{n % 3}/{n}": "x" * n for n in range(20)})
    found = walked(repo)
    assert {file.relpath for file in found} == {f"{n % 3}/{n}" for n in range(20)}
    assert all(file.path == str(repo / "data" / file.relpath) for file in found)
    assert all(file.signature == signature(os.stat(file.path)) for file in found)
    assert found.signatures() == {file.relpath: file.signature for file in found}


def test_the_signature_is_that_of_all_files(repo: Path, write) -> None:
    write(repo, {"data/a": "1", "data/b": "2"})
    before = walked(repo).signature()
    assert walked(repo).signature() == before
    (repo / "data" / "b").rename(repo / "data" / "c")
    renamed = walked(repo).signature()
    (repo / "data" / "a").write_text("longer")
    assert len({before, renamed, walked(repo).signature()}) == 3


def test_what_changed_while_it_was_read_takes_the_place_of_what_was_met(repo: Path, write) -> None:
    write(repo, {"data/a": "1", "data/b": "2"})
    before = walked(repo)
    (repo / "data" / "b").write_text("longer")
    after = walked(repo)
    assert before.replaced({"b": after.signatures()["b"]}) == after
    assert before.replaced({}) is before
