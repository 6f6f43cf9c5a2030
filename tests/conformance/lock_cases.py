"""What DVC's own tests ask of lock entries: a stage, what its lock holds in any order, as written.

An entry that DVC reads and writes again comes out in its own order, with every value kept.
"""

from __future__ import annotations

from typing import Any

_FILES = [  # cloud versioning, in the order that DVC gives the fields
    {
        "relpath": name, "md5": f"{name}-checksum", "size": 3, "version_id": f"v-{name}",
        "etag": f"e-{name}",
    }
    for name in ("bar", "foo")
]  # fmt: skip


def item(path: str, md5: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "hash": "md5", "md5": md5, **more}


# name -> the stage in dvc.yaml beside its cmd, the lock's entry beside its cmd, the entry written
ENTRIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "a command alone": ({}, {}, {}),
    "a dep": (
        {"deps": ["input"]}, {"deps": [{"md5": "md-five", "hash": "md5", "path": "input"}]},
        {"deps": [item("input", "md-five")]},
    ),
    "deps are sorted": (
        {"deps": ["input1", "input0"]},
        {"deps": [item("input1", "md-one1"), item("input0", "md-zer0")]},
        {"deps": [item("input0", "md-zer0"), item("input1", "md-one1")]},
    ),
    "parameters are sorted": (
        {"params": ["lorem.ipsum", "abc"]},
        {"params": {"params.yaml": {"lorem.ipsum": {"lorem2": 2, "lorem1": 1}, "abc": 3}}},
        {"params": {"params.yaml": {"abc": 3, "lorem.ipsum": {"lorem2": 2, "lorem1": 1}}}},
    ),
    "params.yaml is first": (
        {"params": [{"my.yaml": ["foo"]}, {"a.yaml": ["barr", "bar"]}, "abc"]},
        {
            "params": {
                "my.yaml": {"foo": ["f"]}, "a.yaml": {"barr": "b", "bar": 1},
                "params.yaml": {"abc": 3},
            }
        },
        {
            "params": {
                "params.yaml": {"abc": 3}, "a.yaml": {"bar": 1, "barr": "b"},
                "my.yaml": {"foo": ["f"]},
            }
        },
    ),
    "a whole file without values": (
        {"params": [{"params.yaml": None}]}, {"params": {"params.yaml": {}}},
        {"params": {"params.yaml": {}}},
    ),
    "a whole file": (
        {"params": [{"params.yaml": None}]}, {"params": {"params.yaml": {"foo": "f", "bar": "b"}}},
        {"params": {"params.yaml": {"bar": "b", "foo": "f"}}},
    ),
    **{
        f"{kind}, one that can be run": (
            {kind: ["input"]},
            {"outs": [{"isexec": True, **item("input", "md-five")}]},
            {"outs": [item("input", "md-five", isexec=True)]},
        )
        for kind in ("outs", "metrics", "plots")
    },
    **{
        f"{kind} are sorted": (
            {kind: ["input1", "input0"]},
            {"outs": [item("input1", "md-one1"), item("input0", "md-zer0")]},
            {"outs": [item("input0", "md-zer0"), item("input1", "md-one1")]},
        )
        for kind in ("outs", "metrics", "plots")
    },
    "a digest of DVC 2 stays one": (
        {"deps": ["foo"], "outs": ["bar"]},
        {
            "outs": [{"path": "bar", "md5": "bar_checksum"}],
            "deps": [{"path": "foo", "md5": "foo_checksum", "size": 3}],
        },
        {
            "deps": [{"path": "foo", "md5": "foo_checksum", "size": 3}],
            "outs": [{"path": "bar", "md5": "bar_checksum"}],
        },
    ),
    "sections are in order": (
        {"deps": ["input"], "outs": ["output"], "params": ["foo"]},
        {
            "outs": [item("output", "md5-output", nfiles=2, size=5)],
            "params": {"params.yaml": {"foo": "value"}}, "deps": [item("input", "md-five")],
        },
        {
            "deps": [item("input", "md-five")], "params": {"params.yaml": {"foo": "value"}},
            "outs": [item("output", "md5-output", size=5, nfiles=2)],
        },
    ),
    "the files of a folder in the cloud": (
        {"outs": ["dir"]}, {"outs": [{"path": "dir", "hash": "md5", "files": _FILES}]},
        {"outs": [{"path": "dir", "hash": "md5", "files": _FILES}]},
    ),
}  # fmt: skip
