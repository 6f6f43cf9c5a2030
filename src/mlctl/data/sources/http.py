"""A file on the web, fetched in pieces."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from mlctl import __version__
from mlctl.data.source import Fetched
from mlctl.errors import InvalidInput, NotAble

TIMEOUT = 60.0  # seconds without an answer
SCHEME = "http"


def fetch(reference: str, folder: Path) -> Fetched:
    """Download over http. Raises NotAble where the server cannot be reached or refuses."""
    return download(f"{SCHEME}:{reference}", folder)


def download(url: str, folder: Path) -> Fetched:
    """Download `url` into `folder`; user, password, query and fragment stay out of the record."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise InvalidInput(f"{url}: not a URL")
    host = parts.netloc.rpartition("@")[2]
    public = urlunsplit((parts.scheme, host, parts.path, "", ""))
    name = PurePosixPath(unquote(parts.path)).name or "download"
    target = folder / name
    request = urllib.request.Request(  # noqa: S310
        url, headers={"User-Agent": f"mlctl/{__version__}"}
    )
    try:
        with (
            urllib.request.urlopen(request, timeout=TIMEOUT) as answer,  # noqa: S310
            open(target, "wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1 << 20)
            expected = answer.headers.get("Content-Length")
            etag = answer.headers.get("ETag")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotAble(f"{public}: cannot be fetched: {reason}") from None
    if expected is not None and target.stat().st_size != int(expected):
        raise NotAble(f"{public}: the connection broke off", hint="try again")
    return Fetched(target, public, {"etag": etag} if etag else {})
