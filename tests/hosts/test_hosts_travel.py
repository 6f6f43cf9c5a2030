"""What travels to a host, byte for byte and bit for bit: a stage there finds what it would here."""

import os

import pytest

from e2e.sandbox import Sandbox
from hosts.test_hosts_run import log_of


def ends_well(box, *args):
    done = box.mlctl("run", "--on", "box", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_programs_in_a_folder_that_is_a_dep_can_be_executed(box, server):
    box.write("tools/run.sh", "#!/bin/sh\necho ran\n")
    (box.root / "tools/run.sh").chmod(0o755)
    box.write("local/.keep", "")
    box.write(".gitignore", "/*.out\n/local\n")
    box.write("local/ignored.sh", "#!/bin/sh\necho too\n")
    (box.root / "local/ignored.sh").chmod(0o755)
    box.stages({"a": {"cmd": "tools/run.sh; local/ignored.sh", "deps": ["tools", "local"]}})
    ends_well(box)
    assert log_of(box, "a") == "ran\ntoo\n"


def test_links_in_the_code_are_links(box, server, tmp_path):
    box.write("src/real/m.py", "print('found')\n")
    (box.root / "pkg").symlink_to("src/real")
    (box.root / "absolute").symlink_to(box.root / "src" / "real")
    (box.root / "one.py").symlink_to("src/real/m.py")
    (tmp_path / "outside.txt").write_text("outside")
    (box.root / "outside.txt").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "id_rsa").write_text("secret")
    (box.root / "harmless").symlink_to(tmp_path / "id_rsa")
    box.write(".env", "secret")
    (box.root / "config").symlink_to(".env")
    box.stages({"a": {"cmd": "python3 pkg/m.py; python3 absolute/m.py; python3 one.py; "
                             "cat outside.txt; ls harmless config; true",
                      "deps": ["src"]}})  # fmt: skip
    ends_well(box)
    said = log_of(box, "a")
    assert said.startswith("found\nfound\nfound\noutside")
    assert said.count("No such file") == 2
    assert not any(path.read_bytes() == b"secret" for path in server.home.rglob("*")
                   if path.is_file())  # fmt: skip


def test_submodules_travel(box, server, tmp_path):
    library = Sandbox(tmp_path / "library")
    library.write("m.py", "print('in the submodule')\n")
    library.commit()
    box.git("-c", "protocol.file.allow=always", "submodule", "add", "-q",
            str(library.root), "lib")  # fmt: skip
    box.write("lib/new.py", "print('untracked')\n")
    box.stages({"a": {"cmd": "python3 lib/m.py; python3 lib/new.py", "deps": ["stamp.py"]}})
    ends_well(box)
    assert log_of(box, "a") == "in the submodule\nuntracked\n"


def test_odd_names_travel(box, server):
    odd = os.fsdecode(b"x\xff y\n'\"$(z)")
    (box.root / "in").mkdir()
    for folder in ("in", "code"):
        box.write(f"{folder}/{odd}", "1")
        box.write(f"{folder}/ü", "1")
    box.write(".gitignore", "/*.out\n/in\n")
    box.stages({"a": {"cmd": "cat in/* code/* | wc -c; mkdir d.out; cp in/ü d.out/é",
                      "deps": ["in"], "outs": ["d.out"]}})  # fmt: skip
    ends_well(box)
    assert log_of(box, "a").strip() == "4"
    assert box.read("d.out/é") == "1"


def test_a_root_below_gits_top(box, server):
    """Keys are from the DVC root, paths on the host from git's top."""
    below = box.root / "sub"
    (box.root / ".dvc").rename(box.root / "dvc-folder")
    below.mkdir()
    (box.root / "dvc-folder").rename(below / ".dvc")
    (box.root / "mlctl.yaml").rename(below / "mlctl.yaml")
    box.write("top.txt", "top")
    box.write("sub/.gitignore", "/*.out\n/w/out\n")
    box.write("sub/w/params.yaml", "n: 1\n")
    box.stages(
        {
            "a": {
                "cmd": "echo $DVC_ROOT; cat ../../top.txt > out; echo more >> ../keep.out",
                "wdir": "w",
                "params": ["n"],
                "outs": ["out", {"../keep.out": {"persist": True}}],
            }
        },
        "sub",
    )
    for lines in (1, 2):
        done = box.mlctl("run", "--on", "box", "-f", "-C", str(below))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "wrote into its dep" not in done.stdout  # it is a copy there
        assert box.read("sub/keep.out") == "more\n" * lines
    assert box.read("sub/w/out") == "top"


@pytest.mark.parametrize("links", ["reflink,copy", "hardlink", "symlink"])
def test_folders_links_and_bits_come_back_as_a_local_run_makes_them(box, server, links):
    box.write(".dvc/config", f"[cache]\n    type = {links}\n")
    cmd = (
        "mkdir -p empty.out d.out/real; echo 1 > d.out/real/x; ln -s real d.out/link;"
        "ln -s real/x d.out/file; chmod +x d.out/real/x; : > nothing.out;"
        "echo 1 > prog.out; chmod +x prog.out; echo 2 > plain.txt"
    )
    outs = ["empty.out", "d.out", "nothing.out", "prog.out", {"plain.txt": {"cache": False}}]
    box.write(".gitignore", "/*.out\n")
    box.stages({"a": {"cmd": cmd, "outs": outs}})
    assert box.mlctl("run").returncode == 0
    lock = box.read("dvc.lock")
    ends_well(box, "-f")
    assert box.read("dvc.lock") == lock
    assert os.access(box.root / "prog.out", os.X_OK)
    assert (box.root / "empty.out").is_dir()
    assert box.dvc("status").stdout.strip() == "Data and pipelines are up to date."
    ends_well(box, "-f", "--no-commit")
    assert box.read("dvc.lock") == lock
