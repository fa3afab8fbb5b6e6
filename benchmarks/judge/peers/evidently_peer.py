"""Evidently's embedding drift, with its default thresholds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pandas as pd
from adapter import Case, Found, main
from evidently.legacy.metrics.data_drift.embedding_drift_methods import (
    distance,
    mmd,
    model,
    ratio,
)


def judged(make: Callable[..., Callable], **options: object) -> Callable[[Case], Iterator[Found]]:
    def method(case: Case) -> Iterator[Found]:
        judge = make(**options)
        columns = [f"v{i}" for i in range(case.baseline.shape[1])]
        for window in case.windows:
            # New frames each time: `model` adds a column to the ones it is given.
            score, alarm, _ = judge(
                pd.DataFrame(window, columns=columns), pd.DataFrame(case.baseline, columns=columns)
            )
            yield Found(score=score, alarm=alarm)

    return method


def mmd_as_shipped(case: Case) -> Iterator[Found]:
    """The statistic of every window; its bootstrap verdict, far slower, for the first few."""
    columns = [f"v{i}" for i in range(case.baseline.shape[1])]
    baseline = pd.DataFrame(case.baseline, columns=columns)
    for i, window in enumerate(case.windows):
        frame = pd.DataFrame(window, columns=columns)
        if i < case.n_default:
            score, alarm, _ = mmd(bootstrap=True)(frame, baseline)
        else:
            score, alarm = mmd()(frame, baseline)[0], None
        yield Found(score=score, alarm=alarm)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(
        {
            "evidently-model": judged(model),
            "evidently-ratio": judged(ratio),
            "evidently-distance": judged(distance),
            "evidently-mmd": mmd_as_shipped,
        },
        ("evidently", "numpy", "pandas", "scikit-learn"),
    )
