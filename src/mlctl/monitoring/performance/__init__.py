"""How good a model is: realised from labels, estimated before they come. Pure.

`prepare` learns from the reference once; `assess` scores a period. `fit` is what of it a baseline
can keep.
"""

from __future__ import annotations

from mlctl.monitoring.performance.assessing import Assessed as Assessed
from mlctl.monitoring.performance.assessing import assess as assess
from mlctl.monitoring.performance.preparing import Prepared as Prepared
from mlctl.monitoring.performance.preparing import columns as columns
from mlctl.monitoring.performance.preparing import fit as fit
from mlctl.monitoring.performance.preparing import prepare as prepare
