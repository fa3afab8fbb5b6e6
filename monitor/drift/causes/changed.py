"""Which rows of a window changed: how likely each comes from what the baseline does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import KnownRows, neighbours

_N_FOLDS: Final = 5
_MAX_AXES: Final = 64
"""Directions of the baseline that the classifier sees: more would only be learned by heart from few rows."""
_STRENGTH: Final = 0.03
"""scikit-learn's C: strong regularisation, since a window has hardly more rows than directions."""
_WEIGHT_OF_RANK: Final = 0.5
"""Of −log of the distance's rank, beside the classifier's log odds, in a row's score."""
_LEAST_SHARE_KNOWN: Final = 0.3
"""The share of changed rows is read off a region with at least so much of the baseline."""
_OPTIMISM: Final = 0.6
"""Standard errors taken off the best of many bounds, which is too good by about that."""
_Z: Final = 1.96
_MAX_TRAINING: Final = 5_000


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """The rows of a window, told apart from the baseline's.

    Parameters
    ----------
    scores
        (n,) float64 in [0, 1], how likely each row is one of those that changed.
    order
        (n,) the rows, the likeliest first.
    share, low, high
        The share of rows that changed, with an interval of about 95 %, in [0, 1].
    nearest, distances
        (n,) the known row that each is nearest to, and the mean distance to the nearest five.
    ranks
        (n,) in (0, 1], the share of known rows that lie at least as far from the other known rows.
    log_odds
        What the classifier says of these rows and of the known ones.
    """

    scores: NDArray[np.float64]
    order: NDArray[np.int64]
    share: float
    low: float
    high: float
    nearest: NDArray[np.int64]
    distances: NDArray[np.float64]
    ranks: NDArray[np.float64]
    log_odds: tuple[NDArray[np.float64], NDArray[np.float64]]

    @property
    def rows(self) -> NDArray[np.int64]:
        """As many rows as changed, the likeliest first."""
        return self.order[: round(self.share * len(self.order))]


def changed_rows(
    window: NDArray[np.float32], known: KnownRows, *, random_state: int = 0
) -> ChangedRows:
    """Tell a window's rows apart from known ones.

    A row's score joins two views. A logistic classifier, cross-fitted so that no row is scored by a model
    that has seen it or a copy of it, sees what many rows have in common; the mean distance to the nearest
    known rows sees what is unlike anything known. If the window is a mixture (1 − π) known + π new, any
    region A of scores holds at least (1 − π) of what the known rows have there, so that
    π ≥ 1 − P(A | window) / P(A | known); the region that bounds π best gives the estimate (Blanchard, Lee &
    Scott 2010; Garg et al. 2021). Then P(new | score) = 1 − (1 − π) · density ratio, by isotonic regression.

    Parameters
    ----------
    window
        (n, width) float32.
    known
        Rows of the baseline.
    random_state
        Seed of the folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> vectors = rng.normal(size=(500, 8)).astype(np.float32)
    >>> known = KnownRows(vectors, np.empty((500, 0), dtype=np.float32))
    >>> window = rng.normal(size=(200, 8)).astype(np.float32)
    >>> window[:50] += 4
    >>> changed = changed_rows(window, known)
    >>> round(changed.share, 1), int((changed.rows < 50).sum()) >= 45
    (0.2, True)
    """
    rng = np.random.default_rng([random_state, 0x6368])
    distances, nearest = neighbours(window, known.vectors)
    own_distances, _ = known.own_neighbours
    by_classifier, own = log_odds(window, known.vectors, rng)
    ranks = _ranks(distances, own_distances)
    own_ranks = _ranks(own_distances, own_distances)
    newness = by_classifier - _WEIGHT_OF_RANK * np.log(ranks)
    expected = own - _WEIGHT_OF_RANK * np.log(own_ranks)
    share, low, high = _mixture_share(newness, expected)
    return ChangedRows(
        scores=_posterior(newness, expected, share),
        order=np.argsort(-newness, kind="stable"),
        share=share,
        low=low,
        high=high,
        nearest=nearest,
        distances=distances,
        ranks=ranks,
        log_odds=(by_classifier, own),
    )


def _ranks(distances: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.searchsorted(np.sort(known), distances, side="left")
    return np.asarray((1 + len(known) - below) / (len(known) + 1))


def log_odds(
    window: NDArray[np.float32],
    known: NDArray[np.float32],
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-fitted log odds that a row is of the window, of both sides' rows.

    `weights`, (m,), say how much each known row counts; all count alike by default.
    """
    counts = np.concatenate(
        [np.ones(len(window)), np.ones(len(known)) if weights is None else weights]
    )
    from sklearn.linear_model import LogisticRegression

    centred = known.astype(np.float64) - known.mean(axis=0, dtype=np.float64)
    eigenvalues, vectors = np.linalg.eigh(centred.T @ centred / len(known))
    eigenvalues, vectors = eigenvalues[::-1][:_MAX_AXES], vectors[:, ::-1][:, :_MAX_AXES]
    ridge = max(float(np.square(centred).sum(axis=1).mean() / known.shape[1]), 1e-12)
    axes = vectors / np.sqrt(np.clip(eigenvalues, 0, None) + ridge)
    rows = (np.concatenate([window, known]) - known.mean(axis=0)) @ axes
    is_window = np.arange(len(rows)) < len(window)
    folds = _folds(np.concatenate([window, known]), rng)
    trained_on = np.ones(len(rows), dtype=bool)
    for side in (is_window, ~is_window):
        few = rng.permutation(np.flatnonzero(side))[_MAX_TRAINING:]
        trained_on[few] = False
    scores = np.empty(len(rows))
    for fold in range(_N_FOLDS):
        is_left_out = folds == fold
        training = ~is_left_out & trained_on
        if len(np.unique(is_window[training & (counts > 0)])) < 2:
            return np.zeros(len(window)), np.zeros(len(known))
        model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=200)
        model.fit(rows[training], is_window[training], sample_weight=counts[training])
        scores[is_left_out] = model.decision_function(rows[is_left_out])
    return scores[: len(window)], scores[len(window) :]


def _folds(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) the fold of each row; copies of one row share theirs."""
    copies = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    n_distinct = int(copies.max()) + 1
    return (rng.permutation(n_distinct) % _N_FOLDS)[copies]


def _mixture_share(
    window: NDArray[np.float64], known: NDArray[np.float64]
) -> tuple[float, float, float]:
    """The share of new rows and its interval, from scores that are larger the newer a row looks."""
    shares_known = np.linspace(_LEAST_SHARE_KNOWN, 1.0, 71)
    edges = np.quantile(known, shares_known)
    p = np.searchsorted(np.sort(window), edges, side="right") / len(window)
    q = np.searchsorted(np.sort(known), edges, side="right") / len(known)
    deviation = np.sqrt(p * (1 - p) / len(window) + (p / q) ** 2 * q * (1 - q) / len(known)) / q
    share = 1 - p / q
    best = int(np.argmax(share - _OPTIMISM * deviation))
    middle = float(np.clip(share[best] - _OPTIMISM * deviation[best], 0.0, 1.0))
    half = _Z * float(deviation[best])
    return middle, max(0.0, middle - half), min(1.0, middle + half)


def _posterior(
    window: NDArray[np.float64], known: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    from sklearn.isotonic import IsotonicRegression

    scores = np.concatenate([window, known])
    is_window = np.repeat([1.0, 0.0], [len(window), len(known)])
    weights = np.repeat([1 / len(window), 1 / len(known)], [len(window), len(known)])
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    of_window = model.fit_transform(scores, is_window, sample_weight=weights)[: len(window)]
    ratio = np.divide(1 - of_window, of_window, out=np.ones_like(of_window), where=of_window > 0)
    return np.asarray(np.clip(1 - (1 - share) * ratio, 0.0, 1.0))
