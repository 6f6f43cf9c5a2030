"""The remotes of a repository, and which of their settings are secrets."""

from __future__ import annotations

import re

from mlctl.adapters import remote_config
from mlctl.adapters.remote_config import Level
from mlctl.adapters.remotes import refuse_password

_KEPT_OUT = "leave it out; `mlctl data remote modify NAME password` keeps it out of git"
_SECRET = re.compile(
    r"password|passphrase|secret|token|account_key|access_key|key_id|connection_string"
)


def is_secret(option: str) -> bool:
    """Whether an option must not come into git; `ask_password` only says yes or no. Pure."""
    return bool(_SECRET.search(option)) and not option.startswith("ask_")


def add(root: str, name: str, url: str, *, default: bool, force: bool, level: Level) -> None:
    """Add a remote. Raises InvalidInput for a URL with a password in it, which git would keep."""
    refuse_password(url, hint=_KEPT_OUT)
    remote_config.add(root, name, url, default=default, force=force, level=level)


def modify(root: str, name: str, option: str, value: str | None, *, level: Level) -> Level:
    """Set or unset an option; the level that it went to: `local` for a secret, whatever was asked.

    Raises InvalidInput for an unknown remote, option or value.
    """
    if option == "url" and value is not None:
        refuse_password(value, hint=_KEPT_OUT)
    if is_secret(option) and level == "repo":
        level = "local"
    remote_config.modify(root, name, option, value, level=level)
    return level
