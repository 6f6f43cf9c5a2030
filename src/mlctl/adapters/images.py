"""Images: reading files whole, and saying what they are, with Pillow."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from mlctl.plugins import missing_extra

try:
    from PIL import Image, UnidentifiedImageError
except ModuleNotFoundError as error:
    raise missing_extra("pillow", "images") from error

_FAULTS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    EOFError, RuntimeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_AT_ONCE = 256  # files on their way, so that a million of them takes no more memory
# What must follow what for a file to have its end, which Pillow does not miss.
_ENDS = {
    "png": (b"IDAT", b"IEND\xaeB`\x82"),
    "jpeg": (b"\xff\xda", b"\xff\xd9"),
    "mpo": (b"\xff\xda", b"\xff\xd9"),
}

Image.init()  # all formats that this Pillow has
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")  # of damaged metadata, and of large images


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is: `format` in lower case, sizes in pixels and bytes.

    `problem` says why it is no whole image; the rest is then what could still be told.
    """

    bytes: int
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    problem: str | None = None


def look_all(paths: Sequence[str], formats: Sequence[str]) -> Iterator[Look]:
    """A look at each file, in order; several are decoded at the same time.

    Whatever is of none of the `formats` (Pillow's names) is no image.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for first in range(0, len(paths), _AT_ONCE):
            some = paths[first : first + _AT_ONCE]
            yield from pool.map(partial(look, formats=formats), some)


def look(path: str, *, formats: Sequence[str]) -> Look:
    """A look at one file, which is decoded to its last pixel. Never raises for what is in it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return Look(0, problem=f"cannot be read: {error.strerror}")
    if not data:
        return Look(0, problem="is empty")
    seen = Look(len(data))
    try:
        with _opened(data, formats) as image:
            said = (image.format or "").lower()
            seen = Look(len(data), said, image.mode, image.width, image.height)
            image.verify()
        with _opened(data, formats) as image:
            for frame in range(getattr(image, "n_frames", 1)):
                image.seek(frame)
                image.load()
    except UnidentifiedImageError:
        return Look(len(data), problem="is no image")
    except _FAULTS as error:
        return _with_problem(seen, str(error) or type(error).__name__)
    begin, end = _ENDS.get(said, (b"", b""))
    if begin and data.rfind(end) < data.rfind(begin):
        return _with_problem(seen, "image file is truncated (its end is missing)")
    return seen


def _opened(data: bytes, formats: Sequence[str]) -> Image.Image:
    known = [name.upper() for name in formats if name.upper() in Image.OPEN]
    return Image.open(io.BytesIO(data), formats=known)


def _with_problem(seen: Look, problem: str) -> Look:
    said = problem.partition(" <")[0]  # without an object's address in memory
    return Look(seen.bytes, seen.format, seen.mode, seen.width, seen.height, said)
