"""Reading what a contract says about a folder of images. Pure."""

from __future__ import annotations

from mlctl.data.contracts.columns import read_range
from mlctl.data.contracts.model import ImagesContract
from mlctl.records.document import Document

_KEYS = (
    "count", "per_folder", "folders", "formats", "modes", "width", "height", "max_bytes",
    "max_failing",
)  # fmt: skip
# Pillow's names, in lower case, of what it reads by itself: others start programs. A format is told
# by a file's content, not by its ending.
FORMATS = (
    "png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm", "ico", "jpeg2000", "avif", "mpo", "tga",
)  # fmt: skip
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")


def read_images(document: Document) -> ImagesContract:
    """The section `images`. Raises ConfigError with the YAML path of what is wrong."""
    document.keys("images", known=_KEYS)
    return ImagesContract(
        count=read_range(document, "images", "count"),
        per_folder=read_range(document, "images", "per_folder"),
        folders=_words(document, "folders", None),
        formats=_words(document, "formats", FORMATS),
        modes=_words(document, "modes", MODES),
        width=read_range(document, "images", "width"),
        height=read_range(document, "images", "height"),
        max_bytes=document.whole("images", "max_bytes", least=1),
        max_failing=document.share("images", "max_failing") or 0.0,
    )


def _words(document: Document, key: str, known: tuple[str, ...] | None) -> tuple[str, ...] | None:
    path = ("images", key)
    if document.get(*path) is None:
        return None
    items = document.items(*path, of="words")
    if not items:
        raise document.error(path, "expected a list of words, got an empty one")
    for index, item in enumerate(items):
        where = (*path, index)
        if known is not None:
            document.one_of(*where, known=known)
        else:
            document.text(*where)
        if item in items[:index]:
            raise document.error(where, f"{item!r} is listed twice")
    return tuple(items)
