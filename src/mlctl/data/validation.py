"""Validating data sets by their contracts, and remembering verdicts that still hold."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from mlctl import __version__
from mlctl.adapters.files import write_text
from mlctl.data.contracts import files
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.judging import data_files, judge_data
from mlctl.data.table_files import digest_of_files
from mlctl.data.validated import Validated, write_report
from mlctl.store.hashing import file_md5
from mlctl.store.state import State, make_local_dir, signature

_MEMORY = "validate.json"


def validate(root: str, wanted: Sequence[str] = (), *, report: bool = True) -> list[Validated]:
    """The verdicts on the named data sets, or on all that have a contract, in the order asked for.

    Every contract is read before any data. A verdict that has no report yet gets one, unless
    `report` is off. Raises ConfigError for a wrong contract or a missing data file, and
    InvalidInput for an unknown name.
    """
    contracts = []
    for name in files.select(root, wanted):
        text = files.read(root, name)
        digest = hashlib.sha256(text.encode()).hexdigest()
        contracts.append((parse(text, file=files.path_of(name), name=name), f"sha256:{digest}"))
    memory = _Memory(os.path.join(root, ".mlctl"))
    results = []
    for contract, digest in contracts:
        result = _validate_one(root, contract, digest, memory)
        memory.remember(result)
        results.append(replace(result, report=write_report(root, result)) if report else result)
    memory.save()
    return results


def _validate_one(root: str, contract: Contract, digest: str, memory: _Memory) -> Validated:
    paths = data_files(root, contract)
    digests = {path: memory.digest_of(os.path.join(root, path)) for path in paths}
    data_digest = digest_of_files(contract.data, digests)
    known = memory.verdict_of(contract, data_digest, digest)
    result = Validated(contract.name, contract.data, data_digest, contract.file, digest, _NONE)
    if known is not None:
        return replace(result, verdict=known, cached=True)
    temporary = os.path.join(root, ".mlctl", "tmp")
    return replace(result, verdict=judge_data(root, contract, paths, temporary))


_NONE = Verdict(0, 0, 0)


class _Memory:
    """`.mlctl/validate.json`: the last verdict on each data set, and what it was reached on.

    It is this work tree's own and never committed; a damaged file counts as an empty one.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, _MEMORY)
        self._known: dict[str, Any] = {}
        with suppress(OSError, ValueError), open(self._path, encoding="utf-8") as file:
            loaded = json.load(file)
            if isinstance(loaded, dict) and loaded.get("version") == __version__:
                self._known = dict(loaded["datasets"])
        self._before = json.dumps(self._known, sort_keys=True)

    def digest_of(self, path: str) -> str:
        """The MD5 of the file, from the state database where it did not change."""
        make_local_dir(self._folder)
        state = State(self._folder)
        began = time.time_ns()
        sign = signature(os.stat(path))
        md5 = state.get(path, sign)
        if md5 is None:
            md5 = file_md5(path)
            state.put_many([(path, sign, md5)], began=began)
        state.close()
        return f"md5:{md5}"

    def verdict_of(self, contract: Contract, data: str, digest: str) -> Verdict | None:
        entry: Any = self._known.get(contract.name)
        try:
            if (entry["data"], entry["contract"]) != (data, digest):
                return None
            verdict = entry["verdict"]
            failures = tuple(Failure(**_tuples(item)) for item in verdict["failures"])
            return Verdict(verdict["rows"], verdict["columns"], verdict["checks"], failures)
        except (TypeError, KeyError):
            return None

    def remember(self, result: Validated) -> None:
        self._known[result.dataset] = {
            "data": result.data_digest,
            "contract": result.contract_digest,
            "verdict": asdict(result.verdict),
        }

    def save(self) -> None:
        if json.dumps(self._known, sort_keys=True) != self._before:
            make_local_dir(self._folder)
            body = {"version": __version__, "datasets": self._known}
            write_text(self._path, json.dumps(body, ensure_ascii=False))


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) if isinstance(value, list) else value for key, value in item.items()}


def _tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(item) if isinstance(item, list) else item for item in value)
