"""What the baseline's own windows say of windows without drift.

Whether rows are independent is one question for all tests, and all tests' windows answer it together: where
they say yes, p-values are those of independent rows, and no power is lost to knowing the times. Else each
test has a law of its own (`RatioLaw`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from monitor.clusters import RATIOS, ReplayedWindows, combine_p_values
from monitor.drift.ratio_law import RatioLaw, RatioLikelihood

INDEPENDENT: Final = 0.5
"""How likely rows are independent, before any window is seen."""
ALIKE: Final = 0.5
"""How likely neighbouring windows are alike where windows vary: traffic that moves slowly."""
LIKENESS_SD: Final = 3.0
"""How far `ReplayedWindows.likeness` then goes, as a standard deviation, beyond that of chance."""
CALM: Final = 0.2
"""How likely a test's windows show nothing where windows vary, before any is seen: that it shows none is
little evidence for independence."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The laws of all statistics.

    Parameters
    ----------
    independent
        How likely rows are independent, in [0, 1].
    ratios
        By the name of the test.
    """

    independent: float
    ratios: Mapping[str, RatioLaw]

    @property
    def p_values(self) -> NDArray[np.float64]:
        """(n_windows,) of each replayed window, by all tests together."""
        each = np.array([law.p_values for law in self.ratios.values()])
        tests = np.nan_to_num(each[np.isfinite(each).any(axis=1)], nan=1.0)
        return np.array([combine_p_values(of_window) for of_window in tests.T])


@lru_cache(maxsize=256)
def calibrate(replayed: ReplayedWindows) -> Calibration:
    """The laws that the baseline's windows give."""
    ratios = {name: RatioLikelihood.of(replayed, at) for at, name in enumerate(RATIOS)}
    evidence = {name: likelihood.evidence for name, likelihood in ratios.items()}
    # How many times likelier all windows are with independent rows than with windows that vary.
    odds = math.log(INDEPENDENT / (1 - INDEPENDENT)) + _likeness(replayed.likeness)
    odds += sum(
        calm - float(np.logaddexp(math.log(CALM) + calm, math.log(1 - CALM) + varied))
        for calm, varied in evidence.values()
    )
    independent = float(special.expit(odds))
    return Calibration(
        independent=independent,
        # Where windows vary, so little of it that a test's windows did not show it would still fill its far
        # tail: no test is taken as calm then.
        ratios={name: likelihood.law(independent) for name, likelihood in ratios.items()},
    )


def _likeness(z: float) -> float:
    """How many times likelier, as a logarithm, such neighbours are with independent rows than with others."""
    chance = float(stats.norm.logpdf(z))
    wide = float(stats.norm.logpdf(z, scale=math.hypot(1, LIKENESS_SD)))
    return chance - float(np.logaddexp(math.log(1 - ALIKE) + chance, math.log(ALIKE) + wide))
