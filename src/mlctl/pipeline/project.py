"""One repository as the engine sees it: its files found, parsed (or recalled) and linked.

`Project.open` is the start of every verb of the engine.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from mlctl.adapters import git
from mlctl.adapters.files import read_text
from mlctl.errors import Busy, ConfigError, InvalidInput, Unmerged
from mlctl.pipeline import graph as graphs
from mlctl.pipeline import targets
from mlctl.pipeline.compiled import Compiled
from mlctl.pipeline.spec import LockedPath, LockedStage, PipelineFile, Stage, lock_key
from mlctl.store.cache import Cache
from mlctl.store.config import Config, find_root, load_config
from mlctl.store.ignore import Ignore
from mlctl.store.locks import repo_lock
from mlctl.store.state import State
from mlctl.store.workspace import Workspace

if TYPE_CHECKING:
    from mlctl.pipeline.lockmerge import Merge


@dataclass
class Project:
    """Everything read of a repository; `cwd` is the key of the folder that targets start from.

    `merges` are the locks in which git left conflict markers: they are judged as merged, and
    `pipeline.mending` writes them.
    """

    root: str
    cwd: str
    config: Config
    ignore: Ignore
    files: tuple[PipelineFile, ...]
    stages: tuple[Stage, ...]
    _compiled: Compiled
    lock_versions: dict[str, tuple[int, int, int] | None] = field(default_factory=dict)
    _locks: dict[str, dict[str, LockedStage]] = field(default_factory=dict)
    merges: dict[str, Merge] = field(default_factory=dict)

    @classmethod
    def open(cls, start: str | None = None) -> Project:
        """Read the project around `start` (the current folder if None).

        Raises InvalidInput outside of a project, ConfigError for a file that is wrong.
        """
        here = os.path.realpath(start or os.getcwd())
        root = find_root(here)
        config = load_config(root)
        ignore = Ignore(root)
        listed = list_files(config, ignore)
        compiled = Compiled(root)
        for key in compiled.current(_holds_stages):  # while git walks
            ignore.is_ignored(key, False)
        files: list[PipelineFile] = []
        stages: list[Stage] = []
        for key in in_order(root, listed(), ignore, compiled.is_current):
            if posixpath.basename(key) == "dvc.yaml":
                file = compiled.get(key, partial(_parse_pipeline, config, key))
                files.append(file)
                stages.extend(file.stages)
            else:
                stages.append(compiled.get(key, partial(_parse_pointer, root, key)))
        relative = os.path.relpath(here, root)
        cwd = "" if relative == "." else relative.replace(os.sep, "/")
        return cls(root, cwd, config, ignore, tuple(files), tuple(stages), compiled)

    @cached_property
    def graph(self) -> graphs.Graph:
        """The stages linked; raises ConfigError where they do not fit together."""
        with self.naming_lines():
            return graphs.build(self.stages)

    @contextmanager
    def naming_lines(self) -> Iterator[None]:
        """A ConfigError from the block gets the line that its YAML path stands on."""
        try:
            yield
        except ConfigError as error:
            from mlctl.pipeline.load import line_of

            if error.line is None and error.where:
                error.line = line_of(self.root, error.file, error.where)
            raise

    def lock(self, file: str) -> dict[str, LockedStage]:
        """The `dvc.lock` beside the `dvc.yaml` at `file`: stage name -> what is locked.

        What a killed run had finished is brought into the locks first.
        """
        found = self._locks.get(file)
        if found is None:
            if not self._locks:
                self._recover()
            key = lock_key(file)
            self.lock_versions[file] = self.lock_version(file)
            try:
                found = self._compiled.get(key, partial(self._parse_lock, key))
            except Unmerged:
                found = self._merged_lock(key)
            self._locks[file] = found
        return found

    def mend_locks(self, indices: Iterable[int], emit: Callable[[Any], None]) -> None:
        """Write the merge of each lock of these stages in which git left conflict markers."""
        for index in indices:
            self.locked(self.stages[index])
        if self.merges:
            from mlctl.pipeline import mending

            mending.mend(self.config, list(self.merges), emit)
            self.merges.clear()
            self._locks.clear()  # what a killed run had finished comes in now

    def _merged_lock(self, key: str) -> dict[str, LockedStage]:
        from mlctl.pipeline import mending

        merge = mending.merged(self.config, key)
        if merge is None:  # resolved between two looks at it
            return self.read_lock(key)
        self.merges[key] = merge
        return dict(merge.stages)

    def _parse_lock(self, key: str) -> tuple[dict[str, LockedStage], Iterable[str]]:
        return self.read_lock(key), ()

    def params_file(self, key: str) -> dict[Any, Any] | None:
        """The values of a parameters file now, or None where there is none."""
        path = self.path(key)
        if not os.path.exists(path):
            return None
        return self._compiled.get(key, partial(_parse_params, path, key))

    def _recover(self) -> None:
        folder = self.path(".mlctl/journal")
        if not os.path.isdir(folder) or not os.listdir(folder):
            return
        from mlctl.pipeline import journal
        from mlctl.store import gitignore

        paths = journal.abandoned(self.root)
        if not paths:
            return
        serial = [self.stages[index] for index in self.graph.order()]

        def order(lock: str) -> list[str]:
            return [s.name for s in serial if s.name is not None and lock_key(s.file) == lock]

        def ignore_outs(done: journal.Entries) -> None:
            recovered = [s for s in serial if s.name in done.get(lock_key(s.file), ())]
            outs = [out.key for stage in recovered for out in stage.outs if out.cache]
            gitignore.ignore(self.config, outs)

        # A lock with conflict markers takes nothing in before it is merged; the journal waits.
        with suppress(Busy, OSError, Unmerged), repo_lock(self.config):
            for path in paths:
                journal.recover(self.root, path, order, ignore_outs)

    def lock_version(self, file: str) -> tuple[int, int, int] | None:
        """What tells one version of the lock of a `dvc.yaml` from the next, without reading it."""
        try:
            st = os.stat(self.path(lock_key(file)))
        except OSError:
            return None
        return st.st_mtime_ns, st.st_size, st.st_ino

    def read_lock(self, key: str) -> dict[str, LockedStage]:
        """The lock `key` as it is on disk now; empty where there is none."""
        path = os.path.join(self.root, key)
        if not os.path.exists(path):
            return {}
        from mlctl.pipeline import lockfile

        return dict(lockfile.parse_text(read_text(path, name=key), name=key).stages)

    def locked(self, stage: Stage) -> LockedStage | None:
        """What is recorded of `stage`: in its file's lock, or in the `.dvc` file itself."""
        if stage.name is None:
            return LockedStage(
                None, (), {}, tuple(LockedPath(o.path, o.digest) for o in stage.outs)
            )
        return self.lock(stage.file).get(stage.name)

    def select(
        self,
        names: Sequence[str],
        *,
        everything: bool = False,
        pipelines: bool = False,
        single: bool = False,
        downstream: bool = False,
        glob: bool = False,
        recursive: bool = False,
    ) -> list[int]:
        """The indices of the stages to judge for the targets `names`, in DVC's serial order.

        `everything` is `-P`, `pipelines` is `-p`, `single` takes the targets alone.
        """
        if everything:
            return self.graph.order()
        try:
            chosen = targets.resolve(
                self.stages, names, cwd=self.cwd, glob=glob, recursive=recursive
            )
        except InvalidInput:
            self._refuse_what_is_no_file(posixpath.join(self.cwd, "dvc.yaml"))
            raise
        if pipelines:
            return self.graph.component(chosen)
        if single:
            return chosen
        return self.graph.order(chosen, downstream=downstream)

    def _refuse_what_is_no_file(self, key: str) -> None:
        if os.path.lexists(self.path(key)) and not os.path.isfile(self.path(key)):
            raise ConfigError("is not a file", file=key, hint="move away what is there")

    def save_state(self) -> None:
        """Keep what was parsed for the next command."""
        self._compiled.save()

    def is_ignored_out(self, key: str) -> bool:
        """Whether `.dvcignore` names `key`, so that DVC refuses it as an out."""
        return self.ignore.is_ignored(key, os.path.isdir(self.path(key)), subrepos=False)

    def path(self, key: str) -> str:
        """The absolute path of a key."""
        return os.path.join(self.root, key)


@contextmanager
def open_workspace(project: Project) -> Iterator[Workspace]:
    """The project's files, cache and state database, for as long as the block lasts."""
    state = State(project.config.local_dir)
    try:
        cache = Cache(project.config, state)
        yield Workspace(project.config, state, project.ignore, cache)
    finally:
        state.close()


def discover(config: Config, ignore: Ignore) -> list[str]:
    """The keys of every `dvc.yaml` and `.dvc` file, folder by folder, files before sub-folders.

    As in DVC, what git ignores is not looked into, nor what `.dvcignore` names.
    """
    return in_order(config.root, list_files(config, ignore)(), ignore)


def list_files(config: Config, ignore: Ignore) -> Callable[[], Iterable[str]]:
    """Begin to look for the files that hold stages; the answer waits for what was found.

    It may still name some that are not there, or that DVC does not see.
    """
    if config.git_root is None:
        return ignore.find_files
    # git walks its work tree anyway, knows what is ignored, and never enters an ignored out.
    answer = git.begin(
        "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate", "--",
        ":(glob)**/dvc.yaml", ":(glob)**/*.dvc",
        cwd=config.root,
    )  # fmt: skip
    return lambda: filter(None, answer().stdout.split("\0"))


def in_order(
    root: str,
    keys: Iterable[str],
    ignore: Ignore,
    is_known: Callable[[str], bool] = lambda _key: False,
) -> list[str]:
    """Those of `keys` that are files and that DVC sees; of one that `is_known` no more is asked."""
    kept = [
        key
        for key in keys
        if not ignore.is_ignored(key, False) and (is_known(key) or _is_file(root, key))
    ]
    return sorted(kept, key=lambda key: (posixpath.dirname(key).split("/"), key))


def _holds_stages(key: str) -> bool:
    return key.endswith((".dvc", "/dvc.yaml")) or key == "dvc.yaml"


def _is_file(root: str, key: str) -> bool:
    path = os.path.join(root, key)
    if os.path.isfile(path):
        return True
    if os.path.islink(path) and not os.path.exists(path):  # DVC refuses it, too
        raise ConfigError(
            "a link to a file that does not exist", file=key, hint="remove the link, or mend it"
        )
    return False


def _parse_pipeline(config: Config, key: str) -> tuple[PipelineFile, Iterable[str]]:
    # Imported here: what parses YAML and templates is not needed while nothing was edited.
    from mlctl.pipeline.load import Parsing, load_pipeline_file

    parsing = Parsing(
        "boolean_optional" if config.parsing_bool == "boolean_optional" else "store_true",
        "append" if config.parsing_list == "append" else "nargs",
    )
    try:
        file = load_pipeline_file(config.root, key, parsing=parsing)
    except FileNotFoundError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=key) from None
    return file, file.reads


def _parse_params(path: str, key: str) -> tuple[dict[Any, Any], Iterable[str]]:
    from mlctl.adapters import yaml
    from mlctl.pipeline import params

    text = read_text(path, name=key)
    return params.parse(text, os.path.splitext(key)[1], key, load_yaml=yaml.load), ()


def _parse_pointer(root: str, key: str) -> tuple[Stage, Iterable[str]]:
    from mlctl.pipeline.load import load_dvc_file

    return load_dvc_file(root, key), ()
