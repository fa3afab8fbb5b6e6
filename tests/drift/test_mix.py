"""The mix test beside X² and Fisher's exact test, as scipy computes them."""

import numpy as np
import pytest
from scipy import stats

from monitor.clusters import combine_p_values
from monitor.clusters.contingency import chi_square
from monitor.drift.mix import p_value_of_one
from monitor.drift.null_tables import NullTables

SHARES = 1 / np.arange(1, 21)
SHARES /= SHARES.sum()


def test_one_cluster_is_fishers_exact_test_times_their_number():
    baseline, window = np.array([400, 300, 200, 0, 100]), np.array([30, 35, 8, 0, 27])
    tails = [
        stats.fisher_exact([[w, 100 - w], [b, 1000 - b]], alternative=tail).pvalue
        for b, w in zip(baseline, window, strict=True)
        for tail in ("less", "greater")
    ]
    # The empty cluster is none.
    assert p_value_of_one(NullTables(baseline, window)) == pytest.approx(4 * 2 * min(tails))


def test_a_cluster_that_grows_is_seen_earlier_and_no_drift_is_not_seen_more_often():
    rng = np.random.default_rng(0)

    def p_values(grown: float) -> np.ndarray:
        shares = SHARES * (1 - grown)
        shares[10] += grown
        pairs = []
        for _ in range(400):
            baseline, window = rng.multinomial(5_000, SHARES), rng.multinomial(4_000, shares)
            together = stats.chi2.sf(chi_square(baseline, window), 19)
            of_one = p_value_of_one(NullTables(baseline, window))
            pairs.append((together, combine_p_values([together, of_one])))
        return np.array(pairs)

    together, both = (p_values(0.02) <= 1 / 730).mean(axis=0)
    assert both > together + 0.2
    assert 0.01 < (p_values(0.0)[:, 1] <= 0.05).mean() < 0.08
