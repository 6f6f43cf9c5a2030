"""What is kept of parsed files is what was parsed, and only while the files are what they were."""

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mlctl.pipeline import compiled
from mlctl.pipeline.compiled import Compiled
from mlctl.pipeline.spec import (
    Dep,
    Digest,
    LockedPath,
    LockedStage,
    Out,
    ParamsDep,
    PipelineFile,
    Settings,
    Stage,
)

WORDS = st.text(max_size=5)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)
DIGESTS = st.builds(Digest, WORDS, st.none() | st.integers(), isexec=st.booleans())
STAGES = st.builds(
    Stage,
    WORDS,
    st.none() | WORDS,
    cmd=st.none() | WORDS | st.tuples(WORDS, WORDS),
    deps=st.lists(st.builds(Dep, WORDS, WORDS), max_size=2).map(tuple),
    params=st.lists(st.builds(ParamsDep, WORDS, WORDS, st.tuples(WORDS)), max_size=2).map(tuple),
    outs=st.lists(
        st.builds(Out, WORDS, WORDS, digest=st.none() | DIGESTS, options=st.just({})), max_size=2
    ).map(tuple),
    settings=st.builds(Settings, cpus=st.integers(1, 3), mutex=st.tuples(WORDS)),
    data=st.none() | st.dictionaries(WORDS, PLAIN, max_size=2),
)
FILES = st.builds(
    PipelineFile, WORDS, st.lists(STAGES, max_size=2).map(tuple), plots=st.tuples(PLAIN)
)
LOCKS = st.dictionaries(
    WORDS,
    st.builds(
        LockedStage,
        WORDS,
        st.lists(st.builds(LockedPath, WORDS, st.none() | DIGESTS), max_size=2).map(tuple),
        st.dictionaries(WORDS, st.dictionaries(WORDS, PLAIN, max_size=2), max_size=2),
    ),
    max_size=2,
)


@given(STAGES | FILES | LOCKS)
def test_every_value_comes_back(value: object) -> None:
    back = compiled._decode(compiled._encode(value))
    assert back == value
    assert repr(back) == repr(value)


def keep(root: Path, counter: list[int]) -> object:
    """One command's use: read `file` through the cache, and save it."""
    cache = Compiled(str(root))

    def parse() -> tuple[object, tuple[str, ...]]:
        counter.append(1)
        return {"text": (root / "file").read_text()}, ("read", "missing")

    value = cache.get("file", parse)
    cache.save()
    return value


def settle(*paths: Path) -> None:
    """As if the files had been written a minute ago."""
    for path in paths:
        os.utime(path, (time.time() - 60, time.time() - 60))
    time.sleep(0.06)  # the change time cannot be set


def test_a_file_is_parsed_again_only_when_it_or_what_it_read_changes(tmp_path: Path) -> None:
    counter: list[int] = []
    (tmp_path / "file").write_text("one")
    (tmp_path / "read").write_text("params")
    settle(tmp_path / "file", tmp_path / "read")
    assert keep(tmp_path, counter) == keep(tmp_path, counter) == {"text": "one"}
    assert len(counter) == 1
    for change in ("file", "read", "missing"):
        (tmp_path / change).write_text(f"new {change}")
        settle(tmp_path / change)
        before = len(counter)
        value = keep(tmp_path, counter)
        assert keep(tmp_path, counter) == value
        assert len(counter) == before + 1
    assert value == {"text": "new file"}


def test_a_file_that_was_just_written_is_not_kept(tmp_path: Path) -> None:
    counter: list[int] = []
    (tmp_path / "file").write_text("one")
    keep(tmp_path, counter)
    (tmp_path / "file").write_text("two")  # perhaps within one tick of the clock, of equal size
    assert keep(tmp_path, counter) == {"text": "two"}


def test_that_there_is_no_file_is_kept_too(tmp_path: Path) -> None:
    counter: list[int] = []

    def there() -> bool:
        cache = Compiled(str(tmp_path))
        value = cache.get(
            "file", lambda: (counter.append(1), ((tmp_path / "file").exists(), ()))[1]
        )
        cache.save()
        return value

    assert not there()
    assert not there()
    assert len(counter) == 1
    (tmp_path / "file").write_text("one")
    assert there()


def test_a_look_ahead_holds_for_one_question(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    settle(file)
    keep(tmp_path, [])
    cache = Compiled(str(tmp_path))
    assert list(cache.current(lambda _key: True)) == ["file"]
    parse = lambda: ({"text": file.read_text()}, ())  # noqa: E731
    assert cache.get("file", parse) == {"text": "one"}
    file.write_text("two")
    assert cache.get("file", parse) == {"text": "two"}
    file.unlink()
    assert not cache.is_current("file")


def test_a_damaged_cache_is_no_harm(tmp_path: Path) -> None:
    counter: list[int] = []
    (tmp_path / "file").write_text("one")
    settle(tmp_path / "file")
    keep(tmp_path, counter)
    (cache,) = (tmp_path / ".mlctl" / "cache").iterdir()
    for data in (b"", b"garbage", cache.read_bytes()[:-3]):
        cache.write_bytes(data)
        assert keep(tmp_path, counter) == {"text": "one"}
