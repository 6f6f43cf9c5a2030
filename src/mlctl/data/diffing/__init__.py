"""What differs between two versions of data: files, columns, labels and rows.

`files` and `columns` are pure; `rows` reads tables; `versions` finds what each side has.
"""

from mlctl.plugins import missing_extra

try:
    import mlctl.data.profiles.column  # noqa: F401 (asks for numpy)
except ModuleNotFoundError as error:
    raise missing_extra(error.name or "numpy", "validate") from error
