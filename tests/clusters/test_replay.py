"""The baseline's windows judged by each other: what is planted between windows is seen, and nothing else."""

import numpy as np
import pytest

from monitor.clusters import RATIOS, Clustering, RowMetadata, RowWindows, fit
from monitor.clusters.content import content_keys, split_by_content
from monitor.clusters.replay import LEAST_WINDOWS

WIDTH = 16


def replayed(vectors, windows, n_clusters=4, segments=None):
    baseline = fit(
        vectors,
        {"name": "rows"},
        Clustering(n_clusters),
        RowMetadata(
            windows=RowWindows("1d", windows),
            segment_column="place" if segments is not None else None,
            segments=segments,
        ),
    )
    if segments is not None:
        return {k: v.variation and v.variation.replayed for k, v in baseline.segments.items()}
    variation = baseline.statistics.variation
    return None if variation is None else variation.replayed


def days(seed, n_days=30, n=60, move=0.0, autocorrelation=0.0):
    """Rows of days; the mean of each day lies `move` standard deviations of a row off, in every column."""
    rng = np.random.default_rng(seed)
    rows, level = [], rng.normal(size=WIDTH)
    for _ in range(n_days):
        fresh = rng.normal(size=WIDTH)
        level = autocorrelation * level + np.sqrt(1 - autocorrelation**2) * fresh
        rows.append(3 + rng.normal(size=(n, WIDTH)) + move * level)
    return np.concatenate(rows).astype(np.float32), np.repeat(np.arange(n_days), n)


def test_independent_rows_have_ratios_of_one_and_chi_squares_spread():
    windows = [replayed(*days(seed)) for seed in range(6)]
    ratios = np.concatenate([one.ratios for one in windows], axis=1)
    freedoms = np.concatenate([one.freedoms for one in windows], axis=1)
    tests = RATIOS.index("pixels")  # these rows have none
    assert np.isnan(ratios[tests]).all()
    ratios, freedoms = ratios[:tests], freedoms[:tests]
    # Novelty's three tests in one are careful, so that its z varies less.
    is_novelty = np.array(RATIOS[:tests]) == "novelty"
    assert 0.4 < ratios[is_novelty].mean() < 1.2
    ratios, freedoms = ratios[~is_novelty], freedoms[~is_novelty]
    assert ratios.mean(axis=1) == pytest.approx(1, abs=0.15)
    # A χ² over its degrees of freedom ν has the variance 2 / ν.
    assert ratios.var(axis=1) / (2 / freedoms).mean(axis=1) == pytest.approx(1, abs=0.4)


def test_what_days_move_shows_in_the_means():
    one = replayed(*days(0, move=0.5))
    # 60 rows of variance 1 beside a day's own variance of 0.25 (vectors have length 1 afterwards).
    assert one.ratios[1].mean() == pytest.approx(1 + 60 * 0.25, rel=0.35)
    assert one.scales == pytest.approx(np.full(30, 60), rel=0.05)
    assert one.autocorrelations[0] < 0.35


@pytest.mark.parametrize("r", [0.5, 0.8])
def test_autocorrelation_is_found(r):
    found = [
        replayed(*days(seed, n_days=60, n=20, move=1, autocorrelation=r)).autocorrelations[0]
        for seed in range(4)
    ]
    assert np.mean(found) == pytest.approx(r, abs=0.15)


def test_a_day_of_its_own_kind_is_new_to_clusters_made_without_it():
    vectors, windows = days(0)
    vectors[windows == 7] *= np.where(np.arange(WIDTH) % 2, -1, 1)
    one = replayed(vectors, windows)
    assert one.novel[7] > 50
    assert one.novel.sum() - one.novel[7] < 60
    assert (one.ratios[:5, 7] > 10 * np.median(one.ratios[:5], axis=1)).all()


def test_too_few_windows_say_nothing():
    vectors, windows = days(0, n_days=LEAST_WINDOWS)
    assert replayed(vectors, windows) is not None
    assert replayed(vectors, np.minimum(windows, LEAST_WINDOWS - 2)) is None
    assert replayed(vectors, np.full(len(windows), -1)) is None
    assert replayed(vectors, np.arange(len(windows))) is None  # one row each


def test_segments_are_compared_with_their_own_rows():
    vectors, windows = days(1)
    segments = np.where(np.arange(len(vectors)) % 3 == 0, "a", "b").astype(object)
    vectors[segments == "a"] *= np.where(np.arange(WIDTH) % 2, -1, 1)
    for one in replayed(vectors, windows, segments=segments).values():
        # Each lies in a single cluster or two: no mix to speak of.
        assert one.ratios[1:3].mean(axis=1) == pytest.approx([1, 1], abs=0.25)


def test_windows_of_one_vector_have_no_ratios():
    vectors = np.repeat(np.eye(4, dtype=np.float32), 20, axis=0)
    one = replayed(vectors, np.arange(80) % 8, n_clusters=2)
    assert one is None or not (one.ratios < 0).any()


def in_copies(seed, n_groups=300, copies=3):
    rng = np.random.default_rng(seed)
    centres = 3 + rng.normal(size=(n_groups, WIDTH))
    groups = np.repeat(np.arange(n_groups), copies)
    rows = centres[groups] + 0.1 * rng.normal(size=(len(groups), WIDTH))
    return rows.astype(np.float32), groups


def test_copies_make_samples_of_any_size_vary_as_many_times_more():
    rows, groups = in_copies(0)
    grouped = fit(
        rows, {"name": "rows"}, Clustering(4), RowMetadata(groups=groups)
    ).statistics.grouped
    assert grouped.ratios[1].mean() == pytest.approx(3, rel=0.3)
    assert (grouped.scales == 1).all()


def test_few_groups_say_nothing():
    rows, groups = in_copies(0)
    metadata = RowMetadata(groups=groups % 9)
    assert fit(rows, {"name": "rows"}, Clustering(4), metadata).statistics.grouped is None


def test_rows_of_a_group_stay_on_one_side():
    rows, groups = in_copies(1)
    first, second = split_by_content(content_keys(rows), 450, groups)
    assert not set(groups[first]) & set(groups[second])
    assert len(first) == pytest.approx(450, abs=3)
