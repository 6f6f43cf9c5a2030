"""Starting a project: in a new folder, or beside what a repository already has.

Everything that takes time or can fail happens in a folder aside; only then are files laid down, one
whole file at a time, and none over another. Whoever was interrupted runs the same command again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlctl
from mlctl.adapters import files, scaffold, yaml
from mlctl.adapters.git import OUR_NAME, git
from mlctl.adapters.git import head as git_head
from mlctl.adapters.process import call
from mlctl.projects import merge_driver, templates
from mlctl.projects.place import Place, check, look

ANSWERS = ".copier-answers.yml"
SETTINGS = "mlctl.yaml"
PIPELINE = "dvc.yaml"
FIRST_STAGE = (
    "mlctl data import sklearn:breast_cancer data/raw.csv",
    "dvc stage add -n train -d data/raw.csv -d train.py -o model.txt python train.py",
    "mlctl run",
)
SETTINGS_TEXT = """\
# Settings of the project. `auto` commits the record of each run; `"off"` leaves that to you.
records: {commit: auto}
"""


@dataclass(frozen=True, slots=True)
class Started:
    """What `start` did: files `added` and `kept` (relative POSIX paths), and what to say about it.

    `commit` is the first commit of a git repository that was made here, None where there is none.
    """

    root: Path
    template: str
    version: str
    added: tuple[str, ...]
    kept: tuple[str, ...]
    git_made: bool
    dvc_made: bool
    commit: str | None
    merge_driver: bool
    notes: tuple[str, ...]
    next: tuple[str, ...]


def start(
    directory: Path,
    *,
    template: str = templates.NONE,
    answers: Mapping[str, str] | None = None,
    ask: bool = False,
    scm: bool = True,
    subdir: bool = False,
    driver: bool | None = None,
) -> Started:
    """Make `directory` a project, overwriting nothing.

    A missing or empty folder becomes a git and DVC repository whose records commit themselves. What
    stood there before keeps its ways: it gets what it lacks, and its records stay off. `driver` is
    git's merge driver for `dvc.lock`: None is yes for a repository that is made here, and for one
    whose attributes name it. Raises InvalidInput for an unknown template or answer and for a folder
    inside another repository.
    """
    templates.check_answers(template, answers or {})
    place = look(directory)
    check(place, scm=scm, subdir=subdir, driver=driver)
    owner = scm and place.empty and not subdir
    makes_git = scm and not subdir and place.git != place.path
    records_off = not owner and not _records_asked(place.path, answers or {})
    with scaffold.staging() as stage:
        following = _render(template, stage, place, answers or {}, owner, ask)
        if place.dvc != place.path:
            _dvc_init(stage, scm=scm, subdir=subdir)
        if owner and driver is not False:
            files.write_text(stage / merge_driver.ATTRIBUTES, merge_driver.LINE)
        if (place.path / PIPELINE).is_file():
            # A settings file would let stages run side by side that nobody declared apart.
            (stage / SETTINGS).unlink(missing_ok=True)
        place.path.mkdir(parents=True, exist_ok=True)
        if makes_git:
            git("init", "-q", cwd=place.path)
        added, kept = scaffold.lay_down(stage, place.path)
    changed = bool(driver) and not owner and merge_driver.add_line(place.path)
    has_driver = scm and driver is not False and _names_driver(place.path)
    if has_driver:
        merge_driver.configure(place.path)
    commit = _first_commit(place.path, added, template) if owner and makes_git else None
    started = Started(
        root=place.path,
        template=template,
        version=mlctl.__version__,
        added=added,
        kept=kept,
        git_made=makes_git,
        dvc_made=place.dvc != place.path,
        commit=commit,
        merge_driver=has_driver,
        notes=(),
        next=following,
    )
    notes = _notes(place, started, scm=scm, records_off=records_off)
    if scm and driver is not False:
        notes += _driver_notes(place.path, changed=changed, has_driver=has_driver)
    return replace(started, notes=notes)


def _render(
    template: str,
    stage: Path,
    place: Place,
    answers: Mapping[str, str],
    owner: bool,
    ask: bool,
) -> tuple[str, ...]:
    """Fill `stage` with the project's files and return the commands that come next."""
    if template == templates.NONE:
        if owner:
            files.write_text(stage / SETTINGS, SETTINGS_TEXT)
            return FIRST_STAGE
        return ("mlctl status", "mlctl plan", "mlctl run")
    source = templates.find(template)
    suggested = {
        "project": _project_name(place.path),
        "records": "auto" if owner else "off",
        "mlctl_version": mlctl.__version__,
        **_earlier_answers(place.path),
    }
    used = scaffold.render(source, stage, answers=answers, suggested=suggested, ask=ask)
    return scaffold.closing_commands(source, used)


def _earlier_answers(root: Path) -> dict[str, Any]:
    """The answers of an earlier start in the same folder."""
    file = root / ANSWERS
    loaded = yaml.load(files.read_text(file), name=ANSWERS) if file.is_file() else None
    answers = loaded if isinstance(loaded, dict) else {}
    return {str(name): value for name, value in answers.items() if not str(name).startswith("_")}


def _records_asked(root: Path, answers: Mapping[str, str]) -> bool:
    return (root / SETTINGS).exists() or answers.get("records") == "auto"


def _project_name(root: Path) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "-" for c in root.name)
    return kept.strip(" ._-") or "project"


def _dvc_init(stage: Path, *, scm: bool, subdir: bool) -> None:
    """Let DVC itself write its files, aside: its start takes a second, and it can fail."""
    options = ["--no-scm"] if not scm else ["--subdir"] if subdir else []
    if scm:
        git("init", "-q", cwd=stage)
    aside = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(stage / ".dvc/tmp/site")}
    call([sys.executable, "-m", "dvc", "init", "-q", *options], cwd=stage, env=aside)


def _first_commit(root: Path, added: tuple[str, ...], template: str) -> str | None:
    """Commit what was added to the repository that we made; None where git refuses.

    Where git does not know the user yet (a fresh machine), the commit is mlctl's: the files are.
    """
    git("add", "-f", "--", *added, cwd=root)
    what = "an empty project" if template == templates.NONE else f"the {template} template"
    env = None if _is_known_to_git(root) else OUR_NAME
    done = git("commit", "-q", "-m", f"Start from {what}", cwd=root, env=env, check=False)
    return git_head(root) if done.code == 0 else None


def _names_driver(root: Path) -> bool:
    return merge_driver.attribute(root) == merge_driver.NAME


def _driver_notes(root: Path, *, changed: bool, has_driver: bool) -> tuple[str, ...]:
    if changed:
        return (f"{merge_driver.ATTRIBUTES} names the merge driver of dvc.lock: commit it",)
    other = merge_driver.attribute(root)
    if has_driver or other == merge_driver.NAME:
        return ()
    if other is not None:
        return (f"git merges dvc.lock by `{other}`, as its attributes say: left as it is",)
    return ("`mlctl init --merge-driver` lets git merge dvc.lock stage by stage",)


def _is_known_to_git(root: Path) -> bool:
    return git("var", "GIT_COMMITTER_IDENT", cwd=root, check=False).code == 0


def _notes(place: Place, started: Started, *, scm: bool, records_off: bool) -> tuple[str, ...]:
    notes = []
    if started.git_made and place.git is not None:
        notes.append(f"a git repository of its own inside {place.git} (--subdir: a part of that)")
    if started.git_made and place.empty and started.commit is None:
        notes.append("git refused the first commit: `git commit` says why; the files are staged")
    if started.commit is not None and not _is_known_to_git(place.path):
        notes.append(
            "git does not know you: the first commit is mlctl's, and records wait for your "
            "`git config --global user.name` and `user.email`"
        )
    if not scm:
        notes.append("without git no run is recorded in a commit")
    elif records_off:
        notes.append(
            "records are not committed here until you ask: --commit on a run, or "
            f"`records: {{commit: auto}}` in {SETTINGS}"
        )
    if PIPELINE in started.kept and ANSWERS in started.added:
        notes.append(f"{PIPELINE} stays as it is: the template's stages are not in it")
    return tuple(notes)
