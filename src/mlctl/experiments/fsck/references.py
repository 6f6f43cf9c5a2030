"""What records refer to (code, packages, objects, pins), and whether all of it is there."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from mlctl.adapters.git import git, toplevel
from mlctl.adapters.git_objects import lacking
from mlctl.data.versions.place import Place
from mlctl.errors import MlctlError
from mlctl.experiments.environment import environment_digest
from mlctl.experiments.fsck.findings import Finding
from mlctl.experiments.fsck.record import STAGES, events_of
from mlctl.experiments.fsck.sources import RawRecord, environment_text
from mlctl.experiments.objects import RunObject, in_git
from mlctl.experiments.pins import pinned_runs
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_events import fold
from mlctl.records.run_stages import parse_stages
from mlctl.store.cache import Cache
from mlctl.store.verify import Object

_PUSH = "`mlctl exp push` in the clone where it ran"
Heads = Mapping[str, RunHead]
Records = Mapping[str, Sequence[RawRecord]]


def check_code(root: str, heads: Heads, records: Records) -> Iterator[Finding]:
    """Commits and snapshots of which git has no object here."""
    codes = {run_id: head.git for run_id, head in heads.items() if head.git is not None}
    wanted = {it for code in codes.values() for it in (code.commit, code.snapshot) if it}
    if not wanted or toplevel(root) is None:
        return
    absent = lacking(root, wanted)
    shallow = git("rev-parse", "--is-shallow-repository", cwd=root).stdout.strip() == "true"
    for run_id, code in codes.items():
        where = run_folder(run_id)
        if code.commit in absent:
            hint = "git fetch --unshallow" if shallow else "git fetch, from a clone that has it"
            yield Finding(
                "no commit", where, run_id, f"{code.commit} is not here", hint, damage=not shallow
            )
        patched = any("code.patch" in it.names for it in records[run_id])
        if code.snapshot in absent and not patched:
            hint = f"{_PUSH}, then `mlctl exp pull` here"
            yield Finding("no snapshot", where, run_id, f"{code.snapshot} is not here", hint)


def check_environments(root: str, heads: Heads, records: Records) -> Iterator[Finding]:
    """Texts of packages that are missing, or are not what their name says."""
    users: dict[str, str] = {}
    for run_id, head in heads.items():
        for digest in filter(None, [head.env, *_host_environments(records[run_id])]):
            users.setdefault(digest.removeprefix("sha256:"), run_id)
    for digest, run_id in users.items():
        where, text = f"runs/_env/{digest}.txt", environment_text(root, digest)
        hint = f"restore it from git: git checkout HEAD -- {where}"
        if text is None:
            yield Finding("missing", where, run_id, "the packages of the run", hint)
        elif environment_digest(text.decode("utf-8", "replace")) != digest:
            yield Finding("damaged", where, run_id, "its sha256 is not its name", hint)


def check_objects(
    root: str, cache: Cache, place: Place | None, by_run: Mapping[str, Sequence[RunObject]]
) -> Iterator[Finding]:
    """Outs, logged files and whole metrics that the cache lacks, and the remote if it is asked."""
    outs = {it.top: it for items in by_run.values() for it in items if not it.is_dep}
    away = {top: it for top, it in outs.items() if not cache.has(it.digest)}
    if toplevel(root) is not None:
        known = in_git(root, away.values())
        away = {top: it for top, it in away.items() if it.key not in known}
    there = place.present(list(away)) if place is not None and away else None
    for run_id, items in by_run.items():
        for it in items:
            if it.top in away and not it.is_dep:
                yield _lacking_object(run_id, it, there)


def _lacking_object(run_id: str, it: RunObject, there: Container[Object] | None) -> Finding:
    where, detail = run_folder(run_id), f"{it.key} (md5:{it.digest.md5})"
    if there is None:
        hint = "`mlctl exp fsck --cloud` looks whether the remote has it"
        return Finding("not in the cache", where, run_id, detail, hint, damage=False)
    if it.top in there:
        hint = f"`mlctl exp pull {run_id}` brings it"
        return Finding("not in the cache", where, run_id, detail, hint, damage=False)
    hint = f"{_PUSH}, or `mlctl exp reproduce {run_id}`"
    return Finding("lost", where, run_id, f"{detail} is nowhere", hint)


def check_pins(root: str, records: Records) -> Iterator[Finding]:
    """Kept runs whose objects are not pinned, and pins of runs that have no record here."""
    if toplevel(root) is None:
        return
    pinned = pinned_runs(root)
    for run_id, found in records.items():
        if fold(event for it in found for event in events_of(it)).kept and run_id not in pinned:
            hint = f"`mlctl exp keep {run_id}`, or `mlctl exp pull` where another clone pinned it"
            yield Finding("not pinned", run_folder(run_id), run_id, "it is kept", hint)
    for run_id in sorted(pinned - records.keys()):
        hint = "`mlctl exp pull`, `git pull`, or `mlctl exp gc --force` to let it go"
        yield Finding("no record", "mlctl/kept", run_id, "a pin", hint, damage=False)


def _host_environments(found: Iterable[RawRecord]) -> Iterator[str]:
    for record in found:
        try:
            text = record.files[STAGES].decode("utf-8", "replace")
            stages = parse_stages(text, name=STAGES)
        except (KeyError, MlctlError):  # said elsewhere
            continue
        yield from (str(it.host["env"]) for it in stages if it.host.get("env"))
