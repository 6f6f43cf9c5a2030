"""Predictions: batch and online."""
