"""The refs of git in which mlctl keeps what belongs to runs (docs/formats/run.md)."""

RUNS = "refs/heads/mlctl/runs"  # records, where they have a branch of their own
KEPT = "refs/heads/mlctl/kept"  # what kept runs refer to
SNAPSHOTS = "refs/mlctl/snapshots/"  # of dirty trees, by the run's id
