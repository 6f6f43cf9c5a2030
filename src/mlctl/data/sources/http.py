"""A file on the web, fetched in pieces."""

from __future__ import annotations

import base64
import shutil
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

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
    plain = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    request = urllib.request.Request(plain, headers=_headers(parts))  # noqa: S310
    try:
        with (
            urllib.request.urlopen(request, timeout=TIMEOUT) as answer,  # noqa: S310
            open(target, "wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1 << 20)
            expected = answer.headers.get("Content-Length")
            etag = answer.headers.get("ETag")
    except urllib.error.HTTPError as error:
        raise NotAble(f"{public}: the server answered {error.code} ({error.reason})") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotAble(f"{public}: cannot be fetched: {reason}") from None
    if expected is not None and target.stat().st_size != int(expected):
        raise NotAble(f"{public}: the connection broke off", hint="try again")
    return Fetched(target, public, {"etag": etag} if etag else {})


def _headers(parts: SplitResult) -> dict[str, str]:
    """Who asks; urllib does not read user and password from a URL."""
    headers = {"User-Agent": f"mlctl/{__version__}"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers
