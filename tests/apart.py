"""The environment of a test: apart from its machine, with a home of its own and no telemetry."""

from __future__ import annotations

from pathlib import Path

# Before anything imports DVC: neither telemetry nor update checks in tests.
CONSTANT = {"DVC_NO_ANALYTICS": "1", "DVC_TEST": "1", "PAGER": "cat", "NO_COLOR": "1"}
UNSET = ("DVC_ROOT", "DVC_STAGE", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "FORCE_COLOR")
_GITCONFIG = """\
[user]
	name = Tester
	email = tester@example.org
[init]
	defaultBranch = main
[commit]
	gpgsign = false
"""


def make_home(home: Path) -> dict[str, str]:
    """A git identity in `home`, and the variables that point there."""
    (home / ".gitconfig").write_text(_GITCONFIG)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "system"),
    }
