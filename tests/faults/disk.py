"""A disk by model: what a program did to files, as strace saw it, and the states a crash may leave.

Two kinds of disk. A *journaling* one (ext4, xfs, btrfs as they are) keeps the order of changes of
names and modes, and a sync of one file brings all of those before it to the disk. A *strict* one
promises what POSIX does: each folder's names are kept in their own order and up to its own sync.
On both the bytes of a file are safe only once it was synced: until then a crash leaves all, half or
none of what was written since.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SYSCALLS = (
    "openat,write,pwrite64,ftruncate,copy_file_range,sendfile,rename,renameat,renameat2,link,"
    "linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,fchmodat,fsync,"
    "fdatasync,syncfs"
)
_BEFORE = 1_500_000_000  # a time before this machine was started
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(<.*>)?")
_CALLS = {
    "renameat": "rename", "renameat2": "rename", "linkat": "link", "symlinkat": "symlink",
    "mkdirat": "mkdir", "fchmodat": "chmod", "fchmod": "chmod", "fdatasync": "fsync",
}  # fmt: skip


@dataclass(frozen=True)
class Op:
    """One change. `node` is a file's number; `kind` is one of the methods of `Disk` below."""

    kind: str
    path: str = ""
    other: str = ""
    node: int = -1
    value: int = 0
    data: bytes = b""

    @property
    def folders(self) -> set[str]:
        """The folders whose names it changes."""
        return {os.path.dirname(path) for path in (self.path, self.other) if path}


@dataclass
class Node:
    """A file: its bytes, mode, and for a symbolic link where it points."""

    data: bytes = b""
    mode: int = 0o644
    target: str | None = None


@dataclass
class Disk:
    """Names and files; `names` has a folder as None."""

    names: dict[str, int | None] = field(default_factory=dict)
    nodes: dict[int, Node] = field(default_factory=dict)

    def apply(self, op: Op) -> None:
        """Do `op`; what has no place (its folder is not there) is not done."""
        getattr(self, f"_{op.kind}")(op)

    def _has_place(self, path: str) -> bool:
        folder = os.path.dirname(path)
        return folder in self.names and self.names[folder] is None

    def _create(self, op: Op) -> None:
        self.nodes[op.node] = Node(b"", op.value, op.other or None)
        if self._has_place(op.path):
            self.names[op.path] = op.node

    def _mkdir(self, op: Op) -> None:
        if self._has_place(op.path):
            self.names.setdefault(op.path, None)

    def _rename(self, op: Op) -> None:
        if op.path in self.names and self._has_place(op.other):
            self.names[op.other] = self.names.pop(op.path)
            inside = [path for path in self.names if path.startswith(f"{op.path}/")]
            for path in inside:  # a folder takes what is in it along
                self.names[op.other + path.removeprefix(op.path)] = self.names.pop(path)

    def _link(self, op: Op) -> None:
        if op.path in self.names and self._has_place(op.other):
            self.names[op.other] = self.names[op.path]

    def _remove(self, op: Op) -> None:
        self.names.pop(op.path, None)

    def _chmod(self, op: Op) -> None:
        if op.node in self.nodes:  # else its name was lost
            self.nodes[op.node].mode = op.value

    def _write(self, op: Op) -> None:
        node, at = self.nodes[op.node], op.value
        at = len(node.data) if at < 0 else at
        node.data = node.data[:at].ljust(at, b"\0") + op.data + node.data[at + len(op.data) :]

    def _truncate(self, op: Op) -> None:
        node = self.nodes[op.node]
        node.data = node.data[: op.value].ljust(op.value, b"\0")

    def _sync(self, op: Op) -> None:
        """Of one file or folder, or of everything: asked by `crash`."""


def snapshot(root: str) -> Disk:
    """What lies below `root` now, without `.git`."""
    disk = Disk({root: None})
    for top, folders, files in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        for name in (*folders, *files):
            path = os.path.join(top, name)
            node = len(disk.nodes)
            if os.path.islink(path):
                disk.nodes[node] = Node(b"", 0o777, os.readlink(path))
            elif name in files:
                disk.nodes[node] = Node(Path(path).read_bytes(), os.stat(path).st_mode & 0o7777)
            disk.names[path] = node if node in disk.nodes else None
    return disk


def read_trace(text: str, start: Disk, root: str) -> list[Op]:
    """What the traced processes did below `root` (`.git` apart), beginning with `start`."""
    reader = _Reader(start, root)
    for name, args, result in _calls(text):
        reader.read(name, args, result)
    return reader.ops


class _Reader:
    def __init__(self, start: Disk, root: str) -> None:
        self.ops: list[Op] = []
        self._disk = _copy(start)
        self._root = root
        self._next = len(start.nodes)
        self._copied: dict[tuple[int, int], int] = {}  # from one file to another: bytes

    def read(self, name: str, args: list[str], result: int) -> None:
        name = _CALLS.get(name, name)
        if name in {"write", "pwrite64", "copy_file_range", "sendfile"}:
            self._write(name, args, result)
            return
        # Calls without a folder start from where a process is: the root, for all of ours.
        paths = [os.path.join(self._root, path) for path in _paths(args)]
        if name == "syncfs":
            self._do(Op("sync"))
        elif name == "openat":
            self._open(paths[0], args)
        elif not all(self._is_ours(path) for path in paths[-1:]):
            return
        elif name == "ftruncate":
            self._on_node("truncate", paths[0], int(args[1]))
        elif name == "chmod":
            mode = next(int(arg, 8) for arg in args if re.fullmatch("0[0-7]+", arg))
            self._on_node("chmod", paths[0], mode)
        elif name == "fsync":
            self._do(Op("sync", paths[0], node=self._node(paths[0])))
        elif name in {"rename", "link"}:
            self._do(Op(name, paths[0], paths[1]))
        elif name == "mkdir":
            self._do(Op("mkdir", paths[0]))
        elif name in {"unlink", "unlinkat", "rmdir"}:
            self._do(Op("remove", paths[0]))
        elif name == "symlink":
            self._do(Op("create", paths[1], next(_paths(args)), self._next, 0o777))
            self._next += 1

    def _open(self, path: str, args: list[str]) -> None:
        flags = next(arg for arg in args if arg.startswith("O_"))
        if not self._is_ours(path):
            return
        if "O_CREAT" in flags and path not in self._disk.names:
            self._do(Op("create", path, node=self._next, value=int(args[-1], 8) & ~0o022))
            self._next += 1
        elif "O_TRUNC" in flags:
            self._on_node("truncate", path, 0)

    def _write(self, name: str, args: list[str], result: int) -> None:
        if name == "copy_file_range":
            source, target = _path(args[0]), _path(args[2])
        elif name == "sendfile":
            target, source = _path(args[0]), _path(args[1])
        else:
            source, target = "", _path(args[0])
        node = self._node(target)
        if not self._is_ours(target) or node < 0 or result <= 0:
            return
        at = -1
        if source:
            # Who copies in the kernel copies a whole file, from its beginning to its end.
            pair = (self._node(source), node)
            done = self._copied.get(pair, 0)
            data = self._disk.nodes[pair[0]].data[done : done + result]
            self._copied[pair] = done + result
        else:
            data = _text(args[1])
            assert len(data) == result, "strace cut a write short"
            at = int(args[3]) if name == "pwrite64" else -1
        self._do(Op("write", node=node, value=at, data=data))

    def _on_node(self, kind: str, path: str, value: int) -> None:
        if (node := self._node(path)) >= 0:
            self._do(Op(kind, node=node, value=value))

    def _do(self, op: Op) -> None:
        self.ops.append(op)
        self._disk.apply(op)

    def _node(self, path: str) -> int:
        node = self._disk.names.get(path)
        return -1 if node is None else node

    def _is_ours(self, path: str) -> bool:
        return f"{path}/".startswith(f"{self._root}/") and "/.git/" not in f"{path}/"


def crash(start: Disk, ops: Sequence[Op], *, strict: bool, dice: random.Random) -> Disk:
    """What may be on the disk after a power cut that comes right after `ops`."""
    disk = _copy(start)
    cut = _names_cut(ops, strict, dice)
    for index, op in enumerate(ops):
        if op.kind in {"write", "truncate", "sync"} or index in cut:
            continue
        disk.apply(op)
    whole = _copy(start)
    safe: dict[int, bytes] = {number: node.data for number, node in start.nodes.items()}
    for op in ops:
        whole.apply(op)
        if op.kind == "sync" and (op.node >= 0 or not op.path):
            numbers = [op.node] if op.node >= 0 else list(whole.nodes)
            safe.update({number: whole.nodes[number].data for number in numbers})
    for number, node in disk.nodes.items():
        old, new = safe.get(number, b""), whole.nodes[number].data
        node.data = old if old == new else dice.choice([new, old, _half(old, new), b""])
        if old and old != new and new.startswith(old):
            node.data = dice.choice([new, old, _half(old, new)])  # what was synced stays
    return disk


def _names_cut(ops: Sequence[Op], strict: bool, dice: random.Random) -> set[int]:
    """Which changes of names and modes do not reach the disk."""
    groups: dict[str, list[int]] = {}
    synced: dict[str, int] = {}  # group -> from where on nothing of it is safe
    for index, op in enumerate(ops):
        if op.kind == "sync":
            for group in list(groups) if not strict or not op.path else [op.path, f"#{op.node}"]:
                synced[group] = index
        elif op.kind not in {"write", "truncate"}:
            names = {f"#{op.node}"} if op.kind == "chmod" else op.folders
            for group in names if strict else {""}:
                groups.setdefault(group, []).append(index)
    lost: set[int] = set()
    for group, members in groups.items():
        unsafe = [index for index in members if index > synced.get(group, -1)]
        lost.update(unsafe[dice.randint(0, len(unsafe)) :])
    return lost


def write_out(disk: Disk, root: str) -> None:
    """Make what lies below `root` (`.git` apart) equal to `disk`; it is from before the reboot."""
    for path in sorted(p for p, node in disk.names.items() if node is None):
        if os.path.dirname(path) in disk.names or path == root:
            os.makedirs(path, exist_ok=True)
    made: dict[int, str] = {}
    for path, number in disk.names.items():
        if number is None or not os.path.isdir(os.path.dirname(path)):
            continue
        node = disk.nodes[number]
        if node.target is not None:
            os.symlink(node.target, path)
        elif number in made:
            os.link(made[number], path)
        else:
            Path(path).write_bytes(node.data)
            os.chmod(path, node.mode)
            os.utime(path, (_BEFORE, _BEFORE))
            made[number] = path


def _half(old: bytes, new: bytes) -> bytes:
    return new[: len(old) + (len(new) - len(old)) // 2] if new.startswith(old) else new[::2]


def _copy(disk: Disk) -> Disk:
    nodes = {n: Node(node.data, node.mode, node.target) for n, node in disk.nodes.items()}
    return Disk(dict(disk.names), nodes)


def _calls(text: str) -> Iterator[tuple[str, list[str], int]]:
    """The calls that went well: name, arguments, result."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[pid] = call.removesuffix("<unfinished ...>").rstrip()
            continue
        if call.startswith("<... "):
            call = begun.pop(pid, "") + call.partition(" resumed>")[2]
        match = _CALL.match(call)
        if match and int(match[3]) >= 0:
            yield match[1], match[2].split(", "), int(match[3])


def _paths(args: list[str]) -> Iterator[str]:
    """The paths among the arguments, with the folders that they start from."""
    folder = ""
    for arg in args:
        if arg.startswith('"'):
            path = _text(arg).decode()
            yield os.path.normpath(os.path.join(folder, path))
            folder = ""
        elif "<" in arg:
            folder = _path(arg)
    if folder:
        yield folder


def _path(arg: str) -> str:
    """The path of a descriptor, as in `5<\\x2f…>`."""
    return _unescape(arg.partition("<")[2].rpartition(">")[0]).decode()


def _text(arg: str) -> bytes:
    return _unescape(arg.strip('"'))


def _unescape(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
