"""A JSON document by HTTP POST, without following redirects to other hosts."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mlctl.monitoring.alerts._message import NotSent

PATIENCE = 10.0  # seconds


class _Stay(HTTPRedirectHandler):
    """A secret stands in the address: it is not carried to another one."""

    def redirect_request(self, *_args: Any, **_options: Any) -> None:
        return None


def post(address: str, data: dict[str, Any]) -> None:
    """Raises NotSent for a wrong address, no answer in 10 seconds, or a status of failure."""
    try:
        scheme, host = urlsplit(address).scheme, urlsplit(address).hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in {"http", "https"} or not host:
        raise NotSent("the address is no http or https URL")
    body = json.dumps(data, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "mlctl"}
    request = Request(address, body, headers, method="POST")  # noqa: S310 - looked at above
    try:
        with build_opener(_Stay).open(request, timeout=PATIENCE):
            return
    except HTTPError as error:
        raise NotSent(f"{host} answered {error.code} {error.reason}") from None
    except URLError as error:
        raise NotSent(f"{host}: {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotSent(f"{host}: {type(error).__name__}") from None
