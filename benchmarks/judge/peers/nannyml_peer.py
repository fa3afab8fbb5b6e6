"""NannyML: Jensen–Shannon and chi-square on the cluster label, and PCA reconstruction error."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from adapter import Case, Found, main
from nannyml import DataReconstructionDriftCalculator, UnivariateDriftCalculator


def labels_judged(test: str) -> Callable[[Case], Iterator[Found]]:
    def method(case: Case) -> Iterator[Found]:
        n = case.windows.shape[1]
        calculator = UnivariateDriftCalculator(
            column_names=["cluster"],
            treat_as_categorical=["cluster"],
            categorical_methods=[test],
            chunk_size=n,
        )
        calculator.fit(_named(case.baseline_labels))
        found = calculator.calculate(_named(case.window_labels.ravel())).filter(period="analysis")
        frame = found.to_df()["cluster"][test]
        for value, alarm in zip(frame["value"], frame["alert"], strict=True):
            yield Found(float(value), alarm=bool(alarm))

    return method


def reconstruction(case: Case) -> Iterator[Found]:
    n, width = case.windows.shape[1:]
    columns = [f"v{i}" for i in range(width)]
    calculator = DataReconstructionDriftCalculator(column_names=columns, chunk_size=n)
    calculator.fit(pd.DataFrame(case.baseline.astype(np.float64), columns=columns))
    rows = pd.DataFrame(case.windows.reshape(-1, width).astype(np.float64), columns=columns)
    frame = calculator.calculate(rows).filter(period="analysis").to_df()["reconstruction_error"]
    # Errors are of another size in each deployment and drift in both directions: what is compared is how far
    # a window lies from the middle of the tool's own two thresholds, in half their distance.
    middle = (frame["upper_threshold"] + frame["lower_threshold"]) / 2
    half = (frame["upper_threshold"] - frame["lower_threshold"]) / 2
    scores = (frame["value"] - middle).abs() / half
    for score, alarm in zip(scores, frame["alert"], strict=True):
        yield Found(float(score), alarm=bool(alarm))


def _named(labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"cluster": [f"cluster {label}" for label in labels]})


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(
        {
            "nannyml-js": labels_judged("jensen_shannon"),
            "nannyml-chi2": labels_judged("chi2"),
            "nannyml-pca": reconstruction,
        },
        ("nannyml", "numpy", "pandas", "scikit-learn"),
    )
