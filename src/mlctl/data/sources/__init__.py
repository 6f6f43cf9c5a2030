"""Where `mlctl data import` takes data from: one module for each scheme.

A source has `fetch(reference, folder)`: it puts one file into `folder` and returns a `Fetched`.
"""
