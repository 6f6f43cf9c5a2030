"""Tests of many columns together, and of texts and embeddings: one file each, pure.

A test is a module with `LIMIT`, the least value that counts as large, and `test(reference, current,
groups)` on two matrices of one width; `groups[j]` names the column that the matrix's column j came
of. It returns `Outcome`.
"""
