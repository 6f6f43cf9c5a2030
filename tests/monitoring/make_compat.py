"""Ask Evidently and NannyML, and write tests/monitoring/compat_numbers.json: run it by hand.

    python tests/monitoring/make_compat.py

It installs each of them in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = {
    "evidently": ["evidently==0.7.23", "pandas<3"],
    "nannyml": ["nannyml==0.13.1", "statsmodels"],
}


def evidently() -> dict:
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    found = {}
    for case in frames.CASES:
        reference, current = map(pd.DataFrame, frames.sides(*case))
        kinds = DataDefinition(numerical_columns=["x", "k", "i"], categorical_columns=["c", "b"])
        sides = [Dataset.from_pandas(side, kinds) for side in (current, reference)]
        done = Report([DataDriftPreset()]).run(*sides).dict()
        found[str(case[2])] = {
            metric["config"]["column"]: float(metric["value"])
            for metric in done["metrics"]
            if "column" in metric["config"]
        }
    return found


def nannyml() -> dict:
    import nannyml as nml
    import pandas as pd
    from nannyml.chunk import CountBasedChunker

    found = {}
    for case in frames.CASES:
        reference, current = map(pd.DataFrame, frames.sides(*case))
        for side in (reference, current):
            for name in ("c", "b"):
                side[name] = side[name].astype("category")
        done = nml.UnivariateDriftCalculator(column_names=[*frames.COLUMNS], chunk_number=10)
        done.fit(reference)
        done.chunker = CountBasedChunker(chunk_number=1)
        table = done.calculate(current).filter(period="analysis").to_df()
        found[str(case[2])] = {
            name: [
                float(table[(name, "jensen_shannon", part)].iloc[0])
                for part in ("value", "upper_threshold")
            ]
            for name in frames.COLUMNS
        }
    return found


def main() -> None:
    found = {}
    for tool, packages in TOOLS.items():
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=True)
            python = f"{folder}/bin/python"
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
            said = subprocess.run([python, __file__, tool], check=True, stdout=subprocess.PIPE)
            found[tool] = json.loads(said.stdout.decode().splitlines()[-1])
    (HERE / "compat_numbers.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.path.insert(0, str(HERE))
        import compat_frames as frames

        print(json.dumps({"evidently": evidently, "nannyml": nannyml}[sys.argv[1]]()))
    else:
        main()
