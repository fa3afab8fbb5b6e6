"""Pixel statistics within matched content: each image beside the known one that it is most like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.drift.significance import holm

_LEAST_ROWS: Final = 20
_SIZES: Final = frozenset({"width", "height", "bytes_per_pixel"})
"""Statistics whose changes are factors."""


@dataclass(frozen=True)
class MatchedShift:
    """What one pixel statistic did where the content is the same.

    Parameters
    ----------
    field
        Its name.
    effect
        Cliff's delta in [−1, 1] between the differences of the window's images to those they are most like,
        and the same differences within the baseline: 0 when neither side is larger, 1 when all of the
        window's are.
    p_value
        Mann & Whitney's (1947), adjusted by Holm over the fields.
    deviation
        The standard deviation that the effect has by chance where nothing moved; less where many values are
        equal, 0 where all are.
    """

    field: str
    effect: float
    p_value: float
    deviation: float = 0.0


def matched_shifts(
    fields: Sequence[str],
    window: NDArray[np.float32],
    known: NDArray[np.float32],
    *,
    nearest: NDArray[np.int64],
    nearest_of_known: NDArray[np.int64],
) -> tuple[MatchedShift, ...]:
    """What the pixel statistics of a window's images did beside those of known images like them.

    That receipts are bright is no change of the light: only within matched content a statistic tells of a
    technical change. Rows are taken to be independent.

    Parameters
    ----------
    fields
        The statistics' names.
    window, known
        (n, fields) and (m, fields) float32, NaN where there is none.
    nearest, nearest_of_known
        (n,) and (m,) which known row each is most like, of the known rows another one.
    """
    differences = _differences(fields, window, known[nearest])
    expected = _differences(fields, known, known[nearest_of_known])
    tests = []
    for column, field in enumerate(fields):
        moved, usual = (
            side[:, column][np.isfinite(side[:, column])] for side in (differences, expected)
        )
        if min(len(moved), len(usual)) < _LEAST_ROWS:
            continue
        test = stats.mannwhitneyu(moved, usual)
        delta = _delta(float(test.statistic), moved, usual)
        tests.append(MatchedShift(field, delta, float(test.pvalue), _deviation(moved, usual)))
    adjusted = holm(np.array([test.p_value for test in tests]))
    shifts = [replace(test, p_value=float(p)) for test, p in zip(tests, adjusted, strict=True)]
    return tuple(sorted(shifts, key=lambda shift: -abs(shift.effect)))


def cliffs_delta(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """How much more likely one of the first lies above one of the second than below it, in [−1, 1].

    >>> cliffs_delta(np.array([3.0, 4.0]), np.array([1.0, 3.0]))
    0.75
    """
    return _delta(float(stats.mannwhitneyu(first, second).statistic), first, second)


def _delta(statistic: float, first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Cliff's delta from Mann & Whitney's U."""
    return 2 * statistic / (len(first) * len(second)) - 1


def _deviation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Of Cliff's delta of two sides that come from one population, with ties (Lehmann 1975)."""
    n, m = len(first), len(second)
    total = n + m
    _, equal = np.unique(np.concatenate([first, second]), return_counts=True)
    counts = equal.astype(np.float64)
    tied = float((counts**3 - counts).sum()) / (total**3 - total)
    return math.sqrt(max(1 - tied, 0.0) * (total + 1) / (3 * n * m))


def _differences(
    fields: Sequence[str], rows: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float64]:
    is_size = np.array([field in _SIZES for field in fields])
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = [
            np.where(is_size, np.log(np.maximum(side, 0)), side)
            for side in (rows.astype(np.float64), others.astype(np.float64))
        ]
        return np.asarray(sides[0] - sides[1])
