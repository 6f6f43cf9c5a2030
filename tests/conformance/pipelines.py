"""The files of a `Case`: `dvc.yaml` in several folders, sources, parameters."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from conformance.cases import Case, OutSpec, StageSpec

SOURCES = ("data.txt", "sub/data.txt", "folder", "-dash é.txt")
SOURCE_FILES: dict[str, str] = {
    "data.txt": "data\n",
    "sub/data.txt": "sub\n",
    "folder/a.txt": "a\n",
    "folder/deep/b c.txt": "b\n",
    "-dash é.txt": "é\n",
    "tool.sh": "#!/bin/sh\necho tool\n",
}
PARAMS_FILES: dict[str, str] = {
    "params.yaml": "lr: 0.1\nnested: {deep: {a: [1, 2], b: null}, on: off}\n"
    "words: {one: hello, two: 2}\nmodels: {m1: {lr: 1}, m2: {lr: 2.50}}\n",
    "p.json": '{"x": 1, "y": {"z": true}}',
    "p.toml": 'name = "n"\n[table]\nrate = 1.5\n',
    "p.py": "A = 1\n\n\nclass Train:\n    epochs = 5\n",
    "vars.yaml": "said: {greet: hi, many: [1, 2]}\n",
}
EDITABLE = (
    ("params.yaml", "lr: 0.1", "lr: 1e-3"),
    ("params.yaml", "a: [1, 2]", "a: [1, 3]"),
    ("params.yaml", "one: hello", "one: 'bye: bye'"),
    ("params.yaml", "m1: {lr: 1}", "m1: {lr: 9}"),
    ("p.json", '"x": 1', '"x": 1.5'),
    ("p.json", '"z": true', '"z": "true"'),
    ("p.toml", "rate = 1.5", "rate = 2.0"),
    ("p.py", "epochs = 5", "epochs = 50"),
    ("params.yaml", "two: 2", "two: 2.0"),
    ("vars.yaml", "greet: hi", "greet: 'ho: ho'"),
    ("vars.yaml", "many: [1, 2]", "many: [3]"),
)
_SUFFIXES = {
    "foreach list": ("-${item}", ("-a", "-1")),
    "foreach dict": ("-${key}", ("-m1", "-m2")),
    "matrix": ("-${item.x}-${item.y}", ("-1-u", "-2-u")),
}
_SECTIONS = {"metric": "metrics", "plot": "plots"}
_LOCAL = {"local": {"name": "a b", "n": 1, "on": True}}  # a YAML alias where it comes twice
_WORDS = {
    "inline": "${local}",
    "file": "${said.greet} ${said.many[0]}",
    "part": "${said.greet}",
    "params": "${words.two}",
    "both": "${local.on} ${said.greet}",
}
_OPTIONS: dict[str, Any] = {
    "push": False,
    "remote": "store",
    "labels": ["l", "ü"],
    "type": "t",
    "desc": "out: ü",
    "meta": {"k": [1, None]},
}
FOLDERS_MADE = {"folder", "tool folder"}


@dataclass(frozen=True)
class Made:
    """One out of one stage: the keys that it resolves to, its kind and options."""

    template: str
    keys: tuple[str, ...]
    kind: str
    options: tuple[str, ...]


@dataclass
class Pipeline:
    """A case with what edits change: `version` and `mode` of each stage's command."""

    case: Case
    version: dict[int, int] = field(default_factory=dict)
    mode: dict[int, str] = field(default_factory=dict)
    deps: dict[int, int] = field(default_factory=dict)  # stage -> how many deps fewer or more
    freeze: bool = False  # a frozen stage is frozen once its outs are there

    def __post_init__(self) -> None:
        self.outs = [self._outs(i, stage) for i, stage in enumerate(self.case.stages)]

    def files(self) -> dict[str, str]:
        """The text of every `dvc.yaml`."""
        found: dict[str, list[tuple[int, str, dict[str, Any]]]] = {}
        for index, stage in enumerate(self.case.stages):
            entry = (stage.rank, f"s{index}", self._stage(index, stage))
            found.setdefault(stage.file, []).append(entry)
        return {
            file: yaml.safe_dump(
                {"stages": {name: body for _, name, body in sorted(entries, key=lambda e: e[0])}},
                sort_keys=False,
                allow_unicode=True,
                width=1000,
            )
            for file, entries in found.items()
        }

    def address(self, index: int) -> str:
        """How the stage, or the group of it, is called from the root."""
        stage = self.case.stages[index]
        return f"s{index}" if stage.file == "dvc.yaml" else f"{stage.file}:s{index}"

    def keys(self, *, cached: bool = False) -> list[str]:
        """Every out of every stage."""
        left_out = {"uncached", "metric"} if cached else set()
        return [k for outs in self.outs for o in outs if o.kind not in left_out for k in o.keys]

    @property
    def always(self) -> bool:
        """Whether a stage is changed even at rest."""
        return any(
            "always_changed" in s.flags or not (self.outs[i] or self.deps_of(i) or s.params)
            for i, s in enumerate(self.case.stages)
        )

    def _outs(self, index: int, stage: StageSpec) -> tuple[Made, ...]:
        """No out is in a folder that this stage or one before it reads whole."""
        read = {s.folder_dep for s in self.case.stages[: index + 1]} - {""}
        made = []
        for place, out in enumerate(stage.outs):
            taken = any(f"{out.folder}/".startswith(f"{folder}/") for folder in read)
            name = out.name.format(n=f"{index}{place}")
            key = posixpath.join("sub" if taken else out.folder, name)
            if "outside" in stage.flags and out.kind == "uncached":
                key = f"../outside-{index}{place}"
            expression, values = _SUFFIXES.get(stage.shape, ("", ("",)))
            if stage.vars in {"inline", "both"}:
                expression, values = f"{expression}-${{local.n}}", [f"{v}-1" for v in values]
            keys = tuple(key + value for value in values)
            made.append(Made(key + expression, keys, _kind(out, stage), out.options))
        return tuple(made)

    def _wdir(self, stage: StageSpec) -> str:
        return posixpath.dirname(stage.file) if stage.wdir is None else stage.wdir

    def deps_of(self, index: int) -> list[tuple[str, bool]]:
        """Keys of the deps of a stage, and whether each is a folder."""
        stage = self.case.stages[index]
        known = [("folder/deep", True), ("folder/a.txt", False)]
        known += [(source, source == "folder") for source in SOURCES]
        for out in (out for outs in self.outs[:index] for out in outs):
            for key in out.keys:
                known.append((key, out.kind in FOLDERS_MADE))
                if out.kind in FOLDERS_MADE:
                    known += [(f"{key}/deep", True), (f"{key}/a.txt", False)]
        wanted = list(stage.deps)
        more = self.deps.get(index, 0)
        wanted = wanted[:more] if more < 0 else [*wanted, *range(more)]
        deps = dict.fromkeys(known[n % len(known)] for n in wanted)
        if stage.folder_dep:
            deps[(stage.folder_dep, True)] = None
        return list(deps)

    def _stage(self, index: int, stage: StageSpec) -> dict[str, Any]:
        wdir = self._wdir(stage)
        deps = self.deps_of(index)
        body: dict[str, Any] = {"cmd": self._command(index, stage, deps)}
        if stage.wdir is not None:
            body["wdir"] = posixpath.relpath(wdir or ".", posixpath.dirname(stage.file) or ".")
        if deps:
            body["deps"] = [posixpath.relpath(key, wdir or ".") for key, _ in deps]
        if stage.params:
            body["params"] = [_param(name, wdir) for name in stage.params]
        for out in self.outs[index]:
            section = _SECTIONS.get(out.kind, "outs")
            path = posixpath.relpath(out.template, wdir or ".")
            body.setdefault(section, []).append(_out(path, out))
        if stage.vars:
            body["vars"] = _vars(stage.vars, wdir)
        for flag in stage.flags:
            if flag != "frozen" or self.freeze:
                body.update(_flag(flag))
        return _shaped(stage, body)

    def _command(self, index: int, stage: StageSpec, deps: list[tuple[str, bool]]) -> Any:
        wdir = self._wdir(stage)
        word = {"vars": "${words.one}", "foreach dict": "${item.lr}"}.get(stage.shape, "")
        word = f"{word} {_WORDS.get(stage.vars, '')}".strip()
        reads = "; ".join(_read(_shell(key, wdir), folder) for key, folder in deps)
        says = f"echo s{index} v{self.version.get(index, 0)} {word}".rstrip()
        content = f"{{ {reads + '; ' if reads else ''}{says}; }}"
        lines = [line for out in self.outs[index] for line in _writes(out, content, wdir)]
        lines = lines or [says]
        mode = self.mode.get(index)
        lines = ["exit 3", *lines] if mode == "fail early" else lines
        lines = [*lines, "exit 3"] if mode == "fail late" else lines
        if stage.form == "list":
            return lines
        return (" && " if stage.form == "and" else "\n").join(lines)


def _kind(out: OutSpec, stage: StageSpec) -> str:
    return out.kind if stage.shape in {"plain", "vars"} or out.kind != "persist" else "file"


def _shell(key: str, wdir: str) -> str:
    path = posixpath.relpath(key, wdir or ".")
    path = path if path.startswith("../") else f"./{path}"
    quoted = shlex.quote(path.replace("${", "\0"))
    return quoted.replace("\0", "${")


def _read(path: str, folder: bool) -> str:
    if not folder:
        return f"cat {path}"
    return f'find -L {path} -type f | LC_ALL=C sort | while read -r f; do cat "$f"; done'


def _writes(out: Made, content: str, wdir: str) -> list[str]:
    path = _shell(out.template, wdir)
    if out.kind in FOLDERS_MADE:
        lines = [
            f"mkdir -p {path}/deep {path}/none",
            f"{content} > {path}/a.txt",
            f"echo deep > {path}/'deep/b c.txt'",
        ]
        if out.kind == "tool folder":
            lines += [f"cp {path}/a.txt {path}/deep/tool", *_executable(f"{path}/deep/tool")]
        return lines
    if out.kind == "tool":
        return [f"{content} > {path}", *_executable(path)]
    if out.kind == "metric":
        return [f"{content} | wc -c | sed 's/ *\\(.*\\)/{{\"n\": \\1}}/' > {path}"]
    if out.kind == "persist":
        return [f"{content} >> {path}"]
    if out.kind == "empty":
        return [f": > {path}"]
    return [f"{content} > {path}"]


def _executable(path: str) -> list[str]:
    """No other file has its content: links to one object share one mode."""
    return [f"echo {path} >> {path}", f"chmod +x {path}"]


def _vars(kind: str, wdir: str) -> list[Any]:
    file = posixpath.relpath("vars.yaml", wdir or ".")
    return {
        "inline": [_LOCAL],
        "file": [file],
        "part": [f"{file}:said"],
        "params": [posixpath.relpath("params.yaml", wdir or ".")],
        "both": [_LOCAL, f"{file}:said"],
    }[kind]


def _param(name: str, wdir: str) -> Any:
    file, colon, key = name.partition(":")
    if not colon:
        path = posixpath.relpath("params.yaml", wdir or ".")
        return name if path == "params.yaml" else {path: [name]}
    path = posixpath.relpath(file, wdir or ".")
    return {path: [key]} if key else {path: None}


def _out(path: str, out: Made) -> Any:
    keys: dict[str, Any] = {option: _OPTIONS[option] for option in out.options}
    if out.kind in {"uncached", "metric"}:
        keys["cache"] = False
    elif out.kind == "plot":
        keys |= {"header": False, "title": "T"}
    elif out.kind == "persist":
        keys["persist"] = True
    return {path: keys} if keys else path


def _flag(flag: str) -> dict[str, Any]:
    if flag in {"frozen", "always_changed"}:
        return {flag: True}
    if flag == "desc":
        return {"desc": "says: ü"}
    return {"meta": {"other": 1, "mlctl": {"cpus": 2}}} if flag == "meta" else {}


def _shaped(stage: StageSpec, body: dict[str, Any]) -> dict[str, Any]:
    if stage.shape == "foreach list":
        return {"foreach": ["a", 1], "do": body}
    if stage.shape == "foreach dict":
        return {"foreach": "${models}", "do": body}
    if stage.shape == "matrix":
        return {"matrix": {"x": [1, 2], "y": ["u"]}, **body}
    return body


def normal(case: Case) -> Case:
    """The case without what no pipeline can be: templates need `params.yaml` at hand."""
    stages = tuple(
        replace(s, shape="plain") if s.file != "dvc.yaml" and s.shape in _ROOTED else s
        for s in case.stages
    )
    return replace(case, stages=stages)


_ROOTED = {"vars", "foreach dict"}
