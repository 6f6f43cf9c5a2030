"""Takes a `Case` through its edits with DVC in one twin and mlctl in the other."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence, Set
from pathlib import Path

import yaml

from conformance.cases import FOLDERS, Case, Edit
from conformance.pipelines import EDITABLE, PARAMS_FILES, SOURCE_FILES, SOURCES, Pipeline, normal
from conformance.twins import Twins, changed_stages, dvc_status, run_dvc, run_mlctl, snapshot

CONFIG_TEXT = {
    "": "",
    "hardlink": "[cache]\n    type = hardlink\n",
    "symlink": "[cache]\n    type = symlink\n",
    "copy": "[cache]\n    type = copy\n",
    "without git": "[core]\n    no_scm = True\n",
    "cache elsewhere": "[cache]\n    dir = ../../cache\n    shared = group\n",
}
REMOTE = "['remote \"store\"']\n    url = ../../store\n"


class Walk:
    def __init__(self, case: Case, folder: Path) -> None:
        self.case = normal(case)
        self.pipeline = Pipeline(self.case)
        self.lost = False  # whether the cache ever lacked an object of an out that is there
        self.twins = Twins(folder, config=CONFIG_TEXT[case.config] + REMOTE, wide=True)
        for path, text in {**SOURCE_FILES, **PARAMS_FILES}.items():
            self.twins.write(path, text, mode=0o755 if path == "tool.sh" else None)
        for place in FOLDERS:
            self.twins.write(os.path.join(place, ".keep"), "")
        tracked = [f"./{SOURCES[n]}" for n in self.case.tracked]
        if tracked:
            self.twins.add(*tracked)
        self.write_pipeline()

    def go(self) -> None:
        """The first run, every edit, and at rest in the end."""
        self.run(Edit())
        self.pipeline.freeze = True
        self.write_pipeline()
        for edit in self.case.edits:
            self.change(edit)
            self.run(edit)
        self.pipeline.mode.clear()
        self.write_pipeline()
        code = self.run(Edit())  # no success where an out of a frozen stage was taken away
        if code == 0 and not self.pipeline.always:
            self.twins.assert_at_rest()

    def dvc_changed(self) -> set[str]:
        """As `dvc repro` sees it: its status calls a frozen stage always changed, too."""
        status = dvc_status(self.twins.dvc)
        frozen = {
            self.pipeline.address(i) for i, s in enumerate(self.case.stages) if "frozen" in s.flags
        }
        return {
            name
            for name, why in status.items()
            if not (
                self.pipeline.freeze and name.split("@")[0] in frozen and why == ["always changed"]
            )
        }

    def write_pipeline(self) -> None:
        for file, text in self.pipeline.files().items():
            target = self.twins.dvc / file
            if not target.exists() or target.read_text() != text:
                self.twins.write(file, text)

    def run(self, edit: Edit) -> int:
        """Both judge alike, run, and leave the same bytes; after a failure, the same locks.

        The exit code of ours.
        """
        twins = self.twins
        seen, theirs = changed_stages(twins.ours), self.dvc_changed()
        assert seen == theirs, (edit, seen, theirs)
        assert seen == changed_stages(twins.wide or twins.ours)  # drops damaged objects
        args = self.arguments(edit)
        codes = twins.run(*args, jobs=1)
        assert (codes[0] == 0) == (codes[1] == 0), (edit, codes, twins.said, twins.told)
        assert codes[1] in {0, 1}, (edit, twins.told)
        jobs = 1 if codes[1] and "--keep-going" not in args else self.most_jobs
        twins.run_wide("run", f"-j{jobs}", *args, code=codes[1])
        self.settle_links({"uncached", "metric"} if "--no-commit" in args else {"uncached"})
        self.settle_modes()
        self.settle_layout()
        if codes[1]:
            self.settle_sources()
            self.settle_failure(args)
        elif "-P" not in args or {*args} - {"-P", "--force"}:
            self.settle_order()
        twins.assert_equal()
        if "--no-commit" in args and not codes[1]:
            assert run_dvc(twins.dvc, "commit", "-f")[0] == 0
            assert run_mlctl(twins.ours, "commit", "-f")[0] == 0
            twins.run_wide("commit", "-f", code=0)
            self.settle_layout()
            twins.assert_equal()
        self.lost |= "--no-commit" in args and codes[1] != 0
        return codes[1]

    @property
    def most_jobs(self) -> int:
        """One where it matters which of two stages was first to bring an object back."""
        return 1 if self.lost else 8

    def settle_links(self, kinds: Set[str]) -> None:
        """Where DVC left an uncached out as a link into the cache, ours is a copy."""
        for made in (m for outs in self.pipeline.outs for m in outs if m.kind in kinds):
            for key in made.keys:
                theirs, mine = self.twins.dvc / key, self.twins.ours / key
                if not (theirs.exists() and mine.exists()):
                    continue
                same = mine.read_bytes() == theirs.read_bytes()
                if same and not theirs.stat().st_mode & 0o200 and mine.stat().st_mode & 0o200:
                    theirs.unlink()
                    shutil.copy(mine, theirs)

    def settle_modes(self) -> None:
        """Where DVC brought back a whole folder, files that ours left alone are executable yet."""
        for key in (k for outs in self.pipeline.outs for m in outs for k in m.keys):
            theirs, mine = (root / key / "deep/tool" for root in self.twins.both)
            if theirs.exists() and mine.exists() and mine.stat().st_mode & 0o100:
                theirs.chmod(theirs.stat().st_mode | 0o100)

    def settle_layout(self) -> None:
        """DVC lists a folder that has become a dep in the layout of DVC 2, too."""
        for path in self._cache(self.twins.dvc).glob("[0-9a-f][0-9a-f]/*.dir"):
            path.unlink()

    def settle_sources(self) -> None:
        """DVC visits the files of a folder as they are listed, mlctl in alphabetical order: one
        may have come to a source before the failure, and the other not.
        """
        told = self.twins.said, self.twins.told
        for name in (f"./{SOURCES[n]}.dvc" for n in self.case.tracked):
            codes = self.twins.run(name, jobs=1)
            assert codes == (0, 0), self.report(name, codes)
            self.twins.run_wide("run", name, code=0)
        self.twins.said, self.twins.told = told

    def settle_failure(self, args: Sequence[str]) -> None:
        """What DVC does otherwise on purpose of ours: `.gitignore` lines go, outs go early.

        With `--force` it finds that a dep is missing when the command has been run.
        """
        was_run = "--force" in args and re.search("dep.* does not exist", self.twins.said)
        self.settle_order()
        theirs, mine = snapshot(self.twins.dvc), snapshot(self.twins.ours)
        outs = self.pipeline.keys()
        for path in theirs.keys() | mine.keys():
            if theirs.get(path) == mine.get(path):
                continue
            is_out = any(path == key or path.startswith(f"{key}/") for key in outs)
            assert is_out or path.endswith(".gitignore"), (path, self.twins.said, self.twins.told)
            if path.endswith(".gitignore") or (was_run and path in theirs):
                self._take_ours(path)
            else:
                assert path not in theirs, (path, "DVC kept what we removed")
                for root in self.twins.all[1:]:
                    (root / path).unlink()

    def settle_order(self) -> None:
        """DVC's order of some targets is a set's: entries and lines are compared as sets."""
        theirs, mine = snapshot(self.twins.dvc), snapshot(self.twins.ours)
        for path in theirs.keys() & mine.keys():
            one, other = theirs[path][0], mine[path][0]
            if one == other:
                continue
            if path.endswith("dvc.lock"):
                assert yaml.safe_load(one) == yaml.safe_load(other), self.report(path, one, other)
                self._take_ours(path)
            elif path.endswith(".gitignore") and sorted(one.split()) == sorted(other.split()):
                self._take_ours(path)

    def _take_ours(self, path: str) -> None:
        target, source = self.twins.dvc / path, self.twins.ours / path
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copy(source, target)

    def report(self, *what: object) -> str:
        said = f"--- dvc said\n{self.twins.said}\n--- mlctl said\n{self.twins.told}"
        return "\n".join([*map(str, what), said])

    def arguments(self, edit: Edit) -> tuple[str, ...]:
        target = self.pipeline.address(edit.target % len(self.case.stages))
        return {
            "all": ("-P",),
            "force": ("-P", "--force"),
            "single": ("--single-item", target),
            "force single": ("--single-item", "--force", target),
            "downstream": ("--downstream", target),
            "target": (target,),
            "keep going": ("-P", "--keep-going"),
            "no commit": ("-P", "--no-commit"),
            "no run-cache": ("-P", "--no-run-cache"),
            "pipeline": ("--pipeline", target),
            "default": () if "dvc.yaml" in self.pipeline.files() else ("-P",),
            "allow missing": ("-P", "--allow-missing"),
        }[edit.run]

    def change(self, edit: Edit) -> None:
        """Make the edit to both."""
        index = edit.which % len(self.case.stages)
        pipeline = self.pipeline
        if edit.change == "command":
            pipeline.version[index] = pipeline.version.get(index, 0) + 1
        elif edit.change in {"fail early", "fail late"}:
            pipeline.mode[index] = edit.change
        elif edit.change in {"add dep", "drop dep"}:
            pipeline.deps[index] = 2 if edit.change == "add dep" else -1
        else:
            self._change_files(edit)
        if not edit.change.startswith("fail"):
            pipeline.mode.clear()
        self.write_pipeline()

    def _change_files(self, edit: Edit) -> None:
        twins, which = self.twins, edit.which
        keys = sorted(self.pipeline.keys())
        key = keys[which % len(keys)] if keys else None
        sources = [p for p in SOURCE_FILES if p != "tool.sh"]
        source = sources[which % len(sources)]
        if edit.change == "append":
            twins.write(source, (twins.dvc / source).read_bytes() + b"more\n")
        elif edit.change in {"param", "edit word"}:
            file, old, new = EDITABLE[which % len(EDITABLE)]
            text = (twins.dvc / file).read_text()
            twins.write(file, text.replace(old, new) if old in text else text.replace(new, old))
        elif edit.change == "touch":
            path = key if key and which % 2 else source
            twins.edit(lambda root: os.utime(root / path) if (root / path).exists() else None)
        elif edit.change == "executable":
            twins.edit(lambda root: (root / "data.txt").chmod(0o755))
        elif edit.change == "remove out" and key:
            twins.remove(key)
        elif edit.change == "damage out" and key:
            twins.edit(lambda root: _damage(root / key))
        elif edit.change in {"lose object", "damage object"}:
            self._lose_object(which, damage=edit.change == "damage object")
        elif edit.change in {"lose entry", "lose lock"}:
            self._lose_entry(which, whole=edit.change == "lose lock")

    def _cache(self, root: Path) -> Path:
        elsewhere = self.case.config == "cache elsewhere"
        return root.parent / "cache" if elsewhere else root / ".dvc/cache"

    def _lose_object(self, which: int, *, damage: bool) -> None:
        objects = sorted(
            str(p.relative_to(self._cache(self.twins.dvc)))
            for p in self._cache(self.twins.dvc).glob("files/md5/*/*")
            # DVC leaves a damaged list of a folder where it is, and we remove it.
            if not (damage and p.suffix == ".dir")
        )
        if not objects or self.case.config == "symlink":  # DVC itself fails on a broken link
            return
        self.lost = True
        name = objects[which % len(objects)]
        for root in self.twins.all:
            path = self._cache(root) / name
            path.unlink()
            if damage:  # not 0444, so that it is not trusted
                path.write_bytes(b"damaged")

    def _lose_entry(self, which: int, *, whole: bool) -> None:
        locks = sorted(str(p.relative_to(self.twins.dvc)) for p in self.twins.dvc.rglob("dvc.lock"))
        if not locks:
            return
        lock = locks[which % len(locks)]
        if whole:
            self.twins.remove(lock)
            return
        text = (self.twins.dvc / lock).read_text()
        names = re.findall(r"(?m)^  (\S[^\n]*):$", text)
        if len(names) == 1:
            self.twins.remove(lock)
        elif names:
            name = names[which % len(names)]
            entry = re.compile(rf"(?ms)^  {re.escape(name)}:\n.*?(?=^  \S|\Z)")
            self.twins.write(lock, entry.sub("", text, count=1))


def _damage(path: Path) -> None:
    if path.is_dir():
        path = path / "a.txt"
    if path.exists() or path.is_symlink():
        path.unlink()
        path.write_bytes(b"damaged\n")
