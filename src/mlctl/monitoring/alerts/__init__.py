"""Ways to tell people of an incident: one file each, named as in a monitor's `alerts`.

A channel is a module with `send(address, message, channel)`, which raises `NotSent` where it could
not. The address comes from an environment variable and is in no message and no error.
"""
