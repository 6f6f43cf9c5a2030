"""What the random pipelines are made of: each feature comes up often enough to be compared."""

from collections import Counter

from conformance.cases import CONFIGS, numbered
from conformance.drawn import FEATURES, features
from conformance.walk import CONFIG_TEXT

CASES = 400


def test_every_feature_is_drawn():
    counts = Counter(f for n in range(CASES) for f in features(numbered(7, n, edits=2)))
    rare = {name: counts[name] for name in FEATURES if counts[name] < CASES / 100}
    assert not rare, f"of {CASES} cases, too few have {rare}"
    assert counts.keys() <= {*FEATURES}, "a feature without a row in the result"


def test_every_config_is_known_and_drawn():
    drawn = {numbered(7, n, edits=2).config for n in range(CASES)}
    assert drawn == {*CONFIGS} == {*CONFIG_TEXT}
