"""`mlctl exp fsck`: every record, and everything that it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlctl.data.versions.place import open_place
from mlctl.errors import ConfigError, MlctlError
from mlctl.experiments.fsck.findings import Finding, Report
from mlctl.experiments.fsck.record import check_record, head_of, is_events_only
from mlctl.experiments.fsck.references import (
    check_code,
    check_environments,
    check_objects,
    check_pins,
)
from mlctl.experiments.fsck.sources import RawRecord, raw_records, strays
from mlctl.experiments.objects import RunObject, objects_in, open_cache
from mlctl.records.run import RunHead


def fsck(root: str, *, remote: str | None = None, cloud: bool = False) -> Report:
    """Look at all records; with `cloud`, for objects on the remote too (`remote`, or the default).

    Nothing is changed. Raises InvalidInput and NotAble for a remote that cannot be asked.
    """
    findings: list[Finding] = []
    records: dict[str, list[RawRecord]] = {}
    for record in raw_records(root):
        if isinstance(record, ConfigError):
            where = record.file if record.line is None else f"{record.file}:{record.line}"
            findings.append(Finding("damaged", where, None, record.message, record.hint or ""))
            continue
        records.setdefault(record.run, []).append(record)
        findings += check_record(record)
    findings += _orphans_and_duplicates(records)
    for key in strays(root):
        hint = "move it elsewhere"
        findings.append(Finding("no record", key, None, "it is in no record's folder", hint, False))
    heads = {run: head for run, it in records.items() if (head := _head(it)) is not None}
    findings += check_environments(root, heads, records)
    findings += check_code(root, heads, records)
    findings += check_pins(root, records)
    by_run = _objects(records, heads)
    with open_cache(root) as cache:
        place = open_place(cache.config, remote) if cloud else None
        findings += check_objects(root, cache, place, by_run)
    whole = sum(not all(map(is_events_only, found)) for found in records.values())
    return Report(whole, tuple(findings))


def _head(found: Sequence[RawRecord]) -> RunHead | None:
    heads = (head_of(record) for record in found)
    return next((head for head in heads if head is not None), None)


def _orphans_and_duplicates(records: Mapping[str, Sequence[RawRecord]]) -> Iterator[Finding]:
    for run_id, found in records.items():
        whole = [record for record in found if not is_events_only(record)]
        if not whole:
            hint = "`mlctl exp pull` or `git pull` for its record, or remove the folder"
            yield Finding("no record", found[0].place, run_id, "events of an unknown run", hint)
        for other in whole[1:]:
            if detail := _difference(whole[0], other):
                hint = "a record is never changed: keep the one that git had first"
                yield Finding("two of one id", other.place, run_id, detail, hint)


def _difference(one: RawRecord, other: RawRecord) -> str:
    """What two records of one run do not agree on; events and notes may differ."""
    if head_of(one) is None or head_of(other) is None:
        return ""
    for name in sorted(one.files.keys() & other.files.keys()):
        if not name.startswith("events/") and one.files[name] != other.files[name]:
            return f"its {name} is not that of {one.place}"
    return ""


def _objects(
    records: Mapping[str, Sequence[RawRecord]], heads: Mapping[str, RunHead]
) -> dict[str, list[RunObject]]:
    found = {}
    for run_id, head in heads.items():
        record = next(it for it in records[run_id] if head_of(it) is not None)
        try:
            found[run_id] = objects_in(head, record.files)
        except MlctlError:  # it is damaged, which is said already
            continue
    return found
