"""docs/guide/running-again.md names what there is: options, verdicts, causes, the setting."""

import re
from pathlib import Path
from typing import get_args

from conformance.twins import run_mlctl
from mlctl.experiments.again.verdict import Verdict
from mlctl.projects.settings import load_settings

PAGE = (Path(__file__).parents[2] / "docs/guide/running-again.md").read_text(encoding="utf-8")


def test_every_verdict_is_explained():
    rows = re.findall(r"^\| `([a-z ]+)` \|", PAGE, re.MULTILINE)
    assert set(get_args(Verdict)) <= set(rows)


def test_the_commands_and_options_exist(tmp_path):
    for verb in ("diff", "reproduce", "apply", "why"):
        code, said = run_mlctl(tmp_path, "exp", verb, "--help")
        assert (code, "Examples" in said) == (0, True)
        for option in re.findall(r"`(--[a-z-]+)", section(verb)):
            assert option in said or "--verify" in option, (verb, option)


def section(verb: str) -> str:
    """The text of the page on one verb."""
    titles = {"diff": "What differs", "reproduce": "Making it again", "apply": "Taking it over"}
    title = titles.get(verb, "What made the difference")
    return PAGE.split(f"## {title}")[1].split("\n## ")[0]


def test_the_setting_of_the_page_holds(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    (tmp_path / "mlctl.yaml").write_text(text)
    assert load_settings(str(tmp_path)).tolerances == {"auc": 0.001, "*loss": 0.01}
