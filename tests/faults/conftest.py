"""The sandbox of the end-to-end tests."""

from e2e.conftest import box, same_python

__all__ = ["box", "same_python"]
