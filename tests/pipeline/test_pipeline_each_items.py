"""Which items are to do: against processing everything, for any history of a folder."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlctl.errors import InvalidInput
from mlctl.pipeline.each.items import divide, from_listings, names_of
from mlctl.store.tree import TreeEntry

PARTS = st.text("ab{}.", min_size=1, max_size=4).filter(lambda part: part.strip("."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FOLDERS = st.dictionaries(PATHS, st.sampled_from("xyz"), max_size=6)
PATTERNS = st.sampled_from(["{item}", "{stem}.png", "by/{item}", "{item}.d"])


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def listing(folder: dict[str, str]) -> list[TreeEntry]:
    return [TreeEntry(path, md5(content)) for path, content in sorted(folder.items())]


def result(item: TreeEntry, name: str) -> tuple[TreeEntry, ...]:
    """What the command would make: by its content a file, a folder of two, or an empty folder."""
    made = {md5("x"): [name], md5("y"): [f"{name}/1", f"{name}/a/2"], md5("z"): []}
    return tuple(TreeEntry(path, md5(f"{item}{path}")) for path in made[item.md5])


def is_possible(folder: dict[str, str]) -> bool:
    """Whether a file system can hold it: no file is also a folder."""
    return not any(other.startswith(f"{path}/") for path in folder for other in folder)


@given(st.lists(FOLDERS.filter(is_possible), max_size=5), PATTERNS, st.data())
def test_any_history_gives_what_processing_everything_gives(folders, pattern, data):
    known, done, collected = {}, set(), set()
    for folder in folders:
        items = listing(folder)
        try:
            names = names_of(folder, pattern)
        except InvalidInput:
            continue
        parts = divide(items, known, lambda md5, gone=frozenset(collected): md5 not in gone)
        lost = {item for item in done if collected & {f.md5 for f in known[item]}}
        assert set(parts.todo) == set(items) - (done - lost)
        now = {item: result(item, names[item.relpath]) for item in parts.todo}
        assert [*parts.todo] == [item for item in items if item in now]
        known |= now
        done |= now.keys()
        collected -= {f.md5 for files in now.values() for f in files}
        whole = {f for files in [*parts.taken.values(), *now.values()] for f in files}
        assert whole == {f for item in items for f in result(item, names[item.relpath])}
        objects = sorted({f.md5 for files in known.values() for f in files})
        if objects:  # `dvc gc`
            collected |= set(data.draw(st.lists(st.sampled_from(objects), max_size=2)))


@given(FOLDERS.filter(is_possible), PATTERNS)
def test_two_listings_tell_what_came_of_each_item(folder, pattern):
    items = listing(folder)
    try:
        names = names_of(folder, pattern)
    except InvalidInput:
        return
    made = {item: result(item, names[item.relpath]) for item in items}
    results = sorted(file for files in made.values() for file in files)
    assert from_listings(items, results, pattern) == {i: f for i, f in made.items() if f}


@pytest.mark.parametrize(
    ("pattern", "items", "names"),
    [
        ("{item}", ["a/b.tar.gz", ".hidden"], ["a/b.tar.gz", ".hidden"]),
        ("{stem}.png", ["a/b.tar.gz", ".hidden"], ["a/b.tar.png", ".hidden.png"]),
        ("x/{stem}/{item}", ["{stem}.a"], ["x/{stem}/{stem}.a"]),
    ],
)
def test_names(pattern, items, names):
    assert list(names_of(items, pattern).values()) == names


@pytest.mark.parametrize(
    ("pattern", "items", "words"),
    [
        ("{name}.png", ["a"], "unknown {name}"),
        ("{stem}.png", ["a.jpg", "a.gif"], "'a.jpg' and 'a.gif': both have the result 'a.png'"),
        ("same", ["a", "b"], "both have the result 'same'"),
        ("{stem}", ["a.jpg", "a/b.jpg"], "the result 'a/b' of one lies in the result of the other"),
        ("{stem}", ["a/b/c.jpg", "a.jpg"], "'a.jpg' and 'a/b/c.jpg'"),
        ("../{item}", ["a"], "would have its result at '../a'"),
        ("/{item}", ["a"], "'/a'"),
        ("{item}/", ["a"], "'a/'"),
        ("", ["a"], "''"),
    ],
)
def test_names_that_cannot_be(pattern, items, words):
    with pytest.raises(InvalidInput) as caught:
        names_of(items, pattern)
    assert words in caught.value.message
    assert caught.value.hint
