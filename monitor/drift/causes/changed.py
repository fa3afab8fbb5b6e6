"""Which rows of a window changed: how likely each comes from what the baseline does not have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import KnownRows, neighbours
from monitor.drift.causes.discriminant import kernel_discriminant
from monitor.drift.causes.mixture_share import independent_rows, mixture_share, posteriors
from monitor.drift.causes.share_interval import share_interval

_STRENGTH_OF_VIEWS: Final = 10.0
"""The same for two weights, which need next to none."""
_LIKELY: Final = 0.5
"""A row is called changed that more likely is than not."""
_WRONG: Final = 0.05
"""Of the rows that are listed, the part that is expected not to have changed: what is usual for the rate of
false discoveries (Benjamini & Hochberg 1995)."""


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
    joint_ranks: NDArray[np.float64]
    n_known: int
    n_distinct: float

    @property
    def likely(self) -> NDArray[np.int64]:
        """Those that more likely changed than not, the likeliest first."""
        return self.order[self.scores[self.order] >= _LIKELY]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Those that are listed, the likeliest first.

        As many of the likely ones as are expected to hold no more than one in twenty that did not change: a
        list's false discovery rate is one less the mean of its scores (Efron et al. 2001). All of them where
        no row is that sure.
        """
        likely = self.likely
        rate = np.cumsum(1 - self.scores[likely]) / np.arange(1, len(likely) + 1)
        few = np.flatnonzero(rate <= _WRONG)
        return likely[: few[-1] + 1] if len(few) else likely

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
    of the joint scores come the share, which others are compatible, and how likely each row is new
    (`mixture_share`, `share_interval`, `posteriors`).

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
    by_classifier, own = kernel_discriminant(window, known.vectors, rng)
    ranks, own_ranks = (_ranks(far, own_distances) for far in (distances, own_distances))
    views, own_views = (
        -np.log(np.column_stack([_ranks(odds, own), of_distances]))
        for odds, of_distances in ((by_classifier, ranks), (own, own_ranks))
    )
    newness, expected = _joined(views, own_views)
    joint = _ranks(newness, expected)
    n_distinct = independent_rows(window)
    share = mixture_share(joint, len(known), n_distinct)
    low, high = share_interval(joint, len(known), n_distinct)
    return ChangedRows(
        scores=posteriors(joint, share, len(known), n_distinct),
        joint_ranks=joint,
        n_known=len(known),
        n_distinct=n_distinct,
        order=np.argsort(-newness, kind="stable"),
        share=share,
        low=min(low, share),
        high=max(high, share),
        nearest=nearest,
        distances=distances,
        ranks=ranks,
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
