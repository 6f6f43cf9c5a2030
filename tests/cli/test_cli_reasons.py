import pytest

from mlctl.cli._reasons import reason_json, reason_lines, reason_text
from mlctl.cli._text import clip, count, duration, some, visible
from mlctl.pipeline.plan import Reason


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("param", "params.yaml", "modified", "train.lr", 0.1, 0.2),
         "params.yaml: train.lr 0.1 → 0.2"),
        (Reason("param", "params.yaml", "new", "train.on", None, True),
         "params.yaml: train.on new (true)"),
        (Reason("param", "params.yaml", "deleted", "train.on", 3), "params.yaml: train.on deleted"),
        (Reason("param", "p.yaml", "modified", "name", "a b", ""), 'p.yaml: name a b → ""'),
        (Reason("param", "p.yaml", "modified", "x", None, [1, 2]), "p.yaml: x null → [1, 2]"),
        (Reason("dep", "data/raw.csv", "modified"), "data/raw.csv modified"),
        (Reason("out", "models/m.txt", "deleted"), "models/m.txt deleted"),
        (Reason("out", "models/m.txt", "not in cache"), "models/m.txt not in cache"),
        (Reason("out", "m.txt", "no lock entry"), "m.txt not recorded yet"),
        (Reason("upstream", "sub/dvc.yaml:prepare"), "after sub/dvc.yaml:prepare"),
        (Reason("always"), "always runs"),
        (Reason("forced"), "forced"),
        (Reason("cmd", old=None, new="python t.py"), "not run yet"),
    ],
)  # fmt: skip
def test_reason_text(reason: Reason, text: str) -> None:
    assert reason_text(reason) == text


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("python train.py --lr 0.1", "python train.py --lr 0.2", "python train.py --lr 0.1 → 0.2"),
        ("a b c d e f g h 1", "a b c d e f g h 2", "… g h 1 → 2"),
        ("1 a b c d e f", "2 a b c d e f", "1 → 2 a b …"),
        ("run x y", "run x y --fast", "run x y {+--fast+}"),
        ("run x --fast y", "run x y", "run x [---fast-] y"),
        ("run a b c d", "run a b e f g d", "run a b [-c-]{+e f g+} d"),
        (("run a", "run b"), ("run a", "run c"), "run a ; run b → c"),
        ("python a.py", "make", "python a.py → make"),
        ("a\nb", "a b", "a [-;-] b"),
    ],
)
def test_changed_commands_show_the_words_that_differ(old: object, new: object, text: str) -> None:
    assert reason_text(Reason("cmd", old=old, new=new)) == f"command changed: {text}"


def test_a_command_that_only_differs_in_white_space_says_so() -> None:
    assert "white space" in reason_text(Reason("cmd", old="a  b", new="a b"))


def test_long_values_are_clipped() -> None:
    text = reason_text(Reason("param", "p.yaml", None, "x", "a" * 200, list(range(100))))
    assert len(text) < 120
    assert text.count("…") == 2


def test_upstream_reasons_are_one_line_and_the_last() -> None:
    reasons = [Reason("upstream", f"s{i}") for i in range(9)]
    reasons.insert(3, Reason("dep", "a.csv", "modified"))
    lines = [text for text, _ in reason_lines(reasons)]
    assert lines == ["a.csv modified", "after s0, s1, s2 and 6 more"]


def test_many_reasons_are_counted() -> None:
    reasons = [Reason("out", f"o{i}", "deleted") for i in range(10)]
    lines = [text for text, _ in reason_lines(reasons, limit=3)]
    assert lines == ["o0 deleted", "o1 deleted", "… and 8 more reasons"]
    assert len(reason_lines(reasons, limit=10)) == len(reason_lines(reasons)) == 10


def test_reason_json_leaves_out_what_says_nothing_but_keeps_null_values() -> None:
    assert reason_json(Reason("dep", "a", "new")) == {
        "kind": "dep", "path": "a", "detail": "new", "text": "a new",
    }  # fmt: skip
    assert reason_json(Reason("param", "p.yaml", "new", "x", None, 1))["old"] is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (110, "1m 50s"),
        (3599.6, "1h 00m"),
        (7500, "2h 05m"),
        (90000, "1d 01h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_small_words() -> None:
    assert (count(1, "stage"), count(0, "stage")) == ("1 stage", "0 stages")
    assert clip("abcdef", 4) == "abc…"
    assert some(["a", "b", "c", "d"]) == "a, b, c, d"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("0%\r50%\r100%", "100%"),
        ("done\r", "done"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07ok\x08", "red ok"),
        ("a\tb", "a       b"),
        ("", ""),
    ],
)
def test_visible_is_what_a_terminal_ends_with(line: str, shown: str) -> None:
    assert visible(line) == shown
