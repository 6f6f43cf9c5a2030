"""The language of `exp ls --where`: its words, its grammar, and what SQL it means. Pure."""
