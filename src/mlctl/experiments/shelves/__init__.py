"""Where records lie: folders in the work tree, packs of a month, and a branch of their own."""
