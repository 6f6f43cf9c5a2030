"""The configuration, compared with what DVC reads from the same files."""

from __future__ import annotations

import os

import pytest

from mlctl.errors import ConfigError, InvalidInput
from mlctl.store.config import find_root, load_config

TEXTS = [
    "",
    "[cache]\n    type = hardlink,symlink\n",
    '[cache]\n    type = "reflink,hardlink"\n',
    "[cache]\n    dir = ../shared\n    shared = group\n",
    "[cache]\ndir = /abs/cache\n",
    "[cache]\ndir = ~/cache\n",
    "[core]\n    remote = Store\n    autostage = True\n['remote \"store\"']\n    url = ../x\n",
    '[core]\n    no_scm = true # why not\n    hardlink_lock = "true"\n',
    "[parsing]\n    bool = boolean_optional\n    list = append\n",
    "# only a comment\n[Core]\nRemote = a\n",
    "[core]\nremote = '''multi'''\n",
    '[\'remote "a b"\']\n    url = s3://bucket/#x\n[cache]\n    dir = "with # hash"\n',
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("level", ["config", "config.local", "global"])
def test_read_as_dvc_reads(repo, dvc, text, level) -> None:
    if level == "global":
        folder = os.environ["DVC_GLOBAL_CONFIG_DIR"]
        os.makedirs(folder)
        path = os.path.join(folder, "config")
        (repo / ".dvc/config").write_text("[core]\n    remote = shadow\n")
    else:
        path = str(repo / ".dvc" / level)
        (repo / ".dvc/config").write_text("[core]\n    remote = shadowed\n    autostage = true\n")
    with open(path, "w") as file:
        file.write(text)
    ours = load_config(str(repo))
    with dvc() as opened:
        core, cache = opened.config["core"], opened.config["cache"]
        assert ours.cache_dir == opened.cache.local_cache_dir
        assert list(ours.link_types) == opened.cache.local.cache_types
        assert ours.shared == (cache.get("shared") == "group")
        assert ours.remote == core.get("remote")
        assert ours.autostage == core["autostage"]
        assert ours.hardlink_lock == core["hardlink_lock"]
        assert ours.no_scm == core["no_scm"]
        assert ours.parsing_bool == opened.config["parsing"].get("bool", "store_true")
        assert ours.parsing_list == opened.config["parsing"].get("list", "nargs")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[cache]\ntype = hardlynk\n", "cache.type"),
        ("[core]\nno_scm = yes\n", "core.no_scm"),
        ("[cache]\nshared = all\n", "cache.shared"),
        ("[core\nx\n", "Invalid line"),
    ],
)
def test_errors_name_the_file(repo, text, where) -> None:
    (repo / ".dvc/config").write_text(text)
    with pytest.raises(ConfigError, match=where) as caught:
        load_config(str(repo))
    assert caught.value.file == ".dvc/config"


def test_roots(repo, tmp_path) -> None:
    (repo / "a/b").mkdir(parents=True)
    assert find_root(str(repo / "a/b")) == str(repo)
    with pytest.raises(InvalidInput, match="not inside a DVC repository"):
        find_root(str(tmp_path))
    from dvc.repo import Repo

    Repo.init(str(repo / "a"), subdir=True).close()
    assert find_root(str(repo / "a/b")) == str(repo / "a")
    assert load_config(str(repo / "a")).git_root == str(repo)
