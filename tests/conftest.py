"""Every test runs apart from its machine: its own home, no DVC telemetry, no user config."""

import os

import pytest

from apart import CONSTANT, UNSET, make_home

pytest_plugins = ["not_run"]

os.environ.update(CONSTANT)
for name in UNSET:
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """An empty home with a git identity; a site cache of DVC's that no other test shares."""
    home = tmp_path_factory.mktemp("home")
    for name, value in make_home(home).items():
        monkeypatch.setenv(name, value)
    return home
