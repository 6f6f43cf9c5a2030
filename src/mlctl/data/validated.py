"""A data set's verdict as a record: `reports/validation/<dataset>/<data>.<digest>.{json,md,html}`.

The format is described in docs/formats/validation.md.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import Any

from mlctl.data import values
from mlctl.data.contracts.outcome import Failure, Verdict

SCHEMA = "mlctl.validation/2"
FOLDER = "reports/validation"


@dataclass(frozen=True, slots=True)
class Validated:
    """One data set's verdict. Digests carry their kind; `report` is a path from the root.

    `verdict` is None where the data is nowhere here (its digest may be known all the same).
    `cached` says that neither data nor contract changed since the verdict was reached; `personal`
    are the columns whose values no report shows.
    """

    dataset: str
    data: str
    data_digest: str
    contract: str
    contract_digest: str
    verdict: Verdict | None = None
    cached: bool = False
    report: str | None = None
    personal: frozenset[str] = frozenset()

    @property
    def valid(self) -> bool:
        """Whether nothing is known against it."""
        return self.verdict is None or self.verdict.valid

    @property
    def failures(self) -> tuple[Failure, ...]:
        return self.verdict.failures if self.verdict is not None else ()


def to_dict(result: Validated, *, show: bool = False, terminal: bool = False) -> dict[str, Any]:
    """What is said of a data set by reports and `--json`, without what is local.

    `show` and `terminal` say which failing values are among it, see `values.may_show`.
    """
    verdict = result.verdict or Verdict(0, 0, 0)
    return {
        "dataset": result.dataset,
        "data": {
            "path": result.data,
            "digest": result.data_digest,
            "rows": verdict.rows,
            "columns": verdict.columns,
        },
        "contract": {"path": result.contract, "digest": result.contract_digest},
        "valid": verdict.valid if result.verdict is not None else None,
        "checks": verdict.checks,
        "failures": [
            _failure(item, values.may_show(item, result.personal, show=show, terminal=terminal))
            for item in verdict.failures
        ],
    }


def _failure(failure: Failure, plain: bool) -> dict[str, Any]:
    """Its fields: `patterns` in place of `values` unless `plain`; `file` where it has one."""
    said = asdict(failure)
    if not failure.file:
        del said["file"]
    if not plain:
        said["patterns"] = [values.pattern(value) for value in said.pop("values")]
    return said


def write_report(root: str, result: Validated, *, show: bool = False) -> str | None:
    """Write a verdict as JSON, Markdown and HTML; the path of the JSON, from the root.

    The name is that of the data and of what is said, and neither holds a time: where the same
    verdict stands already, nothing is written. None where there is no verdict.
    """
    if result.verdict is None:
        return None
    from mlctl.records import canonical

    said = to_dict(result, show=show)
    text = canonical.pretty({"schema": SCHEMA, **said})
    data = result.data_digest.partition(":")[2][:8]
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    stem = f"{FOLDER}/{result.dataset}/{data}.{digest}"
    # The JSON comes last: where it stands, the others do.
    if not os.path.exists(os.path.join(root, f"{stem}.json")):
        from mlctl.adapters.files import write_text
        from mlctl.data import validation_page

        for ending, draw in (
            (".html", validation_page.to_html),
            (".md", validation_page.to_markdown),
            (".json", lambda _: text),
        ):
            write_text(os.path.join(root, stem + ending), draw(said))
    return f"{stem}.json"
