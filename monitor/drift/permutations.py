"""Two means compared as if rows were dealt to the sides at random, whatever their distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitor.drift.dealt_rows import DealtRows
from monitor.drift.mean_null import MeanNull


def dealt_null(window: NDArray[np.floating], others: DealtRows) -> tuple[float, MeanNull]:
    """‖x̄ − ȳ‖² of the two sides, and its distribution when all rows are dealt to them at random.

    Nothing is drawn, so that the same rows always give the same p-value: a χ² with three moments stands for
    the distribution over all deals (Josse, Pagès & Husson 2008). The first two are exact; the third is that
    of independent rows, with the terms that heavy tails add.

    Parameters
    ----------
    window
        (n, width), the rows of one side.
    others
        Those of the other side; n + m ≥ 4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> calm, moved = rng.normal(size=(300, 8)), rng.normal(size=(40, 8)) + 0.4
    >>> statistic, null = dealt_null(moved, DealtRows.of(calm))
    >>> null.p_value(statistic) < 0.001
    True
    """
    own = window.astype(np.float64) - others.mean
    shift = -own.sum(axis=0) / (len(own) + len(others))
    deal = _Deal(others, own + shift, shift)
    return deal.statistic, deal.null


@dataclass(frozen=True, eq=False)
class _Deal:
    """All rows z about their common mean: z = w of the window, and z = r + s of the others.

    Parameters
    ----------
    others
        The rows r, about their own mean.
    own
        (n, width) float64: w.
    shift
        (width,) float64: s, of the others' mean to that of all.
    """

    others: DealtRows
    own: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def sizes(self) -> tuple[int, int]:
        """n and m."""
        return len(self.own), len(self.others)

    @property
    def f(self) -> float:
        """1/n + 1/m."""
        n, m = self.sizes
        return 1 / n + 1 / m

    @property
    def statistic(self) -> float:
        """‖x̄ − ȳ‖²."""
        # The sums of both sides are one vector, with two signs.
        moved = self.own.sum(axis=0) * self.f
        return float(moved @ moved)

    @property
    def null(self) -> MeanNull:
        """Its distribution when all rows are dealt."""
        n, m = self.sizes
        total, f = n + m, self.f
        trace = float(self.squares.sum())
        mean = n * m / (total * (total - 1)) * trace
        fourth = float(self.squares @ self.squares)
        variance = max(_mean_square(trace, fourth, self.second, n, total) - mean**2, 0.0)
        # Third moments only bend the distribution: a part in a thousand of them does not count.
        third = _third(
            float((self.excess**3).mean()),
            self.longer / total**2,
            self.cubes,
            self.cubed / total**3,
            self.sizes,
        )
        return MeanNull(np.array([f**2 * mean, f**4 * variance / 2, max(third, 0.0) / 8]))

    @cached_property
    def along(self) -> NDArray[np.float64]:
        """(m,) r·s."""
        return (self.others.rows @ self.shift.astype(np.float32)).astype(np.float64)

    @cached_property
    def squared_shift(self) -> float:
        """‖s‖²."""
        return float(self.shift @ self.shift)

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """(n + m,) ‖z‖², the window's first."""
        own = np.einsum("nd,nd->n", self.own, self.own)
        return np.concatenate([own, self.others.squares + 2 * self.along + self.squared_shift])

    @cached_property
    def excess(self) -> NDArray[np.float64]:
        """(n + m,) e = ‖z‖² less its mean."""
        return np.asarray(self.squares - self.squares.mean())

    # Σ z zᵀ is the others' P and UᵀU. U has few rows: nothing as large as P has to be made for a window.

    @cached_property
    def u(self) -> NDArray[np.float64]:
        """(1 + n, width) U: √m s, then the window's rows."""
        return np.concatenate([math.sqrt(len(self.others)) * self.shift[None], self.own])

    @cached_property
    def u32(self) -> NDArray[np.float32]:
        """The same in single precision."""
        return self.u.astype(np.float32)

    @cached_property
    def turned(self) -> NDArray[np.float64]:
        """(1 + n, width) UP."""
        return np.asarray(self.u @ self.others.products)

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """(1 + n, 1 + n) UUᵀ."""
        return np.asarray(self.u @ self.u.T)

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """(1 + n,) uᵀPu."""
        return np.asarray(np.einsum("nd,nd->n", self.u, self.turned))

    @property
    def second(self) -> float:
        """Σ (z·z′)², of each row with itself too."""
        of_u = 2 * self.lengths.sum() + np.vdot(self.gram, self.gram)
        return self.others.trace_of_square + float(of_u)

    @property
    def cubed(self) -> float:
        """tr (Σ z zᵀ)³."""
        gram = self.gram.astype(np.float32)
        crossed = self.turned.astype(np.float32) @ self.u32.T
        of_both = np.vdot(self.turned, self.turned) + np.vdot(crossed, gram)
        return self.others.trace_of_cube + float(3 * of_both + np.vdot(gram @ gram, gram))

    @property
    def longer(self) -> float:
        """Σ e zᵀ(Σ z zᵀ)z."""
        (n, m), others = self.sizes, self.others
        own, excess = self.excess[:n], self.excess[n:]
        of_own = own @ (self.lengths[1:] + np.einsum("nm,nm->n", self.gram[1:], self.gram[1:]))
        turned_shift = self.turned[0] / math.sqrt(m)
        weighted = others.sum_by_square + 2 * turned_shift  # Σ e r, as Σ r = 0
        by_row = others.lengths + self.lengths[0] / m + m * (self.along + self.squared_shift) ** 2
        of_others = excess @ by_row + 2 * (turned_shift @ weighted)
        by_shift = self.own @ self.shift
        # Σ e (z·w)² over the others' z and the window's w, in powers of w·s.
        of_both = (
            self._excess_of_squares
            + 2 * (by_shift @ (self.own @ weighted))
            + by_shift @ by_shift * excess.sum()
        )
        return float(of_own + of_others + of_both)

    @property
    def _excess_of_squares(self) -> float:
        """Σ e (r·w)², with e = ‖r‖² + 2 r·s + c.

        As Σ ‖r‖² (r·w)² is wᵀQw with a Q that is the same for all windows, only Σ (r·s) (r·w)² needs the
        product of each r with each w: it is small, and the few rows tell it.
        """
        others, own = self.others, self.u32[1:]
        c = self.squared_shift - float(self.squares.mean())
        weights = others.products_by_square + np.float32(c) * others.products32
        few = self.along[:: others.step]
        by_along = float((self._across**2).sum(axis=0) @ few) * len(others) / len(few)
        return float(np.vdot(own @ weights, own)) + 2 * by_along

    @property
    def cubes(self) -> float:
        """E (z·z′)³ of two rows: pairs of the window's, of the others', of which some tell, and of both."""
        n, m = self.sizes
        few = self.along[:: self.others.step] + self.squared_shift / 2
        among = self.gram[1:, 1:].copy()
        np.fill_diagonal(among, 0.0)
        across = self._across + (self.own @ self.shift).astype(np.float32)[:, None]
        of_others = self.others.cubes_of_few(few) / max(len(few) * (len(few) - 1), 1)
        of_both = float(np.vdot(across**2, across)) / (n * len(few))
        total = n + m
        return (float(np.vdot(among**2, among)) + m * (m - 1) * of_others + 2 * n * m * of_both) / (
            total * (total - 1)
        )

    @cached_property
    def _across(self) -> NDArray[np.float32]:
        """(n, few) w·r."""
        return np.asarray(self.u32[1:] @ self.others.few.T)


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
    cubed_excess: float, longer: float, cubes: float, cubed: float, sizes: tuple[int, int]
) -> float:
    """The third cumulant of ‖Σ wᵢ zᵢ‖² of independent zᵢ, with w = 1/n on one side and −1/m on the other.

    S₆ κ₃(‖z‖²) + 12 (S₄ S₂ − S₆) E (‖z‖² − t) zᵀΣz + 4 (S₃² − S₆) E (z·z′)³ + 8 (S₂³ − 3 S₄ S₂ + 2 S₆) tr Σ³
    with Sₖ = Σ wᵢᵏ: the sum over pairs of indices in three factors, by which of them are equal.
    `cubed_excess` is κ₃(‖z‖²), `longer` E (‖z‖² − t) zᵀΣz, `cubes` E (z·z′)³, `cubed` tr Σ³, `sizes` n, m.
    """
    n, m = sizes
    s2, s3 = 1 / n + 1 / m, 1 / n**2 - 1 / m**2
    s4, s6 = 1 / n**3 + 1 / m**3, 1 / n**5 + 1 / m**5
    return (
        s6 * cubed_excess
        + 12 * (s4 * s2 - s6) * longer
        + 4 * (s3**2 - s6) * cubes
        + 8 * (s2**3 - 3 * s4 * s2 + 2 * s6) * cubed
    )
