"""The measures of the benchmark, on rows of vectors."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows at length one."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def neighbour_accuracy(rows: np.ndarray, labels: np.ndarray, count: int = 5) -> float:
    """Leave-one-out accuracy of the vote of the nearest neighbours by cosine.

    A tie goes to the label whose voters are closer in sum.
    """
    near = unit(rows) @ unit(rows).T
    np.fill_diagonal(near, -np.inf)
    order = np.argsort(-near, axis=1)[:, :count]
    classes, codes = np.unique(labels, return_inverse=True)
    votes = np.zeros((len(rows), len(classes)))
    for rank in range(count):
        index = order[:, rank]
        closeness = near[np.arange(len(rows)), index]
        votes[np.arange(len(rows)), codes[index]] += 1 + 1e-3 * closeness
    return float((votes.argmax(1) == codes).mean())


def separability(
    first: np.ndarray,
    second: np.ndarray,
    seed: int = 0,
    limit: int = 300,
    standardise: bool = False,
) -> float:
    """Area under the ROC of a logistic regression that tells two sets apart, 4 folds.

    Rows have length one. With `standardise` every column also gets unit variance, which gives the
    small directions of a set as much say as the large ones.
    """
    rng = np.random.default_rng(seed)
    sides = [
        side if len(side) <= limit else side[rng.choice(len(side), limit, replace=False)]
        for side in (first, second)
    ]
    rows = unit(np.concatenate(sides))
    truth = np.repeat([0, 1], [len(side) for side in sides])
    steps = [StandardScaler()] if standardise else []
    model = make_pipeline(*steps, LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    scores = cross_val_predict(model, rows, truth, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(truth, scores))


def control_separability(rows: np.ndarray, rounds: int = 10) -> float:
    """Mean separability of random halves of one set: 0.5 where nothing leaks."""
    values = []
    for seed in range(rounds):
        order = np.random.default_rng(seed).permutation(len(rows))
        half = len(rows) // 2
        values.append(separability(rows[order[:half]], rows[order[half:]], seed))
    return float(np.mean(values))


def cluster_divergences(
    reference: np.ndarray, days: list[np.ndarray], clusters: int, seed: int = 0
) -> list[float]:
    """Jensen-Shannon divergence (base 2) of each day's cluster shares from the reference's.

    The clusters are those of the reference rows.
    """
    model = KMeans(clusters, n_init=3, random_state=seed).fit(unit(reference))

    def shares(rows: np.ndarray) -> np.ndarray:
        counts = np.bincount(model.predict(unit(rows)), minlength=clusters)
        return counts / counts.sum()

    base = shares(reference)
    values = []
    for rows in days:
        side = shares(rows)
        middle = (base + side) / 2
        terms = [np.sum(x[x > 0] * np.log2(x[x > 0] / middle[x > 0])) for x in (base, side)]
        values.append(float(sum(terms) / 2))
    return values


def mean_shift_p(
    reference: np.ndarray, current: np.ndarray, rounds: int = 200, seed: int = 0
) -> float:
    """Permutation p-value of the distance between the means of two sets."""
    rng = np.random.default_rng(seed)
    pooled = unit(np.concatenate([reference, current])).astype(np.float32)
    first, second = len(reference), len(current)
    membership = np.zeros((rounds + 1, len(pooled)), np.float32)
    membership[0, :first] = 1
    for row in range(1, rounds + 1):
        membership[row, rng.permutation(len(pooled))[:first]] = 1
    inside = membership @ pooled
    outside = pooled.sum(0) - inside
    distances = np.linalg.norm(inside / first - outside / second, axis=1)
    return float((distances >= distances[0]).mean())
