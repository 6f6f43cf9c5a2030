"""One work tree with its cache: what every operation of the store needs, opened once."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from mlctl.store.cache import Cache
from mlctl.store.config import Config, find_root, load_config
from mlctl.store.ignore import Ignore
from mlctl.store.observe import observe
from mlctl.store.observed import Observed
from mlctl.store.state import State


@dataclass(frozen=True, slots=True)
class Workspace:
    """Configuration, state database, ignore rules and cache of one repository."""

    config: Config
    state: State
    ignore: Ignore
    cache: Cache

    @property
    def root(self) -> str:
        return self.config.root

    def path(self, key: str) -> str:
        """The absolute path of `key`."""
        return os.path.normpath(os.path.join(self.config.root, key))

    def with_copies(self) -> Workspace:
        """The same, but that what comes from the cache is a copy, whatever the configured links."""
        return replace(self, config=replace(self.config, link_types=("copy",)))

    def observe(
        self, key: str, *, legacy: bool = False, to_commit: bool = False
    ) -> Observed | None:
        """What lies at `key`, or None; see `mlctl.store.observe`.

        With `to_commit`, files may come into the cache while they are hashed.
        """
        return observe(
            self.root,
            key,
            self.state,
            self.ignore,
            legacy=legacy,
            object_path=lambda md5: self.cache.path(md5, legacy=legacy),
            take_in=self.cache.take_in if to_commit else None,
        )


def open_workspace(start: str) -> Workspace:
    """The repository that `start` lies in. Raises InvalidInput outside of one, ConfigError."""
    config = load_config(find_root(start))
    state = State(config.local_dir)
    return Workspace(config, state, Ignore(config.root), Cache(config, state))
