"""whylogs: its chi-square drift score on the column of cluster labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import whylogs as why
from adapter import Case, Found, main
from whylogs.viz.drift.column_drift_algorithms import ChiSquare, calculate_drift_scores


def profile(labels: np.ndarray) -> Any:
    names = [f"cluster {label}" for label in labels]
    return why.log(pd.DataFrame({"cluster": names})).view()


def chi_square(case: Case) -> Iterator[Found]:
    reference = profile(case.baseline_labels)
    for labels in case.window_labels:
        found = calculate_drift_scores(
            target_view=profile(labels),
            reference_view=reference,
            drift_map={"cluster": ChiSquare()},
            with_thresholds=True,
        )["cluster"]
        p_value = float(found["pvalue"])
        yield Found(-p_value, p_value, found["drift_category"] == "DRIFT")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main({"whylogs-chi2": chi_square}, ("whylogs", "numpy", "pandas"))
