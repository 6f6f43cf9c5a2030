"""The committed records: schema, read, write and index of each format."""
