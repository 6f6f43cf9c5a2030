"""Targets as users type them."""

import pytest

from mlctl.errors import InvalidInput
from mlctl.pipeline.spec import Out, Stage
from mlctl.pipeline.targets import resolve

STAGES = [
    Stage("data.csv.dvc", None, outs=(Out("data.csv", "data.csv"),)),
    Stage("dvc.yaml", "prepare", cmd="x", outs=(Out("prepared", "prepared"),)),
    Stage("dvc.yaml", "train@a", cmd="x", group="train"),
    Stage("dvc.yaml", "train@b", cmd="x", group="train"),
    Stage("sub/dvc.yaml", "prepare", cmd="x"),
    Stage("sub/deep/dvc.yaml", "last", cmd="x"),
]


@pytest.mark.parametrize(
    ("targets", "options", "expected"),
    [
        ([], {}, [1, 2, 3]),
        ([], {"cwd": "sub"}, [4]),
        (["prepare"], {}, [1]),
        (["train"], {}, [2, 3]),
        (["train@b"], {}, [3]),
        (["train@b", "train"], {}, [3, 2]),
        ([":train@a"], {}, [2]),
        (["sub/dvc.yaml"], {}, [4]),
        (["sub/dvc.yaml:prepare"], {}, [4]),
        (["../dvc.yaml:prepare"], {"cwd": "sub"}, [1]),
        (["data.csv.dvc"], {}, [0]),
        (["train@*"], {"glob": True}, [2, 3]),
        (["sub/dvc.yaml:pre*"], {"glob": True}, [4]),
        (["sub"], {"recursive": True}, [4, 5]),
        (["prepared"], {}, [1]),
        (["prepared/x.txt"], {}, [1]),
        (["data.csv"], {}, [0]),
    ],
)
def test_what_a_target_names(targets, options, expected):
    assert resolve(STAGES, targets, **options) == expected


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("prepar", "no stage or out is called 'prepar' in dvc.yaml", "did you mean 'prepare'?"),
        ("su/dvc.yaml", "no stage or out is called 'su/dvc.yaml' (there is no su/dvc.yaml)", "did"),
        ("dvc.lock", "'dvc.lock' is a lock", "did you mean 'dvc.yaml'?"),
    ],
)
def test_an_unknown_target_is_named_with_what_was_meant(target, message, hint):
    with pytest.raises(InvalidInput, match="") as caught:
        resolve(STAGES, [target])
    assert caught.value.message == message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_folder_without_stages_is_no_default_target():
    with pytest.raises(InvalidInput, match=r"there is no dvc.yaml with stages in empty"):
        resolve(STAGES, [], cwd="empty")
