"""Judging a folder of images by its contract: every failure names its file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts.imagerules import FORMATS
from mlctl.data.contracts.model import Contract, ImagesContract, Range
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.errors import ConfigError

if TYPE_CHECKING:
    from mlctl.adapters.images import Look

_NAMED = 100  # files of each rule; the others are counted


def image_files(root: str, contract: Contract) -> list[str]:
    """All files of the folder, from `root`, sorted; none whose name starts with a point.

    Raises ConfigError where there is no such folder, or nothing in it.
    """
    data = contract.data.rstrip("/")
    found = []
    for place, folders, names in os.walk(os.path.join(root, data)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = os.path.relpath(place, root).replace(os.sep, "/")
        found += [f"{inner}/{name}" for name in names if not name.startswith(".")]
    if not found:
        there = os.path.isdir(os.path.join(root, data))
        said = f"{contract.data} holds no file" if there else f"{contract.data} is no folder here"
        hint = "restore it with `mlctl data pull`, or correct the path"
        raise ConfigError(said, file=contract.file, where="data", hint=hint)
    return sorted(found)


def judge_images(root: str, contract: Contract, paths: Sequence[str]) -> Verdict:
    """The verdict on the images at `paths` (from `root`). Raises MissingExtra without Pillow."""
    from mlctl.adapters.images import look_all

    images = contract.images or ImagesContract()
    rules = _rules(images)
    broken: dict[str, list[tuple[str, Any, str | None]]] = {rule.check: [] for rule in rules}
    looks = look_all([os.path.join(root, path) for path in paths], FORMATS)
    for path, look in zip(paths, looks, strict=True):
        for rule in rules:
            if (fault := rule.fault(look)) is not None:
                broken[rule.check].append((path, *fault))
    failures = [*_counted(images, len(paths)), *_folders(images, contract.data, paths)]
    for check, files in broken.items():
        if len(files) > images.max_failing * len(paths):
            failures += _named(check, files, len(paths))
    checks = len(rules) + sum(_ends(one) for one in (images.count, images.per_folder))
    return Verdict(len(paths), 0, checks + (images.folders is not None), tuple(failures))


@dataclass(frozen=True, slots=True)
class _Rule:
    """A promise about each file: `fault` is the value and the words where it is broken."""

    check: str
    fault: Callable[[Look], tuple[Any, str | None] | None]


def _rules(images: ImagesContract) -> list[_Rule]:
    rules = [_Rule("readable", _problem)]
    for name in ("format", "mode"):
        allowed = getattr(images, f"{name}s")
        if allowed is not None:
            rules.append(_Rule(f"{name} {', '.join(allowed)}", _among(name, allowed)))
    for name in ("width", "height"):
        ends: Range = getattr(images, name)
        if ends != Range():
            rules.append(_Rule(f"{name} {_said(ends)}", _inside(name, ends)))
    if images.max_bytes is not None:
        ends = Range(None, images.max_bytes)
        rules.append(_Rule(f"max_bytes {images.max_bytes}", _inside("bytes", ends)))
    return rules


def _problem(look: Look) -> tuple[None, str] | None:
    return None if look.problem is None else (None, look.problem)


def _among(name: str, allowed: Sequence[str]) -> Callable[[Look], tuple[Any, None] | None]:
    def fault(look: Look) -> tuple[Any, None] | None:
        value = getattr(look, name)
        return (value, None) if value and value not in allowed else None

    return fault


def _inside(name: str, ends: Range) -> Callable[[Look], tuple[Any, None] | None]:
    def fault(look: Look) -> tuple[Any, None] | None:
        value = getattr(look, name)
        return (value, None) if look.format and not _holds(ends, value) else None

    return fault


def _holds(ends: Range, value: int) -> bool:
    return (ends.min or 0) <= value and (ends.max is None or value <= ends.max)


def _ends(ends: Range) -> int:
    return (ends.min is not None) + (ends.max is not None)


def _said(ends: Range) -> str:
    return " ".join(f"{name} {end}" for name, end in _named_ends(ends))


def _named_ends(ends: Range) -> list[tuple[str, int]]:
    named = (("min", ends.min), ("max", ends.max))
    return [(name, end) for name, end in named if end is not None]


def _counted(images: ImagesContract, count: int) -> Iterator[Failure]:
    for name, end in _named_ends(images.count):
        if not _holds(Range(**{name: end}), count):
            yield Failure(f"count {name} {end}", count=count, detail=f"{count} files")


def _folders(images: ImagesContract, data: str, paths: Sequence[str]) -> Iterator[Failure]:
    """Folders that hold too few or too many files, or that should hold none."""
    top = data.rstrip("/")
    counts = Counter(str(PurePosixPath(path).relative_to(top).parent) for path in paths)
    wanted = dict.fromkeys(images.folders or (), 0) | counts
    for folder, count in sorted(wanted.items()):
        place = top if folder == "." else f"{top}/{folder}"
        said = f"{count} files"
        if images.folders is not None and folder not in images.folders:
            check = f"folders {', '.join(images.folders)}"
            yield Failure(check, count=count, share=_share(count, paths), detail=said, file=place)
            continue
        for name, end in _named_ends(images.per_folder):
            if not _holds(Range(**{name: end}), count):
                yield Failure(f"per_folder {name} {end}", count=count, detail=said, file=place)


def _named(
    check: str, files: Sequence[tuple[str, Any, str | None]], count: int
) -> Iterator[Failure]:
    share = round(1 / count, 6)
    for path, value, detail in files[:_NAMED]:
        values = () if value is None else (value,)
        yield Failure(check, count=1, share=share, values=values, detail=detail, file=path)
    if (more := len(files) - _NAMED) > 0:
        said = f"in {more} more file{'s' * (more != 1)}"
        yield Failure(check, count=more, share=round(more / count, 6), detail=said)


def _share(count: int, paths: Sequence[str]) -> float:
    return round(count / len(paths), 6)
