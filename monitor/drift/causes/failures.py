"""Do more rows than usual have no vector, and for which reason?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from monitor.drift.significance import holm


@dataclass(frozen=True)
class FailureShift:
    """What one reason for a missing vector did.

    Parameters
    ----------
    reason
        Of `monitor.failures.REASONS`.
    baseline_share, window_share
        Its share of all rows, in [0, 1].
    p_value
        In [0, 1]: whether it is more frequent than in the baseline; adjusted by Holm over the reasons.
    """

    reason: str
    baseline_share: float
    window_share: float
    p_value: float


def failure_shifts(
    baseline: Mapping[str, int], n_baseline: int, window: Mapping[str, int], n_window: int
) -> tuple[FailureShift, ...]:
    """Hold each reason's share of the rows against the baseline's, by Fisher's exact test, one-sided.

    Rows are taken as independent, though failures come in bursts: a small p-value is a hint, not a verdict.

    Parameters
    ----------
    baseline, window
        Rows per reason.
    n_baseline, n_window
        All rows, those with a vector included.

    Returns
    -------
    One per reason that the window has, the least p-value first.

    Examples
    --------
    >>> for shift in failure_shifts({"http_404": 2}, 1000, {"http_404": 1, "timeout": 30}, 200):
    ...     print(shift.reason, shift.window_share, f"{shift.p_value:.2g}")
    timeout 0.15 1.3e-24
    http_404 0.005 0.42
    """
    reasons = [reason for reason, n in window.items() if n > 0]
    p_values = np.array(
        [
            stats.hypergeom.sf(
                window[reason] - 1,
                n_baseline + n_window,
                baseline.get(reason, 0) + window[reason],
                n_window,
            )
            for reason in reasons
        ]
    )
    shifts = [
        FailureShift(
            reason=reason,
            baseline_share=baseline.get(reason, 0) / n_baseline if n_baseline else 0.0,
            window_share=window[reason] / n_window,
            p_value=min(float(p_value), 1.0),
        )
        for reason, p_value in zip(reasons, holm(p_values) if reasons else (), strict=True)
    ]
    return tuple(sorted(shifts, key=lambda shift: shift.p_value))
