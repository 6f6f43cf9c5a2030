"""A link to a port of this machine on which every byte is some time under way.

It stands for a host far away where the kernel has no netem, in each direction half of the round
trip. Bandwidth is what loopback gives. Run as `python far.py LISTEN TARGET SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

_PIECE = 1 << 16
_MOST = 1024  # pieces under way: 64 MiB, more than any link holds


@contextlib.contextmanager
def link(target: int, round_trip: float) -> Iterator[int]:
    """The port of a link to `target` of so many seconds there and back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    argv = [sys.executable, __file__, str(port), str(target), str(round_trip / 2)]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


async def _serve(port: int, target: int, delay: float) -> None:
    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_carry(reader, back, delay), _carry(there, writer, delay))

    server = await asyncio.start_server(met, "127.0.0.1", port)
    await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Hand on what `reader` gives, each piece `delay` seconds after it came."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST)

    async def take() -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(_PIECE)
            except OSError:
                data = b""
            await under_way.put((time.monotonic() + delay, data))

    taking = asyncio.create_task(take())
    while True:
        due, data = await under_way.get()
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if not data:
            break
        writer.write(data)
        try:
            await writer.drain()
        except OSError:
            break
    taking.cancel()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
