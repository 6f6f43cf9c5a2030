"""The checks that a contract declares, run over the files of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mlctl.adapters.spill import Spill
from mlctl.adapters.table_faults import Unreadable
from mlctl.data.checks import duplicates, labels, leakage, personal, target
from mlctl.data.checks.finding import Finding
from mlctl.data.checks.rows import Rows, Split
from mlctl.data.contracts import naming
from mlctl.data.contracts.checkrules import declared
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.model import Contract
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.contracts.verdict import arranged
from mlctl.data.table_files import sources, split_files
from mlctl.errors import Busy

_NO_TABLE = ("readable", "column twice")


def check_tables(
    verdict: Verdict, root: str, contract: Contract, paths: Sequence[str], temporary: str
) -> Verdict:
    """`verdict` on the files `paths`, from `root`, with what the checks over many rows find.

    What `verdict` says already is left out: files that are no tables, and checks of columns that
    are missing or of another type. Raises ConfigError where the splits are not among the files,
    Busy for a file that changes, and OSError where the folder `temporary` has no space.
    """
    files = split_files(root, contract, paths)
    broken = [failure for failure in verdict.failures if failure.check in _NO_TABLE]
    is_known = all(failure.file for failure in broken) or len(paths) == 1
    bad = {failure.file or paths[0] for failure in broken}
    opened = {
        path: source
        for path, source in zip(paths, sources(root, paths), strict=True)
        if path not in bad and is_known
    }
    parts = [Split(name, _among(opened, mine)) for name, mine in files.items()]
    whole = Split("", tuple(opened.values()))
    try:
        found = _failures(verdict, contract, whole, parts, temporary)
    except Unreadable as error:  # it could be read before
        raise Busy(f"{error} (it could be read before)", hint="run the command again") from None
    more = arranged(found, [column.name for column in contract.columns])
    return replace(
        verdict, checks=verdict.checks + declared(contract), failures=(*verdict.failures, *more)
    )


def _among(opened: Mapping[str, Source], paths: Sequence[str]) -> tuple[Source, ...]:
    return tuple(opened[path] for path in paths if path in opened)


def _failures(
    verdict: Verdict, contract: Contract, whole: Split, parts: Sequence[Split], temporary: str
) -> list[Failure]:
    kinds = {column.name: str(column.type) for column in contract.columns}
    unfit = {f.column for f in verdict.failures if f.check.startswith(("type ", "column missing"))}
    rows = Rows(parts or [whole], kinds)
    with Spill(temporary) as spill:
        found = [_failure(rows, item) for item in _findings(rows, contract, unfit, spill)]
    if contract.scan_personal:
        rows = Rows([whole], kinds)
        allowed = {column.name for column in contract.columns if column.personal}
        asked = [name for name in kinds if name not in allowed | unfit]
        found += [_failure(rows, item) for item in personal_findings(rows, asked)]
    return found


def _findings(rows: Rows, contract: Contract, unfit: set[str], spill: Spill) -> Iterator[Finding]:
    said = contract.leakage
    if said.duplicates is not None and not unfit & set(said.duplicates.columns or rows.kinds):
        yield from duplicates.exact(rows, said.duplicates, spill)
    if said.near_duplicates is not None and not unfit & set(said.near_duplicates.columns):
        yield from duplicates.near(rows, said.near_duplicates, spill)
    if said.key and not unfit & set(said.key):
        yield from leakage.keys(rows, said.key)
    if said.time is not None and said.time not in unfit:
        shows = not _is_personal(contract, said.time)
        yield from leakage.times(rows, said.time, shows_values=shows)
    if contract.label is not None and contract.label not in unfit:
        if said.target is not None:
            excluded = unfit | _ids(contract)
            yield from target.telling(rows, contract.label, said.target, excluded=excluded)
        if said.labels is not None:
            shows = not _is_personal(contract, contract.label)
            yield from labels.changed(rows, contract.label, said.labels, shows_values=shows)


def personal_findings(rows: Rows, columns: Sequence[str]) -> Iterator[Finding]:
    """What `columns` hold that tells who a person is."""
    scan = personal.Scan(columns)
    for batch in rows.batches(columns) if columns else ():
        scan.add(batch.frame, batch.source, batch.first)
    for source, item in scan.told(rows.count):
        check = f"personal: {item.kind}"
        yield Finding(check, item.column, source, item.count, item.share, item.rows, item.values)


def _is_personal(contract: Contract, name: str) -> bool:
    column = contract.column(name)
    return column is not None and column.personal


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
