"""Tests of many columns together, and of texts and embeddings: one file each, pure."""
