"""Hand-made pipelines: one for every form of `dvc.yaml`, and what to edit in each.

`dep`, `param`, `cmd` and `out` say how the states of the matrix are reached: a file to change, a
replacement `(file, old, new)`, and an out to damage and to remove. None where a form has no such.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Replacement = tuple[str, str, str]


@dataclass(frozen=True)
class Feature:
    files: dict[str, str | bytes]
    dep: str | None = "data.txt"
    param: Replacement | None = None
    cmd: Replacement | None = None
    out: str | None = "out.txt"
    adds: tuple[str, ...] = ()
    config: str = ""
    executables: tuple[str, ...] = ()
    args: tuple[str, ...] = ("-P",)
    always: frozenset[str] = field(default_factory=frozenset)  # stages that are changed at rest


def one(body: str, *, cmd: str = "cat data.txt > out.txt", **files: str) -> dict[str, str | bytes]:
    """A file with one stage `make` that has `body` after its command."""
    return {
        "dvc.yaml": f"stages:\n  make:\n    cmd: {cmd}\n{body}",
        "data.txt": "data\n",
        **files,
    }


DEP_OUT = "    deps: [data.txt]\n    outs: [out.txt]\n"
COPY = ("dvc.yaml", "cat data.txt", "cat < data.txt")

FEATURES: dict[str, Feature] = {
    "plain": Feature(one(DEP_OUT), cmd=COPY),
    "diamond": Feature(
        {
            "data.txt": "1\n",
            "dvc.yaml": """\
stages:
  last:
    cmd: cat left.txt right.txt > out.txt
    deps: [right.txt, left.txt]
    outs: [out.txt]
  right:
    cmd: cat top.txt > right.txt
    deps: [top.txt]
    outs: [right.txt]
  top:
    cmd: cat data.txt > top.txt
    deps: [data.txt]
    outs: [top.txt]
  left:
    cmd: sed s/1/2/ top.txt > left.txt
    deps: [top.txt]
    outs: [left.txt]
""",
        },
        cmd=("dvc.yaml", "sed s/1/2/", "sed s/1/3/"),
    ),
    "params of every kind": Feature(
        {
            "data.txt": "x\n",
            "params.yaml": "lr: 0.1\nnested: {deep: {a: [1, 2], b: null}}\ntext: 'a: b'\n",
            "p.json": '{"x": 1, "y": {"z": true}}',
            "p.toml": 'name = "n"\n[table]\nrate = 1.5\n',
            "p.py": "A = 1\nT = (1, 2)\n\n\nclass Train:\n    epochs = 5\n",
            "whole.yaml": "b: 2\na: 1\n",
            "dvc.yaml": """\
stages:
  make:
    cmd: cat data.txt > out.txt
    deps: [data.txt]
    params:
      - lr
      - nested.deep
      - text
      - p.json: [x, y.z]
      - p.toml: [table, name]
      - p.py: [A, T, Train.epochs]
      - whole.yaml:
    outs: [out.txt]
""",
        },
        param=("params.yaml", "lr: 0.1", "lr: 1e-3"),
        cmd=COPY,
    ),
    "metrics and plots": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": """\
stages:
  make:
    cmd: >-
      cat data.txt > out.txt && echo '{"auc": 0.5}' > metrics.json && printf 'a,b\\n1,2\\n' > roc.csv
      && cp roc.csv cached.csv && echo '{"x": 1}' > cached.json
    deps: [data.txt]
    outs:
      - out.txt
    metrics:
      - metrics.json: {cache: false}
      - cached.json
    plots:
      - roc.csv: {cache: false, x: a, y: b, template: linear, title: ROC, x_label: A}
      - cached.csv: {header: true}
plots:
  - roc.csv
metrics: [metrics.json]
""",
        },
        cmd=COPY,
        out="metrics.json",
    ),
    "wdir": Feature(
        {
            "sub/data.txt": "x\n",
            "sub/params.yaml": "lr: 1\n",
            "dvc.yaml": """\
stages:
  make:
    wdir: sub
    cmd: cat data.txt > ../out.txt && echo in > deep.txt
    deps: [data.txt]
    params: [lr]
    outs: [../out.txt, deep.txt]
""",
        },
        dep="sub/data.txt",
        param=("sub/params.yaml", "lr: 1", "lr: 2"),
        cmd=("dvc.yaml", "echo in", "echo into"),
    ),
    "frozen": Feature(
        {
            "data.txt": "x\n",
            "first.txt": "already there\n",
            "dvc.yaml": """\
stages:
  first:
    frozen: true
    cmd: cat data.txt > first.txt
    deps: [data.txt]
    outs: [first.txt]
  second:
    cmd: cat first.txt > out.txt
    deps: [first.txt]
    outs: [out.txt]
""",
        },
        cmd=("dvc.yaml", "cat first.txt", "cat < first.txt"),
    ),
    "always changed": Feature(
        one(DEP_OUT + "    always_changed: true\n"),
        cmd=COPY,
        always=frozenset({"make"}),
    ),
    "vars and templating": Feature(
        {
            "data.txt": "x\n",
            "params.yaml": "words: {one: hello, two: 2}\nflags: {verbose: true, n: 3}\nlr: 0.10\n",
            "more.yaml": "where: out.txt\nunused: [1]\n",
            "dvc.yaml": """\
vars:
  - more.yaml:where
  - inline: {deep: [a, b]}
stages:
  make:
    vars: [{local: 5}]
    cmd: echo ${words.one} ${words.two} ${inline.deep[1]} ${local} ${lr} '${flags}' > ${where}
    deps: [data.txt]
    outs:
      - ${where}
    desc: says ${words.one}
""",
        },
        param=("params.yaml", "one: hello", "one: bye"),
        cmd=("dvc.yaml", "echo ${words.one}", "echo -n ${words.one}"),
    ),
    "foreach": Feature(
        {
            "data.txt": "x\n",
            "params.yaml": "models: {a: {lr: 1}, b: {lr: 2}}\n",
            "dvc.yaml": """\
stages:
  names:
    foreach: [x, 1, true]
    do:
      cmd: echo ${item} > name-${item}.txt
      outs:
        - name-${item}.txt
  train:
    foreach: ${models}
    do:
      cmd: cat data.txt > ${key}.txt && echo ${item.lr} >> ${key}.txt
      deps: [data.txt]
      outs:
        - ${key}.txt
  pairs:
    foreach:
      - {n: 1, s: one}
      - {n: 2, s: two}
    do:
      cmd: echo ${item.n} ${item.s} > pair${item.n}.txt
      outs:
        - pair${item.n}.txt
""",
        },
        param=("params.yaml", "a: {lr: 1}", "a: {lr: 9}"),
        cmd=COPY,
        out="a.txt",
    ),
    "matrix": Feature(
        {
            "data.txt": "x\n",
            "params.yaml": "sizes: [1, 2]\n",
            "dvc.yaml": """\
stages:
  grid:
    matrix:
      size: ${sizes}
      kind: [a, {deep: b}]
    cmd: cat data.txt > ${key}.txt && echo ${item.size} >> ${key}.txt
    deps: [data.txt]
    outs:
      - ${key}.txt
""",
        },
        cmd=COPY,
        out="1-a.txt",
    ),
    "several files": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": """\
stages:
  last:
    cmd: cat sub/mid.txt > out.txt
    deps: [sub/mid.txt]
    outs: [out.txt]
artifacts:
  model: {path: out.txt, type: model, labels: [a], desc: final, meta: {k: 1}}
params: [params.yaml]
""",
            "params.yaml": "a: 1\n",
            "sub/dvc.yaml": """\
stages:
  mid:
    cmd: cat deep/first.txt > mid.txt
    deps: [deep/first.txt]
    outs: [mid.txt]
""",
            "sub/deep/dvc.yaml": """\
stages:
  first:
    cmd: cat ../../data.txt > first.txt
    deps: [../../data.txt]
    outs: [first.txt]
""",
        },
        cmd=("sub/dvc.yaml", "cat deep", "cat < deep"),
        out="sub/mid.txt",
    ),
    "dvc sources": Feature(
        {
            "data.txt": "x\n",
            "folder/a.txt": "a\n",
            "folder/deep/b.bin": b"\x00\xff",
            "dvc.yaml": """\
stages:
  make:
    cmd: cat data.txt folder/a.txt > out.txt
    deps: [data.txt, folder]
    outs: [out.txt]
  part:
    cmd: cat folder/deep/b.bin > part.bin
    deps: [folder/deep]
    outs: [part.bin]
""",
        },
        adds=("data.txt", "folder"),
        cmd=COPY,
    ),
    "persist": Feature(
        one(
            "    deps: [data.txt]\n    outs:\n      - out.txt: {persist: true}\n      - plain.txt\n",
            cmd="cat data.txt >> out.txt && cp out.txt plain.txt",
        ),
        cmd=("dvc.yaml", "cp out.txt", "cp -f out.txt"),
        out="plain.txt",
    ),
    "folders and executables": Feature(
        {
            "data.txt": "x\n",
            "tool.sh": "#!/bin/sh\necho tool\n",
            "dvc.yaml": """\
stages:
  make:
    cmd: |
      mkdir -p models/deep/er models/empty
      cp data.txt models/deep/er/a.txt
      cp data.txt models/deep/same.txt
      ./tool.sh > models/z.txt
      cp tool.sh run.sh
      chmod +x run.sh
    deps: [data.txt, tool.sh]
    outs: [models, run.sh]
  use:
    cmd: ./run.sh > out.txt && cat models/deep/same.txt >> out.txt
    deps: [run.sh, models/deep]
    outs: [out.txt]
""",
        },
        executables=("tool.sh",),
        cmd=("dvc.yaml", "cat models/deep/same.txt", "cat < models/deep/same.txt"),
        out="models/deep/same.txt",
    ),
    "out options": Feature(
        one(
            """\
    deps: [data.txt]
    outs:
      - out.txt: {cache: false}
      - kept.txt: {push: false, desc: kept, type: t, labels: [l], meta: {a: 1}}
      - far.txt: {remote: store}
""",
            cmd="cat data.txt > out.txt && cp out.txt kept.txt && cp out.txt far.txt",
        ),
        config="['remote \"store\"']\n    url = ../../store\n",
        cmd=("dvc.yaml", "cp out.txt kept", "cp -f out.txt kept"),
        out="kept.txt",
    ),
    "commands of every form": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": """\
stages:
  listed:
    cmd:
      - cat data.txt > out.txt
      - echo "two  spaces and a 'quote'" >> out.txt
    deps: [data.txt]
    outs: [out.txt]
  long:
    cmd: echo a-very-long-command --with-many-options=1 --another-option=2 --and-one-more=3 --done > long.txt
    outs: [long.txt]
  lines:
    cmd: |
      echo one > lines.txt
      echo 'two: three # four' >> lines.txt
    outs: [lines.txt]
  unicode:
    cmd: "echo 日本語 ☃ > unicode.txt; echo \\ttab >> unicode.txt"
    outs: [unicode.txt]
  number:
    cmd: "true"
    deps: [data.txt]
""",
        },
        cmd=("dvc.yaml", "cat data.txt > out", "cat < data.txt > out"),
    ),
    "callback": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": "stages:\n  hello:\n    cmd: echo hello\n  make:\n"
            "    cmd: cat data.txt > out.txt\n    deps: [data.txt]\n    outs: [out.txt]\n",
        },
        cmd=COPY,
        always=frozenset({"hello"}),
    ),
    "outside the repository": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": """\
stages:
  make:
    cmd: cat data.txt > ../outside.txt && cp data.txt out.txt
    deps: [data.txt]
    outs:
      - ../outside.txt: {cache: false}
      - out.txt
  use:
    cmd: cat ../outside.txt > used.txt
    deps: [../outside.txt]
    outs: [used.txt]
""",
        },
        cmd=("dvc.yaml", "cp data.txt out.txt", "cp -f data.txt out.txt"),
    ),
    "odd names": Feature(
        {
            "-data file é.txt": "x\n",
            "dvc.yaml": """\
stages:
  make:
    cmd: cat './-data file é.txt' > 'out put/ü 1.txt' && cp 'out put/ü 1.txt' -- '-dash'
    deps: ["-data file é.txt"]
    outs: ["out put/ü 1.txt", "-dash"]
""",
            "out put/keep": "",
        },
        dep="-data file é.txt",
        cmd=("dvc.yaml", "&& cp", "&& cp -f"),
        out="out put/ü 1.txt",
    ),
    "hard links": Feature(one(DEP_OUT), config="[cache]\n    type = hardlink\n", cmd=COPY),
    "symbolic links": Feature(one(DEP_OUT), config="[cache]\n    type = symlink\n", cmd=COPY),
    "cache elsewhere": Feature(
        one(DEP_OUT), config="[cache]\n    dir = ../../cache\n    shared = group\n", cmd=COPY
    ),
    "without git": Feature(one(DEP_OUT), config="[core]\n    no_scm = True\n", cmd=COPY),
    "dvcignore": Feature(
        {
            ".dvcignore": "*.tmp\n/skip\n",
            "folder/a.txt": "a\n",
            "folder/b.tmp": "b\n",
            "skip/dvc.yaml": "this: is: not: read",
            "dvc.yaml": """\
stages:
  make:
    cmd: mkdir -p made && cat folder/a.txt > made/a.txt && echo junk > made/x.tmp
    deps: [folder]
    outs: [made]
""",
        },
        dep="folder/a.txt",
        cmd=("dvc.yaml", "cat folder", "cat < folder"),
        out="made/a.txt",
    ),
    "settings of ours": Feature(
        one(
            DEP_OUT
            + """\
    meta:
      other: kept
      mlctl: {cpus: 2, memory: 1M, timeout: 1m, retries: 1, mutex: db, env: {A: 1}}
"""
        ),
        cmd=COPY,
    ),
    "empty outs": Feature(
        one("    deps: [data.txt]\n    outs: [out.txt, none]\n", cmd="touch out.txt && mkdir none"),
        cmd=("dvc.yaml", "touch", "touch -c . &&  touch"),
        out=None,
    ),
    "a folder of several outs": Feature(
        {
            "data.txt": "x\n",
            "dvc.yaml": """\
stages:
  join:
    cmd: cat parts/a.txt parts/b.txt > out.txt
    deps: [parts]
    outs: [out.txt]
  a:
    cmd: mkdir -p parts && cat data.txt > parts/a.txt
    deps: [data.txt]
    outs: [parts/a.txt]
  b:
    cmd: mkdir -p parts && echo b > parts/b.txt
    outs: [parts/b.txt]
""",
        },
        cmd=COPY,
        out="parts/b.txt",
    ),
}
