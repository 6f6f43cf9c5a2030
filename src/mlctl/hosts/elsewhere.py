"""Where a host can have objects from without us: the setting `remote` of a host.

It is the folder on the host where DVC's remote is mounted (`/mnt/store`), or `presigned`: then the
host gets URLs of the default remote that are good for a while, and no credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.adapters.remotes import Remote

PRESIGNED = "presigned"
GOOD_FOR = 6 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A folder of the host, or else what gives the URL of an object; `tell` is for what a person
    should know.
    """

    folder: str | None
    url: Callable[[str], str] | None = None
    tell: Callable[[str], None] = print

    def urls(self, md5s: Iterable[str]) -> dict[str, str]:
        """Raises NotAble and InvalidInput as `adapters.remotes` does."""
        return {md5: self.url(md5) for md5 in md5s} if self.url is not None else {}


def elsewhere(setting: str | None, root: str, tell: Callable[[str], None]) -> Elsewhere | None:
    """What the setting says; `root` is the project's. A remote is opened when it is needed."""
    if not setting:
        return None
    if setting != PRESIGNED:
        return Elsewhere(setting, None, tell)

    @cache
    def remote() -> Remote:
        from mlctl.adapters.remotes import open_remote  # imports DVC

        return open_remote(root, None)

    return Elsewhere(
        None, lambda md5: remote().link(f"files/md5/{md5[:2]}/{md5[2:]}", GOOD_FOR), tell
    )
