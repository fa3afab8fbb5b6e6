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
from monitor.drift.ratio_law import N_THETA, SIZES, RatioLaw, RatioLikelihood

INDEPENDENT: Final = 0.5
"""How likely rows are independent, before any window is seen."""
ALIKE: Final = 0.5
"""How likely neighbouring windows are alike where windows vary: traffic that moves slowly."""
LIKENESS_SD: Final = 3.0
"""How far `ReplayedWindows.likeness` then goes, as a standard deviation, beyond that of chance."""
KIN: Final = 1.5
"""θ of a statistic is that of all windows times e^±this, as a rule: one sees the variation in few directions,
where it is large beside that of rows, another in all."""
ALONE: Final = 0.2
"""How likely θ of a statistic has nothing to do with that of others."""


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


@lru_cache(maxsize=256)
def calibrate(replayed: ReplayedWindows) -> Calibration:
    """The laws that the windows give."""
    evidence = _Evidence.of(replayed)
    return Calibration(
        independent=evidence.independent,
        ratios={
            name: likelihood.law(evidence.independent, evidence.sizes[name])
            for name, likelihood in evidence.likelihoods.items()
        },
    )


def replayed_p_values(replayed: ReplayedWindows) -> NDArray[np.float64]:
    """(n_windows,) of each replayed window by the law of the others, by all tests together."""
    evidence = _Evidence.of(replayed)
    each = np.array(
        [
            likelihood.p_values(evidence.independent, evidence.sizes[name])
            for name, likelihood in evidence.likelihoods.items()
        ]
    )
    tests = np.nan_to_num(each[np.isfinite(each).any(axis=1)], nan=1.0)
    return np.array([combine_p_values(of_window) for of_window in tests.T])


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What windows say: how likely rows are independent, and how likely each θ of a statistic is else."""

    independent: float
    likelihoods: Mapping[str, RatioLikelihood]
    sizes: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, windows: ReplayedWindows) -> _Evidence:
        likelihoods = {name: RatioLikelihood.of(windows, at) for at, name in enumerate(RATIOS)}
        # (θ of all, θ of a statistic): how likely the second is given the first.
        kinship = _kinship()
        of_all = {name: _log_mean(kinship, each.by_size) for name, each in likelihoods.items()}
        together = np.sum(list(of_all.values()), axis=0)
        calm = sum(float(likelihood.calm.sum()) for likelihood in likelihoods.values())
        varied = float(special.logsumexp(together) - math.log(len(together)))
        odds = math.log(INDEPENDENT / (1 - INDEPENDENT)) + _likeness(windows.likeness)
        # What the other statistics say of the variation is what a statistic is expected to show of it.
        sizes = {name: _normalized(together - each) @ kinship for name, each in of_all.items()}
        return cls(float(special.expit(odds + calm - varied)), likelihoods, sizes)


def _kinship() -> NDArray[np.float64]:
    logs = np.log(SIZES[:N_THETA])
    near = np.exp(-0.5 * ((logs[:, None] - logs) / KIN) ** 2)
    return np.asarray((1 - ALONE) * near / near.sum(axis=1, keepdims=True) + ALONE / N_THETA)


def _log_mean(weights: NDArray[np.float64], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(weights @ np.exp(logs - logs.max())) + logs.max())


def _normalized(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _likeness(z: float) -> float:
    """How many times likelier, as a logarithm, such neighbours are with independent rows than with others."""
    chance = float(stats.norm.logpdf(z))
    wide = float(stats.norm.logpdf(z, scale=math.hypot(1, LIKENESS_SD)))
    return chance - float(np.logaddexp(math.log(1 - ALIKE) + chance, math.log(ALIKE) + wide))
