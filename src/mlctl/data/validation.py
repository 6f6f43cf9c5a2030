"""Validating data sets by their contracts, and remembering verdicts that still hold.

The hot path is the one where nothing changed: it reads no YAML and no data.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from mlctl.adapters import clock
from mlctl.data.contracts import files
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.memory import Memory
from mlctl.data.validated import Validated
from mlctl.data.whereabouts import Data, is_pattern
from mlctl.errors import Busy, ConfigError


class _Named(NamedTuple):
    """A data set before it is looked at: the text of its contract, and what is known of it."""

    name: str
    file: str
    text: str
    data: str
    digest: str
    holds: str  # what a verdict by this contract holds for: its digest, and the hour if it matters
    personal: frozenset[str]


def validate(
    root: str,
    wanted: Sequence[str] = (),
    *,
    staged: bool = False,
    revision: str | None = None,
    absent_ok: bool = False,
) -> list[Validated]:
    """The verdicts on the named data sets, or on all that have a contract, in the order asked for.

    Every contract is read before any data. With `staged` the data is what the pointers in git's
    index (or those of the commit `revision`) name, whatever lies in the work tree. Data that is
    nowhere here is left without a verdict if that is `absent_ok`. Raises ConfigError for a wrong
    contract or missing data, InvalidInput for an unknown name, and Busy for data that is being
    written.
    """
    memory = Memory(os.path.join(root, ".mlctl"))
    named = [_name(root, memory, name) for name in files.select(root, wanted)]
    with closing(Data(root, memory, revision)) as data:
        results = [_validate_one(data, memory, item, staged=staged) for item in named]
    for result in results:
        if result.verdict is None and not absent_ok:
            several = is_pattern(result.data)
            raise ConfigError(
                f"no file matches {result.data}" if several else f"{result.data} is not there",
                file=result.contract,
                where="data",
                hint="restore it with `mlctl data pull`, or correct the path",
            )
    return results


def _name(root: str, memory: Memory, name: str) -> _Named:
    """Read a contract; parsed only where its text was never seen."""
    text = files.read(root, name)
    facts = memory.recall("contract", text, partial(_facts, name, text))
    # What a contract says of the data's age is asked again each hour.
    moment = f"@{int(clock.now()) // 3600}" if facts["ages"] else ""
    return _Named(
        name,
        files.path_of(name),
        text,
        facts["data"],
        facts["digest"],
        facts["digest"] + moment,
        frozenset(facts["personal"]),
    )


def _facts(name: str, text: str) -> dict[str, Any]:
    from mlctl.adapters import yaml
    from mlctl.data.contracts.contract import parse
    from mlctl.records import canonical

    file = files.path_of(name)
    contract = parse(text, file=file, name=name)
    meaning = canonical.line(yaml.load(text, name=file))
    digest = hashlib.sha256(meaning.encode()).hexdigest()
    personal = [c.name for c in contract.columns if c.personal]
    return {
        "data": posixpath.normpath(contract.data),
        "digest": f"sha256:{digest}",
        "personal": personal,
        "ages": contract.freshness is not None,
    }


def _validate_one(data: Data, memory: Memory, item: _Named, *, staged: bool) -> Validated:
    if staged:
        digest = data.staged_digest(item.data) or data.digest(item.data)
    else:
        digest = data.digest(item.data) or data.staged_digest(item.data)
    result = Validated(
        item.name, item.data, digest or "", item.file, item.digest, personal=item.personal
    )
    if digest is None:
        return result
    known = memory.verdict(digest, item.holds)
    if known is not None:
        return replace(result, verdict=known, cached=True)
    with data.found(item.data, digest) as root:
        if root is None:
            return result
        verdict = _judge(root, item, os.path.join(data.root, ".mlctl", "tmp"))
        if root == data.root and data.digest(item.data) != digest:
            raise Busy(f"{item.data}: changed while it was read", hint="wait until it is written")
    memory.remember(verdict, digest, item.holds)
    return replace(result, verdict=verdict)


def _judge(root: str, item: _Named, temporary: str) -> Verdict:
    """Judge the data below `root`, which may be a view of the cache."""
    from mlctl.data.contracts.contract import parse
    from mlctl.data.judging import data_files, judge_data

    contract = parse(item.text, file=item.file, name=item.name)
    return judge_data(root, contract, data_files(root, contract), temporary)
