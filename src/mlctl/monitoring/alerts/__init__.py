"""Ways to tell people of an incident: one file each, named as in a monitor's `alerts`."""
