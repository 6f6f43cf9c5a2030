"""The numbers of other tools, to compare while moving over: one file each."""
