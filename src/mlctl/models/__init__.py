"""Models: flavors, signature, registry."""
