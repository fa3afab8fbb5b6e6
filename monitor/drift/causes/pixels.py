"""Did the pixels themselves change: darker, blurred, smaller? A window's sketch against the baseline's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.quality_sketch import QualityReference, QualitySketch
from monitor.drift.monte_carlo import count_reached, p_values
from monitor.drift.significance import LEAST_P_VALUE, holm

_N_DRAWS: Final = 4_999


@dataclass(frozen=True)
class QualityShift:
    """What one pixel statistic did.

    Parameters
    ----------
    field
        Its name.
    baseline_median, window_median
        In the field's own unit; NaN when no row has it.
    direction
        `up` or `down`, or `other` when its spread, its shape or its missing values changed more clearly
        than its location did; whether the change is significant or not.
    effect
        Cliff's delta in [−1, 1]: how much more likely a row of the window lies above a row of the baseline
        than below it. −1: all lie below; 0: as often above as below. Rows in the same bin count as
        equal. NaN when either side has no row with the field.
    baseline_missing, window_missing
        Share of the rows that do not have the field, in [0, 1]; NaN when there is no row.
    p_value
        In [0, 1], adjusted by Holm over the fields; 1 when there is nothing to compare.
    """

    field: str
    baseline_median: float
    window_median: float
    direction: Literal["up", "down", "other"]
    effect: float
    baseline_missing: float
    window_missing: float
    p_value: float


def quality_shifts(
    reference: QualityReference, window: QualitySketch, *, random_state: int = 0
) -> tuple[QualityShift, ...]:
    """Judge every field of a window.

    Two tests share a field's significance level: Mann & Whitney's (1947) on the bins' mid-ranks, for its
    location, and Pearson's X² on bins and missing rows, for everything else; p = min(1, 2 min pᵢ). Both
    p-values come from tables drawn with the observed margins (see `monte_carlo.p_values`), which is valid
    at any counts and with any ties. Where no drawn table reaches the statistic and all expected counts
    are 5 or more, the normal and the χ² distribution take over. Rows are taken to be independent.

    Parameters
    ----------
    reference
        The baseline's.
    window
        From `reference.count`, or a sum of such.
    random_state
        Seed of the drawn tables: the same window gives the same p-values.

    Returns
    -------
    One `QualityShift` per field, in the fields' order.

    Raises
    ------
    ValueError
        If the window was counted in other bins.

    Examples
    --------
    >>> from monitor.clusters.quality_sketch import fit_quality
    >>> rng = np.random.default_rng(0)
    >>> reference = fit_quality(rng.normal(0.5, 0.1, size=(1000, 2)), ["brightness", "sharpness"])
    >>> window = reference.count(rng.normal([0.5, 0.4], 0.1, size=(200, 2)))
    >>> for shift in quality_shifts(reference, window):
    ...     print(shift.field, f"{shift.window_median:.1f}", shift.p_value < 0.001)
    brightness 0.5 False
    sharpness 0.4 True
    >>> shift.direction, round(shift.effect, 1)
    ('down', -0.5)
    """
    baseline = reference.sketch
    if baseline.counts.shape != window.counts.shape:
        raise ValueError(
            f"the window has {window.counts.shape} fields × bins and the baseline "
            f"{baseline.counts.shape}; count the window with this baseline's QualityReference"
        )
    rng = np.random.default_rng([random_state, 0x7175616C])
    tests = [
        _test_field(*tables, rng=rng)
        for tables in zip(
            baseline.counts, baseline.n_missing, window.counts, window.n_missing, strict=True
        )
    ]
    adjusted = holm(np.array([min(1.0, 2 * min(test.location_p, test.shape_p)) for test in tests]))
    return tuple(
        QualityShift(
            field=field,
            baseline_median=float(before),
            window_median=float(after),
            direction=_direction(test),
            effect=test.effect,
            baseline_missing=_share(baseline.n_missing[row], baseline.n),
            window_missing=_share(window.n_missing[row], window.n),
            p_value=float(adjusted[row]),
        )
        for row, (field, before, after, test) in enumerate(
            zip(reference.fields, baseline.medians, window.medians, tests, strict=True)
        )
    )


@dataclass(frozen=True)
class _FieldTest:
    effect: float
    location_p: float
    shape_p: float


def _direction(test: _FieldTest) -> Literal["up", "down", "other"]:
    if test.location_p > test.shape_p or math.isnan(test.effect) or test.effect == 0:
        return "other"
    return "up" if test.effect > 0 else "down"


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan


def _test_field(
    before: NDArray[np.int64],
    before_missing: int,
    after: NDArray[np.int64],
    after_missing: int,
    *,
    rng: np.random.Generator,
) -> _FieldTest:
    effect = _cliffs_delta(before, after)
    before, after = np.append(before, before_missing), np.append(after, after_missing)
    total = before + after
    occupied = total > 0
    if occupied.sum() < 2 or not before.any() or not after.any():
        return _FieldTest(effect, 1.0, 1.0)
    share = after.sum() / total.sum()
    expected = total[occupied] * share
    dense = min(expected.min(), (expected / share * (1 - share)).min()) >= 5
    drawn = rng.multivariate_hypergeometric(
        total[occupied], int(after.sum()), size=_N_DRAWS, method="marginals"
    )
    shape, drawn_shape = (
        ((counts - expected) ** 2 / expected).sum(axis=-1) / (1 - share)
        for counts in (after[occupied], drawn)
    )
    shape_p = _p_value(
        float(shape), drawn_shape, dense, float(stats.chi2.sf(shape, occupied.sum() - 1))
    )
    # A missing row has no rank: score 0 leaves it out, because the others' scores are centred.
    scores = np.append(_centred_ranks(total[:-1]), 0.0)[occupied]
    if not scores.any():
        return _FieldTest(effect, 1.0, shape_p)
    location, drawn_location = (np.abs(counts @ scores) for counts in (after[occupied], drawn))
    n_all = total.sum()
    variance = share * (1 - share) * n_all / (n_all - 1) * (total[occupied] @ scores**2)
    location_p = _p_value(
        float(location),
        drawn_location,
        dense,
        float(2 * stats.norm.sf(location / np.sqrt(variance))),
    )
    return _FieldTest(effect, location_p, shape_p)


def _p_value(observed: float, drawn: NDArray[np.float64], dense: bool, beyond: float) -> float:
    n_reached = count_reached(drawn, observed)
    p_value = float(p_values(n_reached, len(drawn)))
    return max(min(p_value, beyond), LEAST_P_VALUE) if n_reached == 0 and dense else p_value


def _centred_ranks(total: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mid-ranks of the bins, less their mean over the rows."""
    ranks = np.cumsum(total) - (total - 1) / 2
    return np.asarray(ranks - (total.sum() + 1) / 2)


def _cliffs_delta(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """Cliff (1993): P(window > baseline) − P(window < baseline)."""
    n_before, n_after = int(before.sum()), int(after.sum())
    if n_before == 0 or n_after == 0:
        return math.nan
    # The rank sum's surplus over its mean, n m / 2 at most.
    return float(after @ _centred_ranks(before + after) / (n_before * n_after / 2))
