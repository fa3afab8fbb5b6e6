"""A window beside a reference: what each statistic is, and what it looks like without drift."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.clusters.variation import Overdispersion
from monitor.drift.counts import mix_test, novelty_test
from monitor.drift.effect import (
    Effect,
    beyond_chance,
    detectable_novelty,
    detectable_share,
    total_variation,
)
from monitor.drift.mean_null import MeanNull
from monitor.drift.means import mean_tests, moved_means
from monitor.drift.null_tables import NullTables, Tables
from monitor.drift.significance import SEES, SubTest

_BETWEEN_DRAWS = 2_999


@dataclass(frozen=True, eq=False)
class Evidence:
    """A window beside a reference, with what each statistic looks like without drift."""

    window: WindowSketch
    reference: BaselineStatistics
    whitener: NDArray[np.float64]
    mix_null: NullTables
    novelty_null: NullTables
    mean_nulls: tuple[MeanNull, MeanNull]

    @classmethod
    def of(
        cls,
        window: WindowSketch,
        baseline: Baseline,
        reference: BaselineStatistics,
        rng: np.random.Generator,
        unevenness: float = 1.0,
    ) -> Evidence:
        """Of a window, or of several pooled, with `unevenness` Σ n_t² / (Σ n_t)²."""
        held, variation = reference.sketch, reference.variation
        whitener = baseline.whitener.astype(np.float64)
        uneven = (1.0 if variation is None else variation.unevenness, unevenness)
        novel = [
            np.array([n_novel, n - n_novel])
            for n_novel, n in (
                (reference.n_held_out_novel, reference.n_held_out),
                (window.n_novel, window.n),
            )
        ]
        mix_null = NullTables(
            held.histogram.counts,
            window.histogram.counts,
            None if variation is None else variation.mix,
            uneven,
        )
        novelty_null = NullTables(
            novel[0], novel[1], None if variation is None else variation.novelty, uneven
        )
        moments = (reference.mean_moments, reference.whitened_moments)
        if variation is None:
            nulls = [MeanNull.independent(one, held.n, window.n) for one in moments]
        else:
            tables = mix_null.draw(_BETWEEN_DRAWS, rng)
            change = tables[1] / window.n - tables[0] / held.n
            centres = np.where(
                held.histogram.counts[:, None] > 0, held.cluster_means, baseline.centroids
            )
            nulls = [
                MeanNull.varied(
                    one,
                    held.n,
                    window.n,
                    movement,
                    sum(uneven),
                    np.einsum("mk,kl,ml->m", change, means @ means.T, change, optimize=True),
                    rng,
                )
                for one, movement, means in (
                    (moments[0], variation.plain, centres),
                    (moments[1], variation.whitened, centres @ whitener),
                )
            ]
        return cls(
            window=window,
            reference=reference,
            whitener=whitener,
            mix_null=mix_null,
            novelty_null=novelty_null,
            mean_nulls=(nulls[0], nulls[1]),
        )

    @property
    def overdispersion(self) -> Overdispersion | None:
        """Of the cluster counts."""
        return self.mix_null.overdispersion

    def tests(self, drawn: Tables, alpha: float, rng: np.random.Generator) -> tuple[SubTest, ...]:
        """The four tests, each precise enough to be held against its part of `alpha`."""
        level = alpha / len(SEES)
        return (
            mix_test(self.mix_null, drawn, level=level, rng=rng),
            novelty_test(self.novelty_null, level=level, rng=rng),
            *mean_tests(
                self.window,
                self.reference,
                self.whitener,
                self.mean_nulls,
                level=level,
                rng=rng,
            ),
        )

    def effect(self, drawn: Tables, alpha: float) -> Effect:
        """How large the shift is, and how large it would have to be."""
        window, null = self.window, self.mix_null
        seen = float(total_variation(null.baseline, null.window))
        parts = []
        for moved, moments, mean_null in zip(
            moved_means(window, self.reference, self.whitener),
            (self.reference.mean_moments, self.reference.whitened_moments),
            self.mean_nulls,
            strict=True,
        ):
            known = np.isfinite(moments[0]) and moments[0] > 0
            chance = mean_null.mean
            parts.append(
                beyond_chance(float(moved @ moved), chance) / math.sqrt(2 * moments[0])
                if known
                else 0.0
            )
        own = self.reference.novel_share
        excess = max(0.0, window.n_novel / window.n - own)
        level = alpha / len(SEES)
        return Effect(
            mix=beyond_chance(seen**2, float((total_variation(*drawn) ** 2).mean())),
            novelty=excess / (1 - own) if own < 1 else 0.0,  # 0 where the own share is not known
            mean=parts[0],
            whitened_mean=parts[1],
            detectable=detectable_share(
                self.mean_nulls[0], float(self.reference.mean_moments[0]), level
            ),
            detectable_novel=self._detectable_novelty(level),
        )

    def _detectable_novelty(self, level: float) -> float:
        own = self.reference.novel_share
        if math.isnan(own):
            return math.nan
        n_held, n_window = (max(round(n), 1) for n in self.novelty_null.effective_rows())
        return detectable_novelty(n_held, round(own * n_held), n_window, level)
