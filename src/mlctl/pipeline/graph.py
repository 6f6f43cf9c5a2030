"""The graph of stages: who needs whom, checked as DVC checks it, and DVC's serial order of it.

Pure. Nodes are stages in the order in which they were read; an edge goes from a stage to each
producer of what it depends on. Source of the rules: `dvc.repo.graph` and `dvc.repo.trie` of DVC 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mlctl.errors import ConfigError
from mlctl.pipeline.spec import Stage


@dataclass(slots=True)
class _Node:
    """One folder or file of the tree of outs; `owner` is the stage that writes it."""

    owner: int | None = None
    children: dict[str, _Node] = field(default_factory=dict)

    def owners(self) -> Iterator[int]:
        if self.owner is not None:
            yield self.owner
        for child in self.children.values():
            yield from child.owners()


@dataclass(frozen=True, slots=True)
class Graph:
    """Stages and, by their index, the producers that each needs and the stages that need it.

    `unneeded` are the producers of what a frozen stage reads: it is not run for their sake.
    """

    stages: tuple[Stage, ...]
    needs: tuple[tuple[int, ...], ...]
    users: tuple[tuple[int, ...], ...]
    unneeded: tuple[tuple[int, ...], ...]

    def order(self, targets: Sequence[int] | None = None, *, downstream: bool = False) -> list[int]:
        """Stages in DVC's serial order: `targets` and all that they need, or all that needs them.

        Without targets, the whole graph. A frozen stage needs nothing.
        """
        if not targets:
            return self._postorder(range(len(self.stages)), self.needs)
        edges = self.users if downstream else self.needs
        wanted = set(self._postorder(targets, edges))
        inside = [tuple(n for n in needed if n in wanted) for needed in self.needs]
        return self._postorder(sorted(wanted), inside)

    def component(self, targets: Sequence[int]) -> list[int]:
        """The whole pipelines (weakly connected parts) of `targets`, in serial order."""
        both = [(*needs, *users) for needs, users in zip(self.needs, self.users, strict=True)]
        wanted = set(self._postorder(targets, both))
        return [index for index in self.order() if index in wanted]

    def sequences(self, serial: Sequence[int]) -> list[list[int]]:
        """For each place in `serial` the earlier ones whose stage must not run beside its own.

        A frozen stage is verified against what lies there, so it comes before or after a producer
        of that as it does one at a time.
        """
        places = {index: place for place, index in enumerate(serial)}
        after: list[list[int]] = [[] for _ in serial]
        for place, index in enumerate(serial):
            for producer in self.unneeded[index]:
                if producer in places and producer != index:
                    earlier, later = sorted((place, places[producer]))
                    after[later].append(earlier)
        return after

    @staticmethod
    def _postorder(starts: Iterable[int], edges: Sequence[Sequence[int]]) -> list[int]:
        done: list[int] = []
        seen: set[int] = set()
        for start in starts:
            if start in seen:
                continue
            seen.add(start)
            stack = [(start, iter(edges[start]))]
            while stack:
                parent, children = stack[-1]
                for child in children:
                    if child not in seen:
                        seen.add(child)
                        stack.append((child, iter(edges[child])))
                        break
                else:
                    stack.pop()
                    done.append(parent)
        return done


def build(stages: Sequence[Stage]) -> Graph:
    """The graph of `stages`.

    Raises ConfigError for one out of two stages, outs that overlap, a stage file inside an out,
    and a cycle.
    """
    outs = _tree_of_outs(stages)
    for stage in stages:
        _check_not_inside_out(stage, outs, stages)
    everything = [tuple(dict.fromkeys(_producers(stage, outs))) for stage in stages]
    _check_acyclic(stages, everything)
    needs = tuple(
        () if stage.frozen else needed for stage, needed in zip(stages, everything, strict=True)
    )
    users: list[list[int]] = [[] for _ in stages]
    for index, needed in enumerate(needs):
        for producer in needed:
            users[producer].append(index)
    unneeded = tuple(
        needed if stage.frozen else () for stage, needed in zip(stages, everything, strict=True)
    )
    return Graph(tuple(stages), needs, tuple(tuple(u) for u in users), unneeded)


def parts(key: str) -> list[str]:
    """The folders of a key; the root itself has none."""
    if key in {"", "."}:
        return []
    return ["/", *key[1:].split("/")] if key.startswith("/") else key.split("/")


def _tree_of_outs(stages: Sequence[Stage]) -> _Node:
    root = _Node()
    for index, stage in enumerate(stages):
        for out in stage.outs:
            node = root
            for part in parts(out.key):
                if node.owner is not None:
                    raise _overlap(stage, out.path, stages[node.owner])
                node = node.children.setdefault(part, _Node())
            if node.owner is not None:
                raise _duplicate(stage, out.path, stages[node.owner])
            if node.children:
                raise _overlap(stage, out.path, stages[next(node.owners())])
            node.owner = index
    return root


def _producers(stage: Stage, outs: _Node) -> Iterator[int]:
    source = (stage.data or {}).get("deps") or [{}]
    if stage.name is None and ("repo" in source[0] or "db" in source[0]):
        return
    for key in [*(dep.key for dep in stage.deps), *(dep.key for dep in stage.params)]:
        if "://" in key:
            continue
        node: _Node | None = outs
        for part in parts(key):
            node = node.children.get(part) if node else None
            if node is None:
                break
            if node.owner is not None:
                yield node.owner
        else:
            if node is not None:
                yield from node.owners()


def _check_not_inside_out(stage: Stage, outs: _Node, stages: Sequence[Stage]) -> None:
    node = outs
    for part in parts(stage.file):
        found = node.children.get(part)
        if found is None:
            return
        if found.owner is not None:
            raise ConfigError(
                f"this file lies inside an out of {stages[found.owner].address!r}",
                file=stage.file,
                hint="move the file or the out: an out is replaced as a whole",
            )
        node = found


def _check_acyclic(stages: Sequence[Stage], needs: Sequence[Sequence[int]]) -> None:
    """Depth first with a colour for each node; the message shows the cycle found."""
    done: set[int] = set()
    for start in range(len(stages)):
        if not needs[start]:
            done.add(start)
            continue
        path: list[int] = []
        on_path: set[int] = set()
        stack: list[tuple[int, Iterator[int]]] = []
        node: int | None = start if start not in done else None
        while node is not None or stack:
            if node is not None:
                path.append(node)
                on_path.add(node)
                stack.append((node, iter(needs[node])))
            parent, children = stack[-1]
            node = next((c for c in children if c not in done), None)
            if node is None:
                stack.pop()
                path.pop()
                on_path.discard(parent)
                done.add(parent)
            elif node in on_path:
                raise _cycle([stages[i] for i in path[path.index(node) :]])


def _cycle(cycle: Sequence[Stage]) -> ConfigError:
    names = [stage.address for stage in reversed(cycle)]
    return ConfigError(
        f"the stages need one another in a circle: {' → '.join([*names, names[0]])}",
        file=cycle[0].file,
        where=_where(cycle[0]),
        hint="remove one of the deps that close the circle",
    )


def _duplicate(stage: Stage, path: str, other: Stage) -> ConfigError:
    return ConfigError(
        f"{path!r} is also an out of {other.address!r}",
        file=stage.file,
        where=_where(stage, "outs"),
        hint="an out belongs to one stage",
    )


def _overlap(stage: Stage, path: str, other: Stage) -> ConfigError:
    return ConfigError(
        f"{path!r} overlaps an out of {other.address!r}",
        file=stage.file,
        where=_where(stage, "outs"),
        hint="no out may lie inside another; use separate folders",
    )


def _where(stage: Stage, key: str = "") -> str | None:
    return ".".join(part for part in (stage.where, key) if part) or None
