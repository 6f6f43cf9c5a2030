"""What of runs lies in git, and goes to and comes from a remote of git: the records' own branch,
the snapshots of dirty trees, and the pins of kept runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mlctl.adapters.git import branch, git
from mlctl.adapters.git_objects import (
    changed,
    empty_tree,
    make_commit,
    move_ref,
    refs,
    resolve,
)
from mlctl.adapters.process import ToolFailed
from mlctl.errors import InvalidInput
from mlctl.experiments.pins import take_over
from mlctl.records.refs import KEPT, RUNS, SNAPSHOTS

_SEEN = "refs/mlctl/remotes/"  # what a remote had when it was last asked, by its name
_BATCH = 200  # refs on one command line
_ATTEMPTS = 5
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
_PUSH = ("push", "--quiet", "--no-verify")


@dataclass(frozen=True, slots=True)
class Refs:
    """What a remote of git has of runs: the records' branch, the pins, and the runs of which it
    has a snapshot.
    """

    runs: str | None
    kept: str | None
    snapshots: frozenset[str]


def git_remote(root: str, asked: str | None) -> str | None:
    """The remote to use: as asked, the branch's own, `origin`, or the only one; None where git has
    none.

    Raises InvalidInput for an unknown one, and where several leave it open.
    """
    said = git("remote", cwd=root, check=False)
    known = said.stdout.split() if said.code == 0 else []
    if asked is not None:
        if asked not in known and "/" not in asked:
            raise InvalidInput(f"git has no remote {asked!r}", hint=f"it has: {', '.join(known)}")
        return asked
    here = branch(root) if known else None
    own = git("config", f"branch.{here}.remote", cwd=root, check=False).stdout.strip()
    for name in (own, "origin"):
        if name in known:
            return name
    if len(known) > 1:
        raise InvalidInput("git has several remotes", hint=f"--git-remote: {', '.join(known)}")
    return known[0] if known else None


def push_refs(root: str, remote: str, run_ids: Collection[str]) -> int:
    """Send the records' branch, the pins, and the snapshots of the runs; how many snapshots went.

    What others pushed meanwhile is taken in first, so nobody's records are lost. Raises ToolFailed.
    """
    mine = snapshots(root)
    for attempt in range(_ATTEMPTS):
        there = ls_remote(root, remote)
        _take_in(root, remote, there)
        orders = [f"+{KEPT}:{KEPT}"] if resolve(root, KEPT) else []
        orders += [f"{RUNS}:{RUNS}"] if resolve(root, RUNS) else []
        if not orders:
            break
        said = git(*_PUSH, *_leases(there, orders), remote, *orders, cwd=root, check=False)
        if said.code == 0:
            break
        if attempt + 1 == _ATTEMPTS or not _others_were_quicker(said.stderr):
            raise ToolFailed(said)
    to_send = sorted(mine.intersection(run_ids) - there.snapshots)
    for part in _parts([f"{SNAPSHOTS}{run_id}:{SNAPSHOTS}{run_id}" for run_id in to_send]):
        git(*_PUSH, remote, *part, cwd=root)
    return len(to_send)


def pull_refs(root: str, remote: str) -> None:
    """Bring and take in what the remote has of records, pins and snapshots. Raises ToolFailed."""
    _take_in(root, remote, ls_remote(root, remote))


def pull_snapshots(root: str, remote: str, run_ids: Collection[str]) -> int:
    """Bring the snapshots of these runs that are not here; how many came."""
    there = ls_remote(root, remote).snapshots
    lacking = sorted(there.intersection(run_ids) - snapshots(root))
    for part in _parts([f"{SNAPSHOTS}{run_id}:{SNAPSHOTS}{run_id}" for run_id in lacking]):
        git(*_FETCH, remote, *part, cwd=root)
    return len(lacking)


def ls_remote(root: str, remote: str) -> Refs:
    """Ask a remote of git what it has of runs. Raises ToolFailed where it does not answer."""
    said = git("ls-remote", "--quiet", remote, RUNS, KEPT, f"{SNAPSHOTS}*", cwd=root).stdout
    found = {name: oid for oid, name in (line.split("\t", 1) for line in said.splitlines())}
    names = (name for name in found if name.startswith(SNAPSHOTS))
    ids = frozenset(name.removeprefix(SNAPSHOTS) for name in names)
    return Refs(found.get(RUNS), found.get(KEPT), ids)


def snapshots(root: str) -> set[str]:
    """The runs of which a snapshot is here."""
    return {name.removeprefix(SNAPSHOTS) for name in refs(root, SNAPSHOTS)}


def merge_records(root: str, theirs: str) -> None:
    """Take the records of the commit `theirs` into the records' branch.

    Both sides only add files, so what one has and the other lacks is added; what one removed since
    their last common commit is removed. Of a file that both changed, ours stays.
    """

    def make(ours: str | None) -> str | None:
        if ours is None:
            return theirs
        said = git("merge-base", ours, theirs, cwd=root, check=False)
        base = said.stdout.strip() or empty_tree(root)
        if base == theirs:
            return ours
        if base == ours:
            return theirs
        own = changed(root, base, ours)
        new = {path: it for path, it in changed(root, base, theirs).items() if path not in own}
        return make_commit(root, "Merge records", new, parent=ours, also=theirs)

    move_ref(root, RUNS, make)


def _take_in(root: str, remote: str, there: Refs) -> None:
    place = f"{_SEEN}{remote if '/' not in remote else 'url'}"
    for ref, oid, name in ((RUNS, there.runs, "runs"), (KEPT, there.kept, "kept")):
        if oid is not None and resolve(root, ref) != oid:
            git(*_FETCH, remote, f"+{ref}:{place}/{name}", cwd=root)
            if ref == RUNS:
                merge_records(root, oid)
            else:
                take_over(root, oid)


def _leases(there: Refs, orders: Sequence[str]) -> list[str]:
    """The pins have no history: they are replaced, but only where they are as we saw them."""
    replaces = any(order.startswith("+") for order in orders)
    return [f"--force-with-lease={KEPT}:{there.kept or ''}"] if replaces else []


def _others_were_quicker(said: str) -> bool:
    words = ("fetch first", "non-fast-forward", "stale info", "failed to update ref", "cannot lock")
    return any(word in said for word in words)


def _parts(orders: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(orders), _BATCH):
        yield orders[begin : begin + _BATCH]
