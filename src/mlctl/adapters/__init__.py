"""The doors to the world: one file for each outside thing."""
