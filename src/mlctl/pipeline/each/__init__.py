"""`mlctl each`: a stage that works item by item over a folder (docs/formats/each.md)."""
