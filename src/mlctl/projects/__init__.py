"""Projects: init, templates, demo, doctor, the map."""
