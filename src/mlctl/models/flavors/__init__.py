"""Kinds of model files: one module for each, with `RUNS_CODE` and `load(path, description)`."""
