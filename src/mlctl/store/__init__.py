"""DVC's object store, as files that DVC reads and writes too."""
