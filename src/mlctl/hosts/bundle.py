"""The agent as one program: its modules as text, and the few lines that load them."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from pathlib import Path

AGENT = Path(__file__).parent / "agent"
OLDEST_PYTHON = (3, 8)

# Loads modules when they are first imported. Run with `serve`, `supervise` or `run`.
_LOADER = """\
import sys
if sys.version_info < {oldest}:
    sys.exit("mlctl: Python {wanted} or later is needed here, this is " + sys.version.split()[0])
from importlib.machinery import ModuleSpec
PACKAGE = "mlctl.hosts.agent"
class Loader:
    def find_spec(self, name, path=None, target=None):
        if name in ("mlctl", "mlctl.hosts", PACKAGE):
            return ModuleSpec(name, self, is_package=True)
        if name.startswith(PACKAGE + ".") and name[len(PACKAGE) + 1:] in MODULES:
            return ModuleSpec(name, self)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        name = module.__name__[len(PACKAGE) + 1:]
        if name:
            exec(compile(MODULES[name], "mlctl-agent/" + name + ".py", "exec"), module.__dict__)
sys.meta_path.insert(0, Loader())
if __name__ == "__main__" and len(sys.argv) > 1:
    from importlib import import_module
    sys.exit(import_module(PACKAGE + "." + sys.argv[1]).main(*sys.argv[2:]))
"""


@lru_cache(maxsize=1)
def source() -> bytes:
    """The whole agent as Python source: what a job keeps, and what a call sends."""
    modules = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted(AGENT.glob("*.py"))
        if path.stem != "__init__"
    }
    loader = _LOADER.replace("{oldest}", str(OLDEST_PYTHON)).replace(
        "{wanted}", ".".join(map(str, OLDEST_PYTHON))
    )
    # JSON's escapes are Python's, too, as all of it is ASCII.
    return f"MODULES = {json.dumps(modules, sort_keys=True)}\n{loader}".encode("ascii")


def greeting(nonce: str, options: dict[str, object]) -> tuple[str, bytes]:
    """What a host's shell is asked to run, and what to send to it first.

    The command holds only what means the same in sh, csh and fish. It reads no byte more than it is
    told: what follows are frames.
    """
    start = f"from mlctl.hosts.agent import serve\nserve.main(AGENT, {nonce!r}, {options!r})"
    program = b"AGENT = " + repr(source()).encode() + b"\nexec(AGENT)\n" + start.encode()
    packed = zlib.compress(program, 6)
    read = f"while len(d)<{len(packed)}:d+=os.read(0,{len(packed)}-len(d)) or sys.exit()"
    return f"import os,sys,zlib;d=b'';exec('{read}');exec(zlib.decompress(d))", packed
