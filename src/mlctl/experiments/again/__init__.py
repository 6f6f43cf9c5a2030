"""Running again: comparing two runs, repeating one, and saying what made the difference."""
