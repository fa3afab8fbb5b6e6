"""The judge: what it must see, what it must not, and that its level holds."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from monitor.clusters import Clustering, fit
from monitor.clusters.contingency import chi_square
from monitor.drift import Rules, Verdict, judge
from monitor.drift.mean_null import MeanNull
from monitor.drift.mix import MixNull
from monitor.drift.null_tables import NullTables
from monitor.drift.significance import holm

WIDTH = 24
CENTRES = np.eye(WIDTH)[:6] * 3 + 1
SHARES = np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03])


def rows(n: int, seed: int, *, shares=SHARES, shift=0.0, spread=1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    which = rng.choice(6, size=n, p=shares)
    return CENTRES[which] + shift + rng.normal(scale=0.5 * spread, size=(n, WIDTH))


@pytest.fixture(scope="module")
def baseline():
    return fit(rows(2000, 0), {"name": "photo"}, Clustering(6))


def judged(baseline, window, alpha=0.01):
    return judge(baseline.sketch(window, {}), baseline, rules=Rules(alpha))


def test_a_quiet_window_is_quiet(baseline):
    found = judged(baseline, rows(300, 1))
    assert found.verdict is Verdict.NO_DRIFT
    assert found.scores["jsd"].value < found.scores["jsd"].noise_ceiling
    assert found.n_rows_needed is None


def test_another_mix_is_seen_by_the_histogram(baseline):
    found = judged(baseline, rows(300, 2, shares=SHARES[::-1]))
    assert found.verdict is Verdict.DRIFT
    by_name = {test.name: test.p_value for test in found.tests}
    assert by_name["mix"] < 0.001
    assert found.content_shift > 3 * found.appearance_shift
    most = max(found.clusters, key=lambda c: c.contribution)
    assert most.p_value < 0.01
    assert sum(c.contribution for c in found.clusters) == pytest.approx(1)


def test_a_movement_inside_clusters_is_seen_where_the_histogram_is_blind(baseline):
    direction = np.linspace(-1, 1, WIDTH) * 0.25
    found = judged(baseline, rows(300, 3, shift=direction))
    by_name = {test.name: test.p_value for test in found.tests}
    assert found.verdict is Verdict.DRIFT
    assert min(by_name["mean"], by_name["whitened_mean"]) < 0.001
    assert found.appearance_shift > found.content_shift


def test_new_content_is_seen_though_it_lands_in_an_old_cluster(baseline):
    window = rows(300, 4)
    window[:20] = np.eye(WIDTH)[-1] * 4 + np.random.default_rng(5).normal(
        scale=0.3, size=(20, WIDTH)
    )
    found = judged(baseline, window)
    by_name = {test.name: test.p_value for test in found.tests}
    assert found.verdict is Verdict.DRIFT
    assert by_name["novelty"] < 1e-4
    assert found.novel_share >= 20 / 300


@pytest.mark.parametrize("n", [0, 1, 19])
def test_too_few_rows_are_inconclusive_with_the_number_needed(baseline, n):
    found = judged(baseline, rows(n, 6))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert np.isnan(found.p_value)
    assert found.n_rows_needed == 20
    assert (
        found.reason == f"the window has {n} row{'s' * (n != 1)} with vectors; a verdict needs 20"
    )


@pytest.fixture(scope="module")
def trials():
    """(baseline, quiet windows, shifted windows), as sketches, twelve times."""
    shift = np.linspace(-1, 1, WIDTH) * 0.15
    made = []
    for seed in range(12):
        own = fit(rows(1500, 100 + seed), {"name": "photo"}, Clustering(6, random_state=seed))
        quiet = [own.sketch(rows(200, 1000 * seed + i), {}) for i in range(20)]
        shifted = [own.sketch(rows(200, 1000 * seed + i, shift=shift), {}) for i in (20, 21)]
        made.append((own, quiet, shifted))
    return made


def judge_at_5_percent(sketch, own):
    """The tests alone: distances decide nothing here, and take half of the time."""
    return judge(sketch, own, rules=Rules(0.05, distances=()))


def require_level_and_power(judge_window, trials):
    """Alarms over quiet windows are as many as the level says, neither more nor fewer; shifted ones alarm."""
    quiet = [judge_window(sketch, own).p_value for own, windows, _ in trials for sketch in windows]
    verdicts = [
        judge_window(sketch, own).verdict for own, _, shifted in trials for sketch in shifted
    ]
    n_alarms = int((np.array(quiet) <= 0.05).sum())
    least, most = stats.binom.ppf([0.001, 0.999], len(quiet), 0.05)
    assert least <= n_alarms <= most, f"{n_alarms} alarms"
    # Quiet p-values are spread over (0, 1): the judge is not only silent because it cannot speak.
    assert 0.3 < np.median(quiet) < 0.8, "no spread"
    assert verdicts.count(Verdict.DRIFT) >= 0.9 * len(verdicts), "shifts are missed"


def test_the_level_holds_and_a_known_shift_is_seen(trials):
    require_level_and_power(judge_at_5_percent, trials)


@pytest.mark.parametrize(
    ("p_value", "reason"),
    [
        (lambda rng: 1.0, "^0 alarms"),
        (lambda rng: 0.0, "^240 alarms"),
        (lambda rng: rng.uniform(0.5, 0.6) if rng.random() > 0.05 else 0.04, "shifts are missed"),
    ],
    ids=["never alarms", "always alarms", "alarms without looking"],
)
def test_no_other_judge_passes_for_one_whose_level_holds(trials, p_value, reason):
    own, quiet, _ = trials[0]
    honest, rng = judge_at_5_percent(quiet[0], own), np.random.default_rng(0)

    def patched(sketch, own):
        p = p_value(rng)
        return replace(honest, p_value=p, verdict=Verdict.DRIFT if p <= 0.05 else Verdict.NO_DRIFT)

    with pytest.raises(AssertionError, match=reason):
        require_level_and_power(patched, trials)


@dataclass(frozen=True, eq=False)
class Counts:
    """As much of a comparison as the mix test reads."""

    cluster_null: NullTables
    tables: tuple
    rng: np.random.Generator
    calibration: None = None

    def calibrated(self, test, by_rows, ratio):
        return by_rows()


def mix(base, window, *, n_draws):
    null = NullTables(base, window)
    drawn = null.draw(n_draws, np.random.default_rng(0))
    return MixNull(Counts(null, drawn, np.random.default_rng(1)))


def test_the_simulated_p_value_agrees_with_chi_square_at_large_counts():
    base, window = np.array([3000, 2000, 1000]), np.array([560, 420, 220])
    mixed = mix(base, window, n_draws=20_000)
    expected = stats.chi2_contingency(np.array([base, window]), correction=False)
    assert mixed.statistic == pytest.approx(expected.statistic)
    assert mixed.p_value_together() == pytest.approx(expected.pvalue, abs=0.01)


def test_the_simulated_p_value_agrees_with_fisher_at_small_counts():
    base, window = np.array([12, 3]), np.array([2, 6])
    # For a 2 × 2 table with these margins the orders by X² and by probability agree.
    expected = stats.fisher_exact(np.array([base, window])).pvalue
    assert mix(base, window, n_draws=50_000).p_value(0.01) == pytest.approx(expected, abs=0.005)


def test_a_small_alpha_can_be_reached():
    base, window = np.array([3000, 2000, 1000]), np.array([300, 300, 300])
    assert mix(base, window, n_draws=999).p_value(1e-6) <= 1e-6
    assert stats.chi2_contingency(np.array([base, window]), correction=False).pvalue <= 1e-6


def test_a_cluster_that_the_baseline_left_empty_is_new_content():
    centres = np.eye(2, dtype=np.float32)
    half = np.eye(2, dtype=np.float32)[[0, 1] * 20]
    one = fit(np.tile(centres[0], (100, 1)), {"name": "x"}, Clustering(2, centroids=centres))
    found = judge(one.sketch(half, {}), one, rules=Rules(0.01, distances=()))
    assert found.content_shift == pytest.approx(np.sqrt(0.5))
    assert found.appearance_shift == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.25])
def test_an_image_repeated_in_the_baseline_does_not_alarm(share):
    """A calm feed with one placeholder image: the same share in the baseline and in each window."""
    n_alarms = 0
    for seed in range(6):
        train, windows = rows(1000, 50 + seed), [rows(300, 100 * seed + i) for i in range(1, 6)]
        for part in [train, *windows]:
            part[np.random.default_rng(len(part)).random(len(part)) < share] = CENTRES[0]
        one = fit(train, {"name": "photo"}, Clustering(6, random_state=seed))
        rules = Rules(0.01, distances=())
        found = [judge(one.sketch(window, {}), one, rules=rules).verdict for window in windows]
        n_alarms += found.count(Verdict.DRIFT)
    assert n_alarms <= 2


def test_the_mean_test_is_exact_for_equal_eigenvalues():
    # Σ λ χ²₁ with λ = 1 in 10 dimensions is χ² with 10 degrees of freedom.
    null = MeanNull.independent(np.array([10.0, 10.0, 10.0]), 20, 20)
    assert null.p_value(10 * 0.4**2) == pytest.approx(stats.chi2.sf(1.6 / 0.1, 10))


def test_the_mean_test_agrees_with_simulation_for_unequal_eigenvalues():
    rng = np.random.default_rng(0)
    spectrum = 0.8 ** np.arange(30)
    drawn = (rng.normal(size=(200_000, 30)) ** 2 @ spectrum) / 50
    moments = np.array([(spectrum**i).sum() for i in (1, 2, 3)])
    null = MeanNull.independent(moments, 100, 100)
    for quantile in (0.5, 0.05, 0.01, 0.001):
        found = null.p_value(float(np.quantile(drawn, 1 - quantile)))
        assert found == pytest.approx(quantile, rel=0.15)


def test_a_small_window_of_heavy_tailed_rows_keeps_its_level():
    """Rows with outliers of 30 standard deviations: the moments' formula alone alarms far too often."""
    rng = np.random.default_rng(0)

    def heavy(n):
        return rng.standard_t(2, size=(n, 10)).astype(np.float32) + 5

    one = fit(heavy(2000), {"name": "x"}, Clustering(4, scaling="standard"))
    n_alarms = sum(
        judge_at_5_percent(one.sketch(heavy(25), {}), one).verdict is Verdict.DRIFT
        for _ in range(200)
    )
    assert n_alarms <= stats.binom.ppf(0.999, 200, 0.05)
    moved = judge(one.sketch(heavy(200) + 2, {}), one, rules=Rules(0.05))
    assert moved.verdict is Verdict.DRIFT


def test_a_significant_change_that_is_too_small_to_matter_is_no_drift():
    one = fit(rows(6_000, 1), {"name": "x"}, Clustering(6))
    slightly = rows(10_000, 2, shift=0.05)
    found = judge(one.sketch(slightly, {}), one, rules=Rules(0.01, minimum_change=0.2))
    assert found.p_value < 0.01
    assert found.verdict is Verdict.NO_DRIFT
    assert "too small to matter" in found.reason
    strict = judge(one.sketch(slightly, {}), one, rules=Rules(0.01, minimum_change=0.0))
    assert strict.verdict is Verdict.DRIFT


def test_pieces_in_any_order_give_the_same_verdict_to_the_bit(baseline):
    window = rows(3000, 8, shift=0.03)
    whole = baseline.sketch(window, {})
    cuts = np.sort(np.random.default_rng(0).choice(3000, 999, replace=False))
    pieces = [baseline.sketch(part, {}) for part in np.split(window, cuts)]
    np.random.default_rng(1).shuffle(pieces)
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = merged + piece
    assert np.array_equal(merged.cluster_units, whole.cluster_units)
    assert np.array_equal(merged.distance_counts, whole.distance_counts)
    first, second = (judge(one, baseline, rules=Rules(0.01)) for one in (whole, merged))
    assert first.tests == second.tests
    assert first.scores == second.scores


def test_holm_agrees_with_its_definition():
    p = np.array([0.02, 0.001, 0.3, 0.04])
    assert holm(p).tolist() == pytest.approx([0.06, 0.004, 0.3, 0.08])


def test_verdicts_are_the_same_when_asked_twice(baseline):
    sketch = baseline.sketch(rows(100, 7), {})
    first, second = (judge(sketch, baseline, rules=Rules(0.01)) for _ in range(2))
    assert first.p_value == second.p_value


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_are_judged_however_they_lie(n):
    """Most rows lie equally far out, some in the middle: their squared lengths have no tail upwards."""
    rng = np.random.default_rng(0)
    shares = np.array([0.3, *[0.62 / 7] * 7, 0.08])

    def uneven(n):
        which = rng.choice(9, n, p=shares)
        return (np.eye(9, 12)[which] * 8 + rng.normal(size=(n, 12)) * 0.3).astype(np.float32)

    own = fit(uneven(2_000), {"name": "photo"}, Clustering(9))
    for _ in range(20):
        found = judged(own, uneven(n))
        assert found.verdict is Verdict.INCONCLUSIVE
        assert all(0 < test.p_value <= 1 for test in found.tests)


def test_counts_of_billions_are_judged():
    many, more = np.array([3_000_000_000, 1_000_000_000]), np.array([3_000_300_000, 1_000_000_000])
    assert 0 < chi_square(many, more) < 100
    windows = NullTables(many, many).draw(99, np.random.default_rng(0))[1]
    assert (windows.sum(axis=1) == many.sum()).all()
