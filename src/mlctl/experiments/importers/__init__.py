"""Other tools whose runs are imported, found by the name that users write."""
