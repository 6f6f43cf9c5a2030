"""The engine: what the pipeline is, what of it changed, what to run, and running it."""
