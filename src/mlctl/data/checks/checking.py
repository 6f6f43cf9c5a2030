"""The checks that a contract declares, run over the files of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlctl.adapters.spill import Spill
from mlctl.data.checks import duplicates, labels, leakage, personal, target
from mlctl.data.checks.finding import Finding
from mlctl.data.checks.rows import Rows, Split
from mlctl.data.contracts import naming
from mlctl.data.contracts.checkrules import declared
from mlctl.data.contracts.model import Contract
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.table_files import sources, split_files


def check_tables(
    verdict: Verdict, root: str, contract: Contract, paths: Sequence[str], temporary: str
) -> Verdict:
    """`verdict` on the files `paths`, from `root`, with what the checks over many rows find.

    A check that reads a column which is missing or of another type is not made: `verdict` says so
    already, and is invalid. Raises ConfigError where the splits are not among the files, and
    OSError where the folder `temporary` has no space.
    """
    files = split_files(root, contract, paths)
    opened = dict(zip(paths, sources(root, paths), strict=True))
    whole = Split("", tuple(opened.values()))
    parts = [Split(name, tuple(opened[path] for path in mine)) for name, mine in files.items()]
    kinds = {column.name: str(column.type) for column in contract.columns}
    everything = Rows([whole], kinds)
    rows = Rows(parts, kinds) if parts else everything
    unfit = {f.column for f in verdict.failures if f.check.startswith(("type ", "column missing"))}
    with Spill(temporary) as spill:
        found = [_failure(rows, item) for item in _findings(rows, contract, unfit, spill)]
    found += [_failure(everything, item) for item in _personal(everything, contract, unfit)]
    return replace(
        verdict, checks=verdict.checks + declared(contract), failures=(*verdict.failures, *found)
    )


def _findings(rows: Rows, contract: Contract, unfit: set[str], spill: Spill) -> Iterator[Finding]:
    said = contract.leakage
    if said.duplicates is not None and not unfit & set(said.duplicates.columns or rows.kinds):
        yield from duplicates.exact(rows, said.duplicates, spill)
    if said.near_duplicates is not None and not unfit & set(said.near_duplicates.columns):
        yield from duplicates.near(rows, said.near_duplicates, spill)
    if said.key and not unfit & set(said.key):
        yield from leakage.keys(rows, said.key)
    if said.time is not None and said.time not in unfit:
        yield from leakage.times(rows, said.time)
    if contract.label is not None and contract.label not in unfit:
        if said.target is not None:
            excluded = unfit | _ids(contract)
            yield from target.telling(rows, contract.label, said.target, excluded=excluded)
        if said.labels is not None:
            label = contract.column(contract.label)
            shows = label is not None and not label.personal
            yield from labels.changed(rows, contract.label, said.labels, shows_values=shows)


def _personal(rows: Rows, contract: Contract, unfit: set[str]) -> Iterator[Finding]:
    if contract.scan_personal:
        allowed = {column.name for column in contract.columns if column.personal}
        yield from personal_findings(rows, [n for n in rows.kinds if n not in allowed | unfit])


def personal_findings(rows: Rows, columns: Sequence[str]) -> Iterator[Finding]:
    """What `columns` hold that tells who a person is."""
    scan = personal.Scan(columns)
    for batch in rows.batches(columns) if columns else ():
        scan.add(batch.frame, batch.source, batch.first)
    for source, item in scan.told(rows.count):
        check = f"personal: {item.kind}"
        yield Finding(check, item.column, source, item.count, item.share, item.rows, item.values)


def _ids(contract: Contract) -> set[str]:
    """Columns that name rows or things: they tell a label by heart, not for a reason."""
    named = {c.name for c in contract.columns if c.unique or naming.is_id(c.name)}
    return named | {*contract.key, *contract.leakage.key}


def _failure(rows: Rows, finding: Finding) -> Failure:
    source = finding.source
    places = () if source is None else tuple(rows.place(row, source) for row in finding.rows)
    return Failure(
        finding.check,
        finding.column,
        finding.count,
        round(finding.share, 6),
        places,
        tuple(finding.values),
        finding.detail,
        "" if source is None else rows.sources[source].name,
    )
