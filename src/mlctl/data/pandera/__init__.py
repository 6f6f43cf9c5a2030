"""pandera's YAML (0.35, and the older form): contracts written as such, and made of such."""
