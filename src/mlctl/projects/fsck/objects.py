"""Which objects are needed, by which outs, and which of them are not sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlctl.errors import InvalidInput
from mlctl.pipeline.needs import Need
from mlctl.store.cache import Cache, MissingObjects
from mlctl.store.verify import Flaw, Object, Progress, objects_in, verify


class Use(NamedTuple):
    """An out needs an object: as `path` (from the root), which is the out itself or lies in it."""

    need: Need
    path: str


@dataclass
class Checker:
    """Verifies objects, each that is sound once.

    `flaws` are those that are not sound now, `found` all that ever were not, as first seen.
    """

    cache: Cache
    needs: Sequence[Need]
    jobs: int
    progress: Progress
    flaws: dict[Object, Flaw] = field(default_factory=dict)
    found: dict[Object, Flaw] = field(default_factory=dict)
    sound: set[Object] = field(default_factory=set)
    hashed: int = 0

    def check_needed(self) -> None:
        """Verify what the outs need: first the files and listings, then what the listings name."""
        tops = {_top(need) for need in self.needs}
        self._verify(tops)
        listings = [item for item in tops if item in self.sound and item.md5.endswith(".dir")]
        self._verify({child for item in listings for _, child in self._listed(item)})

    def check_all(self) -> None:
        """Verify every object that is in the cache."""
        self._verify(objects_in(self.cache))

    def check_again(self, items: Iterable[Object]) -> None:
        """Verify objects that were touched since."""
        items = list(items)
        self.sound.difference_update(items)
        self._verify(items)

    def uses(self, items: Iterable[Object]) -> dict[Object, list[Use]]:
        """The outs that need each of `items`; nothing is kept of the others, which may be many."""
        found: dict[Object, list[Use]] = {item: [] for item in items}
        if not found:
            return found
        by_top = defaultdict(list)
        for need in self.needs:
            by_top[_top(need)].append(need)
        for item, needs in by_top.items():
            if item in found:
                found[item] += [Use(need, need.out) for need in needs]
            if item in self.sound and item.md5.endswith(".dir"):
                for relpath, child in self._listed(item):
                    if child in found:
                        found[child] += [Use(need, f"{need.out}/{relpath}") for need in needs]
        return found

    def _listed(self, item: Object) -> Iterator[tuple[str, Object]]:
        try:
            entries = self.cache.tree(item.md5, legacy=item.legacy)
        except InvalidInput as error:
            self._note(Flaw(item, "damaged", str(error)))
            self.sound.discard(item)
        except MissingObjects:
            return
        else:
            for entry in entries:
                yield entry.relpath, Object(entry.md5, item.legacy)

    def _verify(self, objects: Iterable[Object]) -> None:
        unknown = [item for item in objects if item not in self.sound]
        flaws, size = verify(self.cache, unknown, jobs=self.jobs, progress=self.progress)
        self.hashed += size
        for item in unknown:
            self.flaws.pop(item, None)
        for flaw in flaws:
            self._note(flaw)
        self.sound.update(item for item in unknown if item not in self.flaws)

    def _note(self, flaw: Flaw) -> None:
        self.flaws[flaw.object] = flaw
        self.found.setdefault(flaw.object, flaw)


def _top(need: Need) -> Object:
    return Object(need.digest.md5, need.digest.legacy)
