"""Plots: data in, one `<svg>` out. No library, no script, readable in light and dark.

lines scatter            series over two numeric axes
bars                     a value for each name
distributions            two samples in the same bins, large; `small_distributions` for a cell
heat                     a confusion matrix or another table of numbers
gantt                    stages along time
stacked                  several of them in one file
"""

from __future__ import annotations

from mlctl.reports._bars import bars as bars
from mlctl.reports._bars import distributions as distributions
from mlctl.reports._bars import small_distributions as small_distributions
from mlctl.reports._grid import Task as Task
from mlctl.reports._grid import gantt as gantt
from mlctl.reports._grid import heat as heat
from mlctl.reports._stacked import stacked as stacked
from mlctl.reports._xy import Series as Series
from mlctl.reports._xy import lines as lines
from mlctl.reports._xy import scatter as scatter
