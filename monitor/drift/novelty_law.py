"""The law of the number of novel rows, in windows that vary as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from monitor.clusters import ReplayedWindows
from monitor.drift.wild_windows import LEAST, spread

_N_SHARES: Final = 200
_N_LIKELY: Final = 31
_CORRELATIONS: Final = np.geomspace(1e-4, 0.9, 24)
_SPREAD: Final = spread(_CORRELATIONS, len(_CORRELATIONS) - 3)


@dataclass(frozen=True, eq=False)
class NoveltyLaw:
    """The law of the number of novel rows in windows without drift.

    The share of novel rows of a window is a beta variable with mean π and variance ρ π (1 − π); ρ varies as θ
    does for ratios. Sums over the shares of a fine grid stand for integrals.

    Parameters
    ----------
    independent
        How likely ρ is 0.
    shares
        (g,) float64, the grid.
    calm
        (g,) how likely each share is, given that ρ is 0.
    likely
        (p,) positions in the grid that π may have.
    weights
        (correlations, p) how likely each ρ and π are, given that ρ is not 0.
    p_values
        (n_windows,) of each replayed window by all of them.
    """

    independent: float
    shares: NDArray[np.float64]
    calm: NDArray[np.float64]
    likely: NDArray[np.int64]
    weights: NDArray[np.float64]
    p_values: NDArray[np.float64]

    @property
    def correlation(self) -> float:
        """The mean of ρ."""
        return float((1 - self.independent) * (self.weights.sum(axis=1) @ _CORRELATIONS))

    def p_value(self, n_novel: int, n_rows: int, pooling: float = 1.0) -> float:
        """How often a window without drift has so many novel rows, or more.

        Parameters
        ----------
        n_novel, n_rows
            Of this window.
        pooling
            What part of ρ is left where the window is several pooled ones.
        """
        if n_novel <= 0:
            return 1.0
        tails = special.bdtrc(n_novel - 1, n_rows, self.shares)
        varied = _varied(self, pooling)
        return float(
            np.clip(
                self.independent * (self.calm @ tails) + (1 - self.independent) * (varied @ tails),
                0.0,
                1.0,
            )
        )


@lru_cache(maxsize=256)
def _varied(law: NoveltyLaw, pooling: float) -> NDArray[np.float64]:
    """(g,) how likely each share is in windows that vary."""
    masses = _beta_masses(law.shares, law.likely, _CORRELATIONS * pooling)
    return np.asarray(np.einsum("rp,rpg->g", law.weights, masses))


@dataclass(frozen=True, eq=False)
class NoveltyLikelihood:
    """What the windows' counts of novel rows say of π and ρ; parameters as those of `NoveltyLaw`."""

    shares: NDArray[np.float64]
    likely: NDArray[np.int64]
    calm: NDArray[np.float64]  # (g,) log-likelihood times prior, of independent rows
    varied: NDArray[np.float64]  # (tails, ρ, p) the same of varying windows

    @classmethod
    def of(cls, replayed: ReplayedWindows) -> NoveltyLikelihood:
        sizes, novel = replayed.sizes, replayed.novel
        total = (novel.sum() + 0.5) / (sizes.sum() + 1)
        each = (novel + 0.5) / (sizes + 1)
        error = max(
            float(np.std(special.logit(each)) / math.sqrt(len(each))),
            1 / math.sqrt(total * (1 - total) * sizes.sum()),
        )
        middle = float(special.logit(total))
        fine = middle + np.linspace(-5, 5, 2 * _N_LIKELY - 1) * error
        low, high = min(fine[0], -16.0) - 1, max(fine[-1], 7.0) + 1
        n_left = (_N_SHARES - len(fine)) // 2
        logits = np.concatenate(
            [
                np.linspace(low, fine[0], n_left, endpoint=False),
                fine,
                np.linspace(high, fine[-1], n_left, endpoint=False)[::-1],
            ]
        )
        shares = special.expit(logits)
        likely = n_left + np.arange(0, len(fine), 2)
        by_share = _binomial_means(novel, sizes, shares)
        # Jeffreys' prior of a share, over equal steps of its logit.
        prior = 0.5 * (np.log(shares) + np.log1p(-shares))
        calm = np.log(by_share + LEAST).sum(axis=0) + prior
        calm[:n_left], calm[n_left + len(fine) :] = -np.inf, -np.inf
        masses = _beta_masses(shares, likely, _CORRELATIONS)
        of_windows = np.tensordot(by_share, masses, (1, 2))
        spread = np.log(np.einsum("vtr,wrp->wvtp", _SPREAD, of_windows) + LEAST)
        return cls(shares, likely, calm, spread.sum(axis=0) + prior[likely])

    @property
    def evidence(self) -> tuple[float, float]:
        """As that of `RatioLikelihood`."""
        n_models = self.varied.shape[0] * self.varied.shape[1]
        # The grid of π is half as fine for varying windows.
        return (
            float(special.logsumexp(self.calm)) - math.log(2),
            float(special.logsumexp(self.varied)) - math.log(n_models),
        )

    def law(self, replayed: ReplayedWindows, independent: float) -> NoveltyLaw:
        weights = np.exp(self.varied - self.varied.max())
        weights /= weights.sum()
        calm = np.exp(self.calm - self.calm.max())
        law = NoveltyLaw(
            independent=independent,
            shares=self.shares,
            calm=calm / calm.sum(),
            likely=self.likely,
            weights=np.einsum("vtp,vtr->rp", weights, _SPREAD),
            p_values=np.empty(0),
        )
        varied = _varied(law, 1.0)
        tails = stats.binom.sf(
            replayed.novel[:, None] - 1, replayed.sizes[:, None], self.shares[None]
        )
        p_values = tails @ (independent * law.calm + (1 - independent) * varied)
        return replace(law, p_values=np.clip(p_values, 0.0, 1.0))


def _binomial_means(
    counts: NDArray[np.int64], sizes: NDArray[np.int64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(windows, shares): the probability of each count, on average over the shares nearest to each one."""
    edges = _edges(shares)
    below = special.betainc(counts[:, None] + 1, (sizes - counts)[:, None] + 1, edges[None])
    return np.asarray(np.diff(below, axis=1) / ((sizes[:, None] + 1) * np.diff(edges)))


def _edges(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    logits = special.logit(shares)
    return np.concatenate([[0.0], special.expit((logits[1:] + logits[:-1]) / 2), [1.0]])


def _beta_masses(
    shares: NDArray[np.float64],
    likely: NDArray[np.int64],
    correlations: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(correlations, likely, shares): how likely each share is, given ρ and π."""
    concentration = (1 / np.clip(correlations, 1e-9, 0.95) - 1)[:, None, None]
    centre = shares[likely][None, :, None]
    below = special.betainc(concentration * centre, concentration * (1 - centre), _edges(shares))
    return np.asarray(np.diff(below, axis=2))
