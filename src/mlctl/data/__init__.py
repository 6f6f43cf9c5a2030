"""Data: versioning and contracts."""
