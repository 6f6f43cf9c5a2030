"""`core.autostage`: what DVC puts into git's index, we put there too."""

import subprocess
from pathlib import Path

from conformance.twins import Twins


def staged(root: Path) -> str:
    return subprocess.check_output(["git", "diff", "--cached", "--name-only"], cwd=root, text=True)


def test_autostage_adds_what_dvc_adds(tmp_path: Path) -> None:
    twins = Twins(tmp_path, config="[core]\n    autostage = true\n")
    twins.write("data.txt", "x\n")
    twins.write("sub/dvc.yaml", "stages:\n  a:\n    cmd: echo a > a\n    outs: [a]\n")
    twins.write(
        "dvc.yaml",
        "stages:\n  b:\n    cmd: cat data.txt sub/a > b\n    deps: [data.txt, sub/a]\n"
        "    outs: [b]\n    metrics: [m.json: {cache: false}]\n".replace(
            "> b\n", "> b; echo 1 > m.json\n"
        ),
    )
    twins.add("data.txt")
    assert twins.run() == (0, 0), twins.told
    assert staged(twins.ours) == staged(twins.dvc) != ""
    twins.write("data.txt", "y\n")
    assert twins.run() == (0, 0), twins.told
    assert staged(twins.ours) == staged(twins.dvc)
    twins.assert_equal()
