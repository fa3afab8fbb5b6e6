"""alibi-detect: MMD, KS on every coordinate, and a classifier by 5-fold cross-validation."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from adapter import Case, Found, main
from alibi_detect.cd import ClassifierDrift, KSDrift, MMDDrift
from sklearn.linear_model import LogisticRegression

N_PERMUTATIONS = 100  # the tool's default


def mmd(case: Case) -> Iterator[Found]:
    torch.manual_seed(0)
    slow = MMDDrift(case.baseline, backend="pytorch", n_permutations=N_PERMUTATIONS, device="cpu")
    fast = MMDDrift(case.baseline, backend="pytorch", n_permutations=1, device="cpu")
    for i, window in enumerate(case.windows):
        found = (slow if i < case.n_default else fast).predict(window)["data"]
        if i < case.n_default:
            yield Found(found["distance"], found["p_val"], found["is_drift"])
        else:
            yield Found(found["distance"])


def ks(case: Case) -> Iterator[Found]:
    detector = KSDrift(case.baseline, p_val=0.05)
    for window in case.windows:
        found = detector.predict(window)["data"]
        smallest = float(np.min(found["p_val"]))
        corrected = min(1.0, smallest * case.baseline.shape[1])
        # The largest distance orders windows as the smallest p-value does, and never underflows.
        yield Found(float(np.max(found["distance"])), corrected, found["is_drift"])


def classifier(case: Case) -> Iterator[Found]:
    detector = ClassifierDrift(
        case.baseline,
        LogisticRegression(max_iter=1000),
        backend="sklearn",
        p_val=0.05,
        preds_type="probs",
        n_folds=5,
    )
    for window in case.windows:
        found = detector.predict(window)["data"]
        yield Found(found["distance"], found["p_val"], found["is_drift"])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main(
        {"alibi-mmd": mmd, "alibi-ks": ks, "alibi-classifier": classifier},
        ("alibi-detect", "torch", "numpy", "scikit-learn"),
    )
