"""Judging a data set by its contract, whatever it is made of: tables or images."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.data.contracts.checkrules import declared
from mlctl.data.contracts.images import image_files, judge_images
from mlctl.data.contracts.model import Contract
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.table_files import judge_tables, table_files


def data_files(root: str, contract: Contract) -> list[str]:
    """The files of the data set, from `root`, sorted. Raises ConfigError where there are none."""
    return (table_files if contract.images is None else image_files)(root, contract)


def judge_data(root: str, contract: Contract, paths: Sequence[str], temporary: str) -> Verdict:
    """The verdict on the files `paths`, from `root`; `temporary` is for what takes much room.

    Raises ConfigError for a contract that does not fit its columns, MissingExtra for a library.
    """
    if contract.images is not None:
        return judge_images(root, contract, paths)
    verdict = judge_tables(root, contract, paths, temporary)
    if not declared(contract):
        return verdict
    from mlctl.data.checks.checking import check_tables

    return check_tables(verdict, root, contract, paths, temporary)
