"""What a mean's movement is made of: another mix of what is known, or one change of all images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters import KnownRows, Movements
from monitor.clusters.content import n_distinct
from monitor.clusters.kmeans import assign, fit_centroids
from monitor.drift.causes.discriminant import linear_discriminant
from monitor.drift.causes.likeness import Likeness, MeanShift, likenesses, rows_looked_at
from monitor.drift.causes.mixture_share import independent_rows, least_left

_ROWS_OF_KIND: Final = 25
"""Known rows of each of the small clusters that a new mix is made of."""
_MOST_KINDS: Final = 64
_LEAST_CLEAR: Final = 2.5
"""The movement must be so many standard deviations beyond chance to be taken apart at all."""
_CHANCE_EMPTY: Final = 0.005
"""A small cluster is told as vanished when so few rows would come by chance at most so often."""
_BELOW_CHANCE: Final = 0.45
"""The area that is left on average when shares are read off the very rows that are told apart."""
_GONE: Final = 1 / 3
"""A small cluster has all but vanished when less than this part of its share is left."""
_SURELY_LEFT: Final = 0.5
"""Content is lost when surely less than this part of its share is left: as its bound says, far less is."""


@dataclass(frozen=True, eq=False)
class MovementParts:
    """The parts of a mean's movement.

    Parameters
    ----------
    clearness
        The squared movement above chance, in standard deviations of chance.
    by_mix
        The part of what sets the window apart that is gone once known rows are weighted so that their small
        clusters have the window's shares; the mean of two views: the squared movement, and what a
        classifier can tell apart.
    gone
        (m,) which known rows lie in small clusters that have all but vanished.
    is_loss
        Whether some part of the known rows has all but vanished, whatever grew.
    likenesses
        Of the changes that the baseline knows, the likest first.
    """

    clearness: float
    by_mix: float
    gone: NDArray[np.bool_]
    is_loss: bool
    likenesses: tuple[Likeness, ...]

    @property
    def is_clear(self) -> bool:
        """Whether the movement is large enough to be taken apart."""
        return self.clearness >= _LEAST_CLEAR

    @property
    def likest(self) -> Likeness | None:
        """The change that shows most clearly, of those that explain enough and are more than chance."""
        return max(self._explaining, key=lambda likeness: likeness.clearness, default=None)

    @property
    def alike(self) -> tuple[Likeness, ...]:
        """The other changes that explain the movement about as well as the likest does, the likest first."""
        likest = self.likest
        return () if likest is None else tuple(filter(likest.is_alike, self._explaining))

    @property
    def _explaining(self) -> list[Likeness]:
        return [each for each in self.likenesses if each.is_clear(among=len(self.likenesses))]


def movement_parts(
    window: NDArray[np.float32],
    known: KnownRows,
    whitener: NDArray[np.float32],
    movements: Movements | None,
    *,
    changed: NDArray[np.int64] | None = None,
    random_state: int = 0,
) -> MovementParts:
    """Take the movement of the mean apart, in whitened coordinates.

    With Δ the window's mean less the known rows', f = 1/n + 1/m and Σ the known rows' covariance,
    E‖Δ‖² = f tr Σ without drift. What a change with movement δ explains is the squared length of Δ's
    projection on δ, less f δ'Σδ/‖δ‖², over ‖Δ‖² − f tr Σ; ⟨Δ, δ⟩/‖δ‖² estimates the share of rows that it
    was done to. What a new mix explains is what is left when the window's rows are held against the
    means of the small clusters that they lie in.

    Parameters
    ----------
    window
        (n, width) float32.
    known
        m rows of the baseline.
    whitener
        (width, width), the baseline's.
    movements
        What is known of changes of the images; None for nothing.
    changed
        The rows that more likely changed than not, where that is known. A change of the images leaves them
        like known rows once it is undone.
    random_state
        Seed of the small clusters, and of the classifier's folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> known = rng.normal(size=(600, 8)).astype(np.float32)
    >>> swapped = np.full((1, 8), 2, dtype=np.float32)
    >>> window = known[:200] + swapped * (rng.random((200, 1)) < 0.5)
    >>> parts = movement_parts(
    ...     window.astype(np.float32),
    ...     KnownRows(known[200:], np.empty((400, 0), dtype=np.float32)),
    ...     np.eye(8, dtype=np.float32),
    ...     Movements(("red and blue swapped",), swapped, n_images=60),
    ... )
    >>> likest = parts.likenesses[0]
    >>> likest.name, round(likest.explained, 1), round(likest.share, 1)
    ('red and blue swapped', 1.0, 0.5)
    """
    axes = whitener.astype(np.float64)
    vectors = known.vectors
    rows, others = window.astype(np.float64) @ axes, vectors.astype(np.float64) @ axes
    centre = others.mean(axis=0)
    rows, others = rows - centre, others - centre
    shift = MeanShift(
        moved=rows.mean(axis=0),
        covariance=others.T @ others / max(len(others) - 1, 1),
        f=1 / len(rows) + 1 / len(others),
    )
    if shift.clearness <= 0:
        return MovementParts(shift.clearness, 0.0, np.zeros(len(known), dtype=bool), False, ())
    kinds = _Kinds.of(window, vectors, random_state)
    left = kinds.left(rows, others) / shift.beyond
    rng = np.random.default_rng([random_state, 0x617563])
    before = linear_discriminant(window, vectors, rng)
    return MovementParts(
        shift.clearness,
        by_mix=(1 - left + kinds.explained(window, vectors, before, rng)) / 2,
        gone=kinds.gone(),
        is_loss=least_left(*before, independent_rows(window)) <= _SURELY_LEFT,
        likenesses=likenesses(shift, axes, movements, rows_looked_at(window, changed), known),
    )


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Small clusters of the known rows, and both sides in them."""

    of_window: NDArray[np.int64]
    of_known: NDArray[np.int64]
    n: int

    @classmethod
    def of(
        cls, window: NDArray[np.float32], known: NDArray[np.float32], random_state: int
    ) -> _Kinds:
        n = int(np.clip(len(known) // _ROWS_OF_KIND, 1, min(_MOST_KINDS, n_distinct(known))))
        if n < 2:
            return cls(np.zeros(len(window), np.int64), np.zeros(len(known), np.int64), 1)
        centres = fit_centroids(known, n, random_state=random_state, n_init=1)
        return cls(assign(window, centres)[0], assign(known, centres)[0], n)

    @property
    def counts(self) -> NDArray[np.int64]:
        return np.bincount(self.of_known, minlength=self.n)

    @property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the known rows and of the window's."""
        q = np.bincount(self.of_window, minlength=self.n) / len(self.of_window)
        return self.counts / len(self.of_known), q

    def left(self, rows: NDArray[np.float64], others: NDArray[np.float64]) -> float:
        """The squared movement of the mean within these clusters, sampling noise taken off."""
        counts, q = self.counts, self.shares[1]
        means = np.zeros((self.n, others.shape[1]))
        np.add.at(means, self.of_known, others)
        means /= np.maximum(counts, 1)[:, None]
        moved = rows.mean(axis=0) - q @ means
        within = float(np.square(others - means[self.of_known]).sum())
        within /= max(len(others) - self.n, 1)
        noise = within * (1 / len(rows) + float((q**2 / np.maximum(counts, 1)).sum()))
        return float(moved @ moved) - noise

    def explained(
        self,
        window: NDArray[np.float32],
        known: NDArray[np.float32],
        before: tuple[NDArray[np.float64], NDArray[np.float64]],
        rng: np.random.Generator,
    ) -> float:
        """The part of a classifier's area above chance that is gone once the shares are the window's."""
        p, q = self.shares
        weights = np.divide(q, p, out=np.zeros(self.n), where=p > 0)[self.of_known]
        area = _area(*before, np.ones(len(known)))
        left = _area(*linear_discriminant(window, known, rng, weights), weights)
        return float(np.clip((area - left) / max(area - _BELOW_CHANCE, 1e-9), 0.0, 1.0))

    def gone(self) -> NDArray[np.bool_]:
        """(m,) which known rows lie in clusters that have all but vanished."""
        p, q = self.shares
        n = len(self.of_window)
        is_gone = (q < _GONE * p) & (stats.poisson.cdf(q * n, p * n) <= _CHANCE_EMPTY)
        return np.asarray(is_gone[self.of_known])


def _area(
    window: NDArray[np.float64], known: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """The area under the ROC curve of scores of the two sides; known rows count by `weights`."""
    order = np.argsort(known)
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    left, right = (np.searchsorted(known[order], window, side=side) for side in ("left", "right"))
    return float(((below[left] + below[right]) / 2).mean())
