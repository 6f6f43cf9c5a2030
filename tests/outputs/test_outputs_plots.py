import pytest

from mlctl.errors import InvalidInput
from mlctl.outputs.page import plots_page
from mlctl.outputs.plots import Curve, Definition, Plot, differ, read_rows


def test_rows_of_tables() -> None:
    assert read_rows("a,b\n1,x\n\n2,y\n", "p.csv") == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert read_rows("1\t2\n", "p.tsv", header=False) == [{"0": "1", "1": "2"}]
    assert read_rows("", "p.csv") == []


def test_rows_of_lists_of_tables_are_joined() -> None:
    text = '{"n": 1, "train": [{"loss": 1}, {"loss": 2}], "x": {"valid": [{"v": 3}]}, "w": [1]}'
    assert read_rows(text, "p.json") == [{"loss": 1, "v": 3}, {"loss": 2}]
    assert read_rows("- {a: 1}\n- {a: 2}\n", "p.yaml") == [{"a": 1}, {"a": 2}]


def test_what_is_no_plot_says_so() -> None:
    with pytest.raises(InvalidInput, match="cannot be plotted"):
        read_rows("", "p.parquet")


def plot(template: str, *curves: Curve) -> Plot:
    return Plot(
        Definition("p", (), title="P <b>", x_label="x", y_label="y", template=template), curves
    )


@pytest.mark.parametrize(
    "template", ["linear", "scatter", "confusion", "confusion_normalized", "bar_horizontal", "mine"]
)
def test_every_template_draws_numbers_words_and_gaps(template: str) -> None:
    page = plots_page(
        [
            plot(template, Curve("HEAD", "a.csv", "v", (1.0, 2.0, 3.0), (1.0, None, 2.0))),
            plot(template, Curve("HEAD", "a.csv", "v", ("a", "b", "a"), (1.0, 2.0, float("nan")))),
            plot(template, Curve("w", "a.csv", "v", ("a", "b"), ("b", "b"))),
            plot(template),
        ],
        "T",
        "s",
    )
    assert page.count("<svg") >= 2
    assert "P <b>" not in page
    assert "There is nothing to show." in page


def test_differ() -> None:
    one, two = Curve("A", "p", "v", (1,), (1,)), Curve("B", "p", "v", (1,), (1,))
    assert not differ(plot("linear", one, two), ["A", "B"])
    assert differ(plot("linear", one, Curve("B", "p", "v", (1,), (2,))), ["A", "B"])
    assert differ(plot("linear", one), ["A", "B"])
