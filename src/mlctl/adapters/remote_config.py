"""DVC's settings of remotes, read and written by DVC itself, so that its schema and paths hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from mlctl.errors import InvalidInput, did_you_mean

Level = Literal["repo", "local", "global"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One remote; `options` are all but its URL, as they are written down."""

    name: str
    url: str
    default: bool
    options: dict[str, Any]


def remotes(root: str) -> list[Setting]:
    """All remotes that hold in the repository at `root`, by name."""
    with _refusing():
        config = _config(root)  # refuses what is wrong
        written = _config(root, validate=False).get("remote", {})
        default = config["core"].get("remote")
        return [
            Setting(
                name,
                str(options["url"]),
                name == default,
                {key: value for key, value in written[name].items() if key != "url"},
            )
            for name, options in sorted(config["remote"].items())
        ]


def add(root: str, name: str, url: str, *, default: bool, force: bool, level: Level) -> None:
    """Write a new remote down, or with `force` in the place of another."""
    name = name.lower()
    with _edited(root, level) as conf:
        if name in conf["remote"] and not force:
            raise InvalidInput(f"remote {name!r} exists", hint="--force replaces it")
        conf["remote"][name] = {"url": url}
        if default:
            conf["core"]["remote"] = name


def modify(root: str, name: str, option: str, value: str | None, *, level: Level) -> None:
    """Set an option of a remote, or unset it (None)."""
    name = name.lower()
    _require(root, name)
    with _edited(root, level) as conf:
        section = conf["remote"].setdefault(name, {})
        if value is None:
            section.pop(option, None)
        else:
            section[option] = value


def set_default(root: str, name: str | None, *, level: Level) -> None:
    """Make a remote the default one, or none (None)."""
    if name is not None:
        _require(root, name.lower())
    with _edited(root, level) as conf:
        conf["core"].pop("remote", None)
        if name is not None:
            conf["core"]["remote"] = name.lower()


def remove(root: str, name: str) -> None:
    """Forget a remote, and what is kept of it in `config.local`; its data stays where it is."""
    name = name.lower()
    _require(root, name)
    for level in ("local", "repo"):
        with _edited(root, level) as conf:
            conf["remote"].pop(name, None)
            if conf["core"].get("remote") == name:
                del conf["core"]["remote"]


def _require(root: str, name: str) -> None:
    known = [setting.name for setting in remotes(root)]
    if name not in known:
        raise InvalidInput(f"no remote is called {name!r}", hint=did_you_mean(name, known))


def _config(root: str, *, validate: bool = True) -> Any:
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.config import Config

    return Config(os.path.join(root, ".dvc"), validate=validate)


@contextmanager
def _edited(root: str, level: str) -> Iterator[Any]:
    # Not validated before: a setting that is wrong can be set right.
    with _refusing(), _config(root, validate=False).edit(level) as conf:
        yield conf


@contextmanager
def _refusing() -> Iterator[None]:
    from dvc.config import ConfigError

    try:
        yield
    except ConfigError as error:
        hint = "look at .dvc/config and .dvc/config.local"
        raise InvalidInput(f"dvc: {error}", hint=hint) from None
