"""Two means compared as if rows were dealt to the sides at random, whatever their distribution."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.drift.mean_null import MeanNull

_MOST_PAIRED: Final = 500
"""So many rows tell the mean cube of two rows' inner product."""


@dataclass(frozen=True, eq=False)
class DealtRows:
    """Rows of the baseline that windows are dealt together with, and what hangs on no window of it.

    Parameters
    ----------
    mean
        (width,) float64.
    rows
        (m, width) float64, about their mean.
    """

    mean: NDArray[np.float64]
    rows: NDArray[np.float64]
    _known_pairs: dict[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: NDArray[np.floating]) -> DealtRows:
        """Of `rows`, (m, width)."""
        exact = rows.astype(np.float64)
        mean = exact.sum(axis=0) / max(len(exact), 1)
        exact -= mean
        return cls(mean, exact)

    def null(self, window: NDArray[np.floating]) -> tuple[float, MeanNull]:
        """‖x̄ − ȳ‖² of a window, (n, width), and these; and its distribution, as those of `dealt_null`."""
        n, m = len(window), len(self.rows)
        total = n + m
        own = window.astype(np.float64) - self.mean
        shift = -own.sum(axis=0) / total  # of all rows, to their common mean
        own += shift
        f = 1 / n + 1 / m
        moved = own.sum(axis=0) * f  # the sums of both sides are one vector, with two signs
        along = self.rows @ shift
        squares = np.concatenate(
            [np.einsum("nd,nd->n", own, own), self._squares + 2 * along + shift @ shift]
        )
        products = self._products + m * np.outer(shift, shift) + own.T @ own
        trace, second = float(squares.sum()), float(np.vdot(products, products))
        mean = n * m / (total * (total - 1)) * trace
        fourth = float(squares @ squares)
        variance = max(_mean_square(trace, fourth, second, n, total) - mean**2, 0.0)
        # Third moments only bend the distribution: parts in a million do not count.
        own32, shift32 = own.astype(np.float32), shift.astype(np.float32)
        across = own32 @ self._rows.T
        across += (own32 @ shift32)[:, None]
        covariance = (products / total).astype(np.float32)
        lengths = np.concatenate(
            [
                np.einsum("nd,nd->n", own32 @ covariance, own32),
                self._lengths(shift, along, np.einsum("nm,nm->m", across, across)) / total,
            ]
        )
        cubes = self._cubes(own32, shift, along, across)
        cubed = float(np.vdot(covariance @ covariance, covariance))
        third = _third(squares, lengths, cubes, cubed, n)
        return float(moved @ moved), MeanNull(
            np.array([f**2 * mean, f**4 * variance / 2, max(third, 0.0) / 8])
        )

    def _lengths(
        self,
        shift: NDArray[np.float64],
        along: NDArray[np.float64],
        to_window: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """(m,) zᵀSz of these rows, S the products of all, of which `to_window` are the window's part."""
        turned = self._products @ shift
        longer = self._own_lengths + 2 * (self.rows @ turned) + shift @ turned
        return np.asarray(longer + len(along) * (along + shift @ shift) ** 2 + to_window)

    def _cubes(
        self,
        own: NDArray[np.float32],
        shift: NDArray[np.float64],
        along: NDArray[np.float64],
        across: NDArray[np.float32],
    ) -> float:
        """E (z·z′)³ of two rows; `across` are the products of the window's with these."""
        # The window's rows, which come first, are as likely as others: every so many-th row is taken.
        step = -(-(len(own) + len(self.rows)) // _MOST_PAIRED)
        start = -len(own) % step
        key = start, step
        if key not in self._known_pairs:
            few = self._rows[start::step]
            self._known_pairs[key] = few @ few.T
        half = (along[start::step] + shift @ shift / 2).astype(np.float32)
        pairs = self._known_pairs[key] + half
        pairs += half[:, None]
        np.fill_diagonal(pairs, 0.0)
        few_own = own[::step]
        among = few_own @ few_own.T
        np.fill_diagonal(among, 0.0)
        n_few = len(pairs) + len(among)
        of_sides = _sum_of_cubes(pairs) + _sum_of_cubes(among)
        total = of_sides + 2 * _sum_of_cubes(across[::step, start::step])
        return total / (n_few * (n_few - 1))

    @cached_property
    def _rows(self) -> NDArray[np.float32]:
        return self.rows.astype(np.float32)

    @cached_property
    def _squares(self) -> NDArray[np.float64]:
        return np.asarray(np.einsum("nd,nd->n", self.rows, self.rows))

    @cached_property
    def _own_lengths(self) -> NDArray[np.float64]:
        return np.asarray(np.einsum("nd,nd->n", self.rows @ self._products, self.rows))

    @cached_property
    def _products(self) -> NDArray[np.float64]:
        return np.asarray(self.rows.T @ self.rows)


def dealt_null(
    window: NDArray[np.floating], others: NDArray[np.floating]
) -> tuple[float, MeanNull]:
    """‖x̄ − ȳ‖² of the two sides, and its distribution when all rows are dealt to them at random.

    Nothing is drawn, so that the same rows always give the same p-value: a χ² with three moments stands for
    the distribution over all deals (Josse, Pagès & Husson 2008). The first two are exact; the third is that
    of independent rows, with the terms that heavy tails add.

    Parameters
    ----------
    window, others
        (n, width) and (m, width), the rows of both sides; n + m ≥ 4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> calm, moved = rng.normal(size=(300, 8)), rng.normal(size=(40, 8)) + 0.4
    >>> statistic, null = dealt_null(moved, calm)
    >>> null.p_value(statistic) < 0.001
    True
    """
    return DealtRows.of(others).null(window)


def _mean_square(trace: float, fourth: float, second: float, n: int, total: int) -> float:
    """E (sᵀ G s)² over the sets s of n of all rows, G their Gram matrix, whose rows sum to 0.

    A sum over four indices, by how many of them differ: `trace` is Σ Gᵢᵢ, `fourth` Σ Gᵢᵢ², `second` Σ Gᵢⱼ².
    """
    share, result = 1.0, 0.0
    for distinct, terms in enumerate(
        (
            fourth,
            trace**2 + 2 * second - 7 * fourth,
            -2 * trace**2 - 4 * second + 12 * fourth,
            trace**2 + 2 * second - 6 * fourth,
        )
    ):
        share *= (n - distinct) / (total - distinct)
        result += share * terms
    return result


def _third(
    squares: NDArray[np.float64],
    lengths: NDArray[np.float64],
    cubes: float,
    cubed: float,
    n: int,
) -> float:
    """The third cumulant of ‖Σ wᵢ zᵢ‖² of independent zᵢ, with w = 1/n on one side and −1/m on the other.

    S₆ κ₃(‖z‖²) + 12 (S₄ S₂ − S₆) E (‖z‖² − t) zᵀΣz + 4 (S₃² − S₆) E (z·z′)³ + 8 (S₂³ − 3 S₄ S₂ + 2 S₆) tr Σ³
    with Sₖ = Σ wᵢᵏ: the sum over pairs of indices in three factors, by which of them are equal.
    `squares` are ‖z‖², `lengths` zᵀΣz, `cubes` E (z·z′)³ and `cubed` tr Σ³.
    """
    m = len(squares) - n
    s2, s3 = 1 / n + 1 / m, 1 / n**2 - 1 / m**2
    s4, s6 = 1 / n**3 + 1 / m**3, 1 / n**5 + 1 / m**5
    excess = squares - squares.mean()
    longer = float((excess * lengths).mean())
    return (
        s6 * float((excess**3).mean())
        + 12 * (s4 * s2 - s6) * longer
        + 4 * (s3**2 - s6) * cubes
        + 8 * (s2**3 - 3 * s4 * s2 + 2 * s6) * cubed
    )


def _sum_of_cubes(values: NDArray[np.float32]) -> float:
    return float(np.vdot(values * values, values))
