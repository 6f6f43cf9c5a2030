"""Every test runs apart from its machine: its own home, no DVC telemetry, no user config."""

import os

import pytest

pytest_plugins = ["not_run"]

# Before anything imports DVC: neither telemetry nor update checks in tests.
os.environ.update({"DVC_NO_ANALYTICS": "1", "DVC_TEST": "1", "PAGER": "cat", "NO_COLOR": "1"})
for name in ("DVC_ROOT", "DVC_STAGE", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "FORCE_COLOR"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """An empty home with a git identity; a site cache of DVC's that no other test shares."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Tester\n\temail = tester@example.org\n"
        "[init]\n\tdefaultBranch = main\n[commit]\n\tgpgsign = false\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(home / "site"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(home / "global"))
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(home / "system"))
    return home
