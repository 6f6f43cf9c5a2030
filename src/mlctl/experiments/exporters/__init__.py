"""Forms that runs are exported to, found by the name that users write."""
