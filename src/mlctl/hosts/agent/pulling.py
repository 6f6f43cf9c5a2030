"""Objects that this host can have without us: from a folder that is mounted here, or by URL.

Both hold DVC's layout. What is not there, or is not what it should be, is left to the client.
"""

from __future__ import annotations

import os
from http.client import HTTPException
from typing import IO, Iterable, Mapping
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from mlctl.hosts.agent.objects import Damaged, Objects

_PATIENCE = 10.0  # seconds of silence from a URL


def pull(objects: Objects, md5s: Iterable[str], folder: str | None, urls: Mapping[str, str]) -> int:
    """Take in those of `md5s` that are to be had, each verified; how many."""
    count = 0
    silent: set[str] = set()  # servers that do not answer: each question would take its time
    try:
        for md5 in md5s:
            server = urlsplit(urls.get(md5, "")).netloc
            if server in silent:
                continue
            try:
                with _opened(md5, folder, urls) as source:
                    objects.take_in(md5, source.read)
                count += 1
            except (Damaged, HTTPError, ValueError):
                continue
            except (HTTPException, OSError):
                if folder is None:
                    silent.add(server)
    finally:
        objects.sync()
    return count


def _opened(md5: str, folder: str | None, urls: Mapping[str, str]) -> IO[bytes]:
    if folder is not None:
        return open(os.path.join(folder, "files", "md5", md5[:2], md5[2:]), "rb", buffering=0)
    if md5 not in urls:
        raise FileNotFoundError(2, "no URL", md5)
    if not urls[md5].startswith(("https://", "http://")):
        raise ValueError("not a URL of the web")
    opened: IO[bytes] = urlopen(urls[md5], timeout=_PATIENCE)
    return opened
