"""mlctl: MLOps from a git repository, with no server, account or daemon."""

# A literal: reading it from the installed metadata costs every start 10 ms.
__version__ = "0.1.0"
