"""Every form of `dvc.yaml` in every state: `mlctl run -j4` leaves the bytes of `dvc repro`."""

from pathlib import Path

import pytest

from conformance.features import FEATURES, Feature
from conformance.twins import Twins, changed_stages, dvc_status


@pytest.mark.parametrize("name", FEATURES)
def test_all_states(name: str, tmp_path: Path) -> None:
    feature = FEATURES[name]
    twins = build(feature, tmp_path)
    bring_up_to_date(twins, feature)  # fresh
    bring_up_to_date(twins, feature)  # unchanged
    before = (twins.dvc / feature.dep).read_bytes() if feature.dep else b""
    if feature.dep:
        twins.write(feature.dep, before + b"more\n")
        bring_up_to_date(twins, feature)  # dep changed
        twins.write(feature.dep, before)
        bring_up_to_date(twins, feature)  # restored from the run-cache
    if feature.param:
        replace(twins, *feature.param)
        bring_up_to_date(twins, feature)  # param changed
    if feature.cmd:
        replace(twins, *feature.cmd)
        bring_up_to_date(twins, feature)  # command changed
    if feature.out:
        twins.write(feature.out, b"damaged\n")
        bring_up_to_date(twins, feature)  # out changed
        twins.remove(feature.out)
        bring_up_to_date(twins, feature)  # out removed
    if feature.dep:
        twins.write(feature.dep, before + b"again\n")
        bring_up_to_date(twins, feature, "--force")
    fail(twins, feature)


def build(feature: Feature, folder: Path) -> Twins:
    twins = Twins(folder, config=feature.config)
    for path, content in feature.files.items():
        twins.write(path, content, mode=0o755 if path in feature.executables else None)
    if feature.adds:
        twins.add(*feature.adds)
    return twins


def replace(twins: Twins, file: str, old: str, new: str) -> None:
    text = (twins.dvc / file).read_text()
    assert old in text
    twins.write(file, text.replace(old, new, 1))


def bring_up_to_date(twins: Twins, feature: Feature, *options: str) -> None:
    """Both see the same stages as changed, do the same, and leave the same bytes at rest."""
    assert changed_stages(twins.ours) == set(dvc_status(twins.dvc))
    codes = twins.run(*feature.args, *options)
    assert codes == (0, 0), (twins.said, twins.told)
    twins.assert_equal()
    if feature.always:
        assert changed_stages(twins.dvc) == feature.always == set(dvc_status(twins.ours))
    else:
        twins.assert_at_rest()


def fail(twins: Twins, feature: Feature) -> None:
    """A command that fails: neither writes a lock entry for it, and both say so."""
    if not feature.cmd:
        return
    file, _, new = feature.cmd
    replace(twins, file, new, f"false && {new}")
    lock = {root: (root / Path(file).with_name("dvc.lock")).read_bytes() for root in twins.both}
    theirs, mine = twins.run(*feature.args)
    assert theirs != 0, twins.said
    assert mine == 1, twins.told
    for root in twins.both:
        assert (root / Path(file).with_name("dvc.lock")).read_bytes() == lock[root]
