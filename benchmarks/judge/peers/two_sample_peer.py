"""Tests of two samples, written after their papers: the first that people try, and the sharpest there are.

The score alone is compared, at a measured level; none gives a p-value here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from adapter import Case, Found, main
from scipy.special import logsumexp
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

N_FOLDS = 5
N_NEIGHBOURS = 15
N_COMPONENTS = 150
N_BANDWIDTHS = 10


def energy(case: Case) -> Iterator[Found]:
    """2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖ (Székely & Rizzo 2004)."""
    of_baseline = _distances(case.baseline, case.baseline).mean()
    for window in case.windows:
        across = _distances(case.baseline, window).mean()
        yield Found(float(2 * across - of_baseline - _distances(window, window).mean()))


def mmd_fuse(case: Case) -> Iterator[Found]:
    """MMD² of Gaussian and Laplace kernels of many bandwidths, fused (Biggs, Schrab & Gretton 2023)."""
    n = len(case.baseline)
    own = _distances(case.baseline, case.baseline)
    for window in case.windows:
        m = len(window)
        distances = np.empty((n + m, n + m))
        distances[:n, :n] = own
        distances[:n, n:] = across = _distances(case.baseline, window)
        distances[n:, :n] = across.T
        distances[n:, n:] = _distances(window, window)
        few = distances[np.triu_indices(n + m, 1)]
        low, high = np.quantile(few[few > 0], (0.05, 0.95))
        scale = np.sqrt(m * (m - 1))
        fused = []
        for bandwidth in np.linspace(low / 2, high * 2, N_BANDWIDTHS):
            for kernel in (
                np.exp(-((distances / bandwidth) ** 2) / 2),
                np.exp(-distances / bandwidth),
            ):
                np.fill_diagonal(kernel, 0)
                size = np.sqrt((kernel**2).sum() / ((n + m) * (n + m - 1)))
                mmd = (
                    kernel[:n, :n].sum() / (n * (n - 1))
                    + kernel[n:, n:].sum() / (m * (m - 1))
                    - 2 * kernel[:n, n:].mean()
                )
                fused.append(scale * mmd / size)
        yield Found(float(logsumexp(fused) - np.log(len(fused))))


def classifier(make: Callable[[], object]) -> Callable[[Case], Iterator[Found]]:
    """The area under the curve of a classifier of the two samples, cross-fitted (Lopez-Paz & Oquab 2017)."""

    def method(case: Case) -> Iterator[Found]:
        for window in case.windows:
            rows = np.concatenate([case.baseline, window])
            side = np.repeat([0, 1], [len(case.baseline), len(window)])
            folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
            scores = cross_val_predict(make(), rows, side, cv=folds, method="predict_proba")[:, 1]
            yield Found(float(roc_auc_score(side, scores)))

    return method


def driftlens(case: Case) -> Iterator[Found]:
    """Fréchet distance of both samples as if they were normal (DriftLens, per batch; Greco et al. 2024)."""
    pca = PCA(min(N_COMPONENTS, case.baseline.shape[1]), random_state=0).fit(case.baseline)
    baseline = pca.transform(case.baseline)
    centre, covariance = baseline.mean(axis=0), np.cov(baseline, rowvar=False)
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(np.clip(values, 0, None))) @ axes.T
    for window in case.windows:
        rows = pca.transform(window)
        own = np.cov(rows, rowvar=False)
        # tr √(A B) = tr √(√A B √A), whose eigenvalues are real.
        crossed = np.sqrt(np.clip(np.linalg.eigvalsh(root @ own @ root), 0, None)).sum()
        moved = rows.mean(axis=0) - centre
        yield Found(float(moved @ moved + np.trace(covariance) + np.trace(own) - 2 * crossed))


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = first.astype(np.float64), second.astype(np.float64)
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.sqrt(np.clip(squares, 0, None))


if __name__ == "__main__":
    main(
        {
            "energy": energy,
            "mmd-fuse": mmd_fuse,
            "linear": classifier(lambda: LogisticRegression(max_iter=1000)),
            "knn": classifier(lambda: KNeighborsClassifier(N_NEIGHBOURS)),
            "driftlens": driftlens,
        },
        ("numpy", "scipy", "scikit-learn"),
    )
