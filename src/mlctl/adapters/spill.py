"""Numbers that are too many for memory, kept in one file without a name.

The file lies in the given folder from the first `put` on and has no name there, so that nothing is
left behind however the process ends.
"""

from __future__ import annotations

import io
import os
import tempfile
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl


class Extent(NamedTuple):
    """Where in the file a series lies, in bytes."""

    offset: int
    length: int


class Spill:
    """Write-once storage of series in `folder`, which is made when it is needed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._end = 0

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def put(self, series: pl.Series) -> Extent:
        """Write `series`. Raises OSError, with the folder's name, where there is no space."""
        buffer = io.BytesIO()
        series.to_frame().write_ipc(buffer, compression="uncompressed")
        data = buffer.getbuffer()
        try:
            if self._file is None:
                os.makedirs(self._folder, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            done = 0
            while done < len(data):
                done += self._file.write(data[done:])
        except OSError as error:
            error.filename = self._folder  # the file has no name
            raise
        extent = Extent(self._end, len(data))
        self._end += len(data)
        return extent

    def get(self, extent: Extent) -> pl.Series:
        """The series that was put there."""
        import polars as pl

        if self._file is None:
            raise ValueError("nothing was put")
        data = os.pread(self._file.fileno(), extent.length, extent.offset)
        return pl.read_ipc(io.BytesIO(data)).to_series()
