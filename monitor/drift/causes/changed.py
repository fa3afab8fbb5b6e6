"""Which rows of a window changed: how likely each comes from what the baseline does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import KnownRows, neighbours
from monitor.drift.causes.mixture_share import independent_rows, mixture_share, posteriors

_N_FOLDS: Final = 5
_N_REPEATS: Final = 3
"""Ways to deal rows to folds that scores are averaged over: one way alone moves them by chance."""
_MAX_AXES: Final = 64
"""Directions of the baseline that the classifier sees: more would only be learned by heart from few rows."""
_SHRINKAGE: Final = 0.1
"""Of the covariance, in units of a whitened direction's variance, as both sides together weigh 2: much, since
a window has hardly more rows than directions."""
_STRENGTH_OF_VIEWS: Final = 10.0
"""The same for two weights, which need next to none."""
_MAX_TRAINING: Final = 5_000
_LIKELY: Final = 0.5
"""A row is called changed that more likely is than not."""


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
    discriminant
        What the classifier says of these rows and of the known ones.
    joint_ranks, n_known, n_distinct
        What scores are read off (see `posteriors`).
    """

    scores: NDArray[np.float64]
    order: NDArray[np.int64]
    share: float
    low: float
    high: float
    nearest: NDArray[np.int64]
    distances: NDArray[np.float64]
    ranks: NDArray[np.float64]
    discriminant: tuple[NDArray[np.float64], NDArray[np.float64]]
    joint_ranks: NDArray[np.float64]
    n_known: int
    n_distinct: float

    @property
    def rows(self) -> NDArray[np.int64]:
        """Those that more likely changed than not, the likeliest first."""
        return self.order[self.scores[self.order] >= _LIKELY]

    def given(self, share: float) -> ChangedRows:
        """The same rows where the share that changed is known better: by how far all have moved."""
        scores = posteriors(self.joint_ranks, share, self.n_known, self.n_distinct)
        return replace(self, scores=scores, share=share)

    def seen(self, is_changed: NDArray[np.bool_]) -> ChangedRows:
        """The same rows where it is plain which of them changed, (n,): those that hold one image."""
        order = self.order[np.argsort(~is_changed[self.order], kind="stable")]
        share = float(is_changed.mean())
        scores = is_changed.astype(np.float64)
        return replace(self, scores=scores, order=order, share=share, low=share, high=share)


def changed_rows(
    window: NDArray[np.float32], known: KnownRows, *, random_state: int = 0
) -> ChangedRows:
    """Tell a window's rows apart from known ones.

    Two views are joined. A logistic classifier, cross-fitted so that no row is scored by a model that has
    seen it or a copy of it, sees what many rows have in common; the mean distance to the nearest known rows
    sees what is unlike anything known. Both are taken as ranks among the known rows, and a second classifier
    of these two alone weighs them by what they tell of this window (stacking; Wolpert 1992). From the ranks
    of the joint scores come the share and how likely each row is new (`mixture_share`, `posteriors`).

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
    by_classifier, own = discriminant(window, known.vectors, rng)
    ranks, own_ranks = (_ranks(far, own_distances) for far in (distances, own_distances))
    views, own_views = (
        -np.log(np.column_stack([_ranks(odds, own), of_distances]))
        for odds, of_distances in ((by_classifier, ranks), (own, own_ranks))
    )
    newness, expected = _joined(views, own_views)
    joint = _ranks(newness, expected)
    n_distinct = independent_rows(window)
    mixture = mixture_share(joint, len(known), n_distinct)
    return ChangedRows(
        scores=posteriors(joint, mixture.share, len(known), n_distinct),
        joint_ranks=joint,
        n_known=len(known),
        n_distinct=n_distinct,
        order=np.argsort(-newness, kind="stable"),
        share=mixture.share,
        low=mixture.low,
        high=mixture.high,
        nearest=nearest,
        distances=distances,
        ranks=ranks,
        discriminant=(by_classifier, own),
    )


def _ranks(distances: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.searchsorted(np.sort(known), distances, side="left")
    return np.asarray((1 + len(known) - below) / (len(known) + 1))


def _joined(
    views: NDArray[np.float64], own_views: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted sums of the views, of both sides: of two weights nothing is learned by heart."""
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([views, own_views])
    is_window = np.arange(len(rows)) < len(views)
    model = LogisticRegression(C=_STRENGTH_OF_VIEWS, class_weight="balanced")
    # What looks new on either view counts for it, never against it.
    learned = np.maximum(model.fit(rows, is_window).coef_[0], 0.0)
    weights = learned if learned.any() else np.ones(len(learned))
    return views @ weights, own_views @ weights


def discriminant(
    window: NDArray[np.float32],
    known: NDArray[np.float32],
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-fitted scores of both sides' rows, the larger the more a row is of the window.

    Ridge regression of the side, ±1, on the baseline's whitened directions: Fisher's discriminant with a
    shrunken covariance, whose folds need no more than the sums of the others. `weights`, (m,), say how
    much each known row counts; all count alike by default. Both sides weigh the same.
    """
    counts = np.concatenate(
        [np.ones(len(window)), np.ones(len(known)) if weights is None else weights]
    )
    is_window = np.arange(len(counts)) < len(window)
    for side in (is_window, ~is_window):
        if not counts[side].sum() > 0:
            return np.zeros(len(window)), np.zeros(len(known))
        counts[side] /= counts[side].sum()
    centred = known.astype(np.float64) - known.mean(axis=0, dtype=np.float64)
    eigenvalues, vectors = np.linalg.eigh(centred.T @ centred / len(known))
    eigenvalues, vectors = eigenvalues[::-1][:_MAX_AXES], vectors[:, ::-1][:, :_MAX_AXES]
    ridge = max(float(np.square(centred).sum(axis=1).mean() / known.shape[1]), 1e-12)
    axes = vectors / np.sqrt(np.clip(eigenvalues, 0, None) + ridge)
    rows = (np.concatenate([window, known]) - known.mean(axis=0)) @ axes
    rows = np.column_stack([rows, np.ones(len(rows))])
    sides = np.where(is_window, 1.0, -1.0)
    penalty = np.diag(np.append(np.full(rows.shape[1] - 1, _SHRINKAGE), 0.0))
    scores = np.zeros(len(rows))
    for folds in _dealt(window, known, rng):
        parts = [rows[folds == fold] for fold in range(_N_FOLDS)]
        weighed = [counts[folds == fold, None] * part for fold, part in enumerate(parts)]
        grams = [part.T @ weighed[fold] for fold, part in enumerate(parts)]
        sums = [weighed[fold].T @ sides[folds == fold] for fold in range(_N_FOLDS)]
        for fold in range(_N_FOLDS):
            gram = sum(grams) - grams[fold] + penalty
            model = np.linalg.solve(gram, sum(sums) - sums[fold])
            scores[folds == fold] += parts[fold] @ model / _N_REPEATS
    return scores[: len(window)], scores[len(window) :]


def _dealt(
    window: NDArray[np.float32], known: NDArray[np.float32], rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """`_N_REPEATS` times, the fold of each row of both sides; copies of one row share theirs."""
    copies = np.unique(np.concatenate([window, known]), axis=0, return_inverse=True)[1].ravel()
    n_distinct = int(copies.max()) + 1
    for _ in range(_N_REPEATS):
        yield (rng.permutation(n_distinct) % _N_FOLDS)[copies]
