"""Fitting: split, determinism, given centroids, choice of k, save and load."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from monitor.clusters import Baseline, Clustering, RowMetadata, RowWindows, fit
from monitor.clusters.choice import choose_n_clusters, smallest_move
from monitor.clusters.content import content_keys, keys_of_blocks, split_by_content
from monitor.clusters.far_rows import FarRows
from monitor.clusters.kmeans import assign, assign_left_out, fit_centroids, unit_rows
from monitor.clusters.moments import spectral_moments
from monitor.clusters.scatter import Scatter
from monitor.clusters.time_blocks import block_of_rows
from monitor.errors import BaselineError, FingerprintMismatchError, InvalidInputError

FEATURE = {"name": "photo"}


def blobs(n: int, *, n_blobs: int = 4, width: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.eye(width)[:n_blobs] * 4
    return centres[rng.integers(n_blobs, size=n)] + rng.normal(scale=0.4, size=(n, width))


def test_the_choice_knows_how_large_windows_are():
    vectors = unit_rows(blobs(2000, n_blobs=12))
    small = choose_n_clusters(vectors, random_state=0, window_rows=30)
    large = choose_n_clusters(vectors, random_state=0, window_rows=1000)
    assert small.n_clusters <= 6 < large.n_clusters
    assert "in a window of 1,000 rows it shows a move of" in large.reason


def test_the_smallest_move_is_seen_in_8_of_10_windows():
    rng = np.random.default_rng(0)
    n, big, k = 1000, 5000, 8
    move = smallest_move(k, big, n)
    shares = np.full(k, 1 / k)
    moved = shares + np.array([move, -move] + [0] * (k - 2))
    p_values = [
        chi2_contingency(np.array([rng.multinomial(big, shares), rng.multinomial(n, moved)])).pvalue
        for _ in range(1000)
    ]
    assert np.mean(np.array(p_values) <= 0.01) == pytest.approx(0.8, abs=0.05)


def test_clusters_recover_separate_groups():
    baseline = fit(blobs(400), FEATURE, Clustering(4))
    # Each of the four axes has one centroid close to it.
    assert sorted(baseline.centroids.argmax(axis=1).tolist()) == [0, 1, 2, 3]
    assert baseline.centroids.max(axis=1).min() > 0.9
    assert baseline.n_fit + baseline.statistics.n_held_out == baseline.n_rows == 400
    assert baseline.histogram.n == 400


def test_without_a_row_its_centroid_is_that_of_the_others():
    rows = unit_rows(blobs(60, width=5, seed=3)).astype(np.float64)
    centroids = fit_centroids(rows.astype(np.float32), 6, random_state=0)
    nearest, _ = assign(rows.astype(np.float32), centroids)
    labels, distances = assign_left_out(rows.astype(np.float32), centroids, content_keys(rows))
    for i, row in enumerate(rows):
        others = np.delete(np.arange(60), i)
        means = [rows[others[nearest[others] == k]].mean(axis=0) for k in range(6)]
        gaps = np.linalg.norm(np.array(means) - row, axis=1)
        assert labels[i] == gaps.argmin()
        assert distances[i] == pytest.approx(gaps.min(), abs=1e-5)


def test_a_row_alone_in_its_cluster_would_fall_into_another():
    rows = np.array([[0], [0.1], [5], [9], [9.2]], dtype=np.float32)
    centroids = np.array([[0.05], [5], [9.1]], dtype=np.float32)
    labels, distances = assign_left_out(rows, centroids, content_keys(rows))
    assert labels.tolist() == [0, 0, 2, 2, 2]
    assert distances[2] == pytest.approx(4.1)


def test_copies_of_a_row_are_left_out_together():
    rows = np.array([[0], [0], [3], [3], [3], [9], [9.2]], dtype=np.float32)
    centroids = np.array([[1.8], [9.1]], dtype=np.float32)
    labels, distances = assign_left_out(rows, centroids, content_keys(rows), most_copies=2)
    assert distances[:2] == pytest.approx([3.0, 3.0])  # from the mean of the threes
    assert distances[2:5] == pytest.approx([1.2 * 5 / 3] * 3)  # two of three copies
    assert labels.tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_left_out_rows_fall_like_new_ones():
    # Rows without clusters, where a fit is most partial to its own.
    plain, left_out = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(1200, 128)).astype(np.float32)
        fitted, new = rows[:600], rows[600:]
        centroids = fit_centroids(fitted, 30, random_state=seed, n_init=1)
        of_new = np.bincount(assign(new, centroids)[0], minlength=30)
        for ratios, labels in (
            (plain, assign(fitted, centroids)[0]),
            (left_out, assign_left_out(fitted, centroids, content_keys(fitted))[0]),
        ):
            counts = np.bincount(labels, minlength=30)
            table = np.array([counts, of_new])[:, counts + of_new > 0]
            ratios.append(chi2_contingency(table).statistic / (table.shape[1] - 1))
    # Each is the mean of 12 χ² of 29 degrees of freedom over these: a standard deviation of 0.08.
    assert np.mean(left_out) == pytest.approx(1, abs=0.25)
    assert np.mean(plain) > 1.5


def test_too_few_rows_for_the_clusters_are_compared_without_those_fitted_on():
    baseline = fit(blobs(150, n_blobs=8), FEATURE, Clustering(8))
    assert baseline.histogram.n == baseline.statistics.n_held_out == 150 - baseline.n_fit
    assert baseline.n_rows == 150
    # Rows that are few, and rows that are copies of few.
    copies = fit(np.repeat(blobs(75, n_blobs=8), 4, axis=0), FEATURE, Clustering(8))
    assert copies.histogram.n == copies.statistics.n_held_out < copies.n_rows == 300
    dated = fit(
        blobs(150, n_blobs=8),
        FEATURE,
        Clustering(8),
        RowMetadata(windows=RowWindows("1d", np.arange(150) // 30)),
    )
    assert dated.statistics.window_counts.sum(axis=1).tolist() == [30] * 5


def test_rows_beyond_those_that_k_means_takes_are_not_called_fitted(monkeypatch):
    monkeypatch.setattr("monitor.clusters.fitting.MAX_FIT_ROWS", 100)
    baseline = fit(blobs(600), FEATURE, Clustering(4))
    assert abs(baseline.n_fit - 100) <= 1
    assert baseline.histogram.n == 600


def test_the_order_of_the_rows_does_not_matter():
    rows = blobs(300)
    shuffled = rows[np.random.default_rng(1).permutation(300)]
    first, second = (fit(r, FEATURE, Clustering(3)) for r in (rows, shuffled))
    np.testing.assert_array_equal(first.histogram.counts, second.histogram.counts)
    np.testing.assert_allclose(first.centroids, second.centroids, atol=1e-6)


def test_the_seed_decides_the_split():
    rows = blobs(300)
    ids = {fit(rows, FEATURE, Clustering(3, random_state=seed)).id for seed in (0, 0, 1)}
    assert len(ids) == 2


def test_copies_stay_on_one_side():
    rows = np.repeat(unit_rows(blobs(400)), 5, axis=0)
    first, second = split_by_content(content_keys(rows), 1000)
    assert not {r.tobytes() for r in rows[first]} & {r.tobytes() for r in rows[second]}
    assert sorted([*first, *second]) == list(range(2000))
    assert abs(len(first) - 1000) <= 5


def test_copies_of_another_time_may_stand_on_the_other_side():
    pool = unit_rows(blobs(300))
    rng = np.random.default_rng(0)
    drawn, days = rng.integers(300, size=1200), np.repeat(np.arange(12), 100)
    keys = keys_of_blocks(content_keys(pool[drawn]), block_of_rows(days))
    first, second = split_by_content(keys, 600)
    # As many have a copy among the rows of the first side as rows of production will have.
    known = np.isin(np.arange(300), drawn[first])
    assert known[drawn[second]].mean() == pytest.approx(known.mean(), abs=0.06)
    # Copies of one time stay together.
    pairs = {(row, day // 2) for row, day in zip(drawn[first], days[first], strict=True)}
    assert pairs.isdisjoint(zip(drawn[second], days[second] // 2, strict=True))


def test_rows_that_come_once_are_split_as_without_times():
    rows = unit_rows(blobs(240))
    keys = content_keys(rows)
    days = np.repeat(np.arange(12), 20)
    np.testing.assert_array_equal(keys_of_blocks(keys, block_of_rows(days)), keys)


def test_pictures_that_come_again_do_not_make_others_look_near():
    z = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        stock = unit_rows(rng.normal(size=(300, 16)))
        windows = RowWindows("1d", np.repeat(np.arange(4), 225))
        drawn = stock[rng.integers(300, size=900)]
        baseline = fit(drawn, FEATURE, Clustering(2), RowMetadata(windows=windows))
        window = baseline.sketch(stock[rng.integers(300, size=1500)], {})
        z.append(FarRows.of(baseline.statistics.sketch.nearness_counts, window.nearness_counts).z)
    # Measured without any of their copies, the baseline's rows lie too far out: −4.
    assert np.mean(z) > -2


def test_a_row_copied_very_often_is_dealt_to_both_sides():
    rows = unit_rows(blobs(2000))
    rows[:500] = rows[0]
    first, second = split_by_content(content_keys(rows), 1000)
    shares = [(rows[side] == rows[0]).all(axis=1).mean() for side in (first, second)]
    assert shares == pytest.approx([0.25, 0.25], abs=0.05)
    assert fit(rows, FEATURE, Clustering(3)).most_repeated == pytest.approx(0.25)


def test_restarts_on_some_of_the_rows_find_as_good_a_start():
    from sklearn.cluster import KMeans

    for seed in range(3):
        rows = unit_rows(blobs(6000, n_blobs=12, seed=seed))
        centroids = fit_centroids(rows, 12, random_state=seed)
        inertia = (assign(rows, centroids)[1].astype(float) ** 2).sum()
        best = KMeans(12, n_init=10, random_state=seed).fit(rows).inertia_
        assert inertia <= 1.01 * best


def test_keys_tell_copies_from_other_rows():
    rows = unit_rows(blobs(300))
    rows[100:200] = rows[:100]
    keys = content_keys(rows)
    np.testing.assert_array_equal(keys[100:200], keys[:100])
    assert len(set(keys.tolist())) == 200
    assert set(content_keys(rows, 1).tolist()).isdisjoint(keys.tolist())


def test_given_centroids_are_used_as_they_are():
    centroids = np.eye(12, dtype=np.float32)[:3] * 0.7
    baseline = fit(blobs(200), FEATURE, Clustering(3, centroids=centroids))
    np.testing.assert_array_equal(baseline.centroids, centroids)


@pytest.mark.parametrize(
    ("centroids", "n_clusters", "message"),
    [
        (np.eye(12)[:3], 4, "3 centroids were given for n_clusters=4"),
        (np.eye(11)[:3], 3, r"the centroids have shape \(3, 11\), the vectors are 12 wide"),
        (np.full((3, 12), np.nan), 3, "NaN or infinity"),
    ],
)
def test_given_centroids_are_checked(centroids, n_clusters, message):
    with pytest.raises(InvalidInputError, match=message):
        fit(blobs(200), FEATURE, Clustering(n_clusters, centroids=centroids))


def test_too_few_rows_and_too_few_distinct_rows_are_errors():
    with pytest.raises(BaselineError, match="9 usable rows; at least 10 are needed for 5 clusters"):
        fit(blobs(9), FEATURE, Clustering(5))
    with pytest.raises(BaselineError, match="5 clusters are to be fitted on 1 distinct vectors"):
        fit(np.ones((50, 4)), FEATURE, Clustering(5))
    with pytest.raises(BaselineError, match=r"5 clusters are to be fitted on \d distinct vectors"):
        fit(np.repeat(np.eye(4)[:3], 20, axis=0), FEATURE, Clustering(5))


def test_k_is_chosen_where_two_halves_agree():
    choice = choose_n_clusters(unit_rows(blobs(800, n_blobs=4)), random_state=0)
    assert choice.n_clusters == 4
    assert choice.stability[4] > 0.95 > 0.6 > choice.stability[12]
    assert "4 clusters" in choice.reason
    baseline = fit(blobs(900), FEATURE, Clustering(None))
    assert baseline.n_clusters == 4
    assert baseline.choice is not None


def test_save_and_load_lose_nothing(tmp_path):
    rows = blobs(300)
    values = np.array(["a", "b"], dtype=object)[np.arange(300) % 2]
    metadata = RowMetadata(
        fingerprint="tiny:1", failures={"missing": 2}, segment_column="shop", segments=values
    )
    saved = fit(rows, FEATURE, Clustering(3), metadata)
    loaded = Baseline.load(saved.save(tmp_path / "deep" / "photo.safetensors"))
    assert loaded.id == saved.id
    assert loaded.fingerprint == "tiny:1"
    assert loaded.histogram.failures == {"missing": 2}
    np.testing.assert_array_equal(
        loaded.statistics.sketch.cluster_units, saved.statistics.sketch.cluster_units
    )
    assert list(loaded.segments) == ["a", "b"]
    parts = sum(s.sketch.histogram.counts for s in loaded.segments.values())
    np.testing.assert_array_equal(parts, loaded.histogram.counts)


def test_what_is_no_baseline_is_refused(tmp_path):
    with pytest.raises(BaselineError, match="there is no baseline at"):
        Baseline.load(tmp_path / "none")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x80\x04 this is no safetensors file")
    with pytest.raises(BaselineError, match="cannot be read as a baseline"):
        Baseline.load(broken)


def test_centroids_longer_than_one_belong_to_vectors_as_they_are():
    at = np.array([[5.0, 0, 0], [0, 9.0, 0]])
    rows = at[np.arange(100) % 2] + np.random.default_rng(0).normal(scale=0.1, size=(100, 3))
    counts = fit(rows, FEATURE, Clustering(2, centroids=at)).histogram.counts
    assert abs(int(counts[0]) - int(counts[1])) < 20


def test_a_constant_column_is_not_scaled_by_rounding():
    rows = np.column_stack([np.full(100, 0.1), np.random.default_rng(0).normal(size=100)])
    assert fit(rows, FEATURE, Clustering(2, scaling="standard")).scaling.scale[0] == 1


def test_another_encoder_is_refused():
    baseline = fit(blobs(100), FEATURE, Clustering(2), RowMetadata(fingerprint="a:1"))
    baseline.check_fingerprint("a:1")
    baseline.check_fingerprint(None)
    with pytest.raises(
        FingerprintMismatchError, match="come from the encoder b:2, its baseline from a:1"
    ):
        baseline.check_fingerprint("b:2")
    with pytest.raises(InvalidInputError, match="are 7 wide, its baseline 12"):
        baseline.assign(np.ones((3, 7)))


def test_sketches_of_pieces_add_up():
    baseline = fit(blobs(300), FEATURE, Clustering(3))
    rows = blobs(100, seed=5)
    whole = baseline.sketch(rows, {"missing": 3})
    pieces = baseline.sketch(rows[:31], {"missing": 1}) + baseline.sketch(rows[31:], {"missing": 2})
    np.testing.assert_array_equal(whole.histogram.counts, pieces.histogram.counts)
    np.testing.assert_array_equal(whole.cluster_units, pieces.cluster_units)
    assert whole.histogram.failures == pieces.histogram.failures
    assert whole.n_novel == pieces.n_novel


def test_assignment_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 6)).astype(np.float32)
    centres = rng.normal(size=(4, 6)).astype(np.float32)
    labels, distances = assign(rows, centres)
    table = np.sqrt(((rows[:, None] - centres) ** 2).sum(axis=2))
    np.testing.assert_array_equal(labels, table.argmin(axis=1))
    np.testing.assert_allclose(distances, table.min(axis=1), rtol=1e-5)


def test_rows_almost_between_centroids_fall_as_exact_distances_say_in_pieces_of_any_size():
    rng = np.random.default_rng(0)
    centroids = unit_rows(rng.normal(size=(6, 96)))
    first, second = (centroids[rng.integers(6, size=900)] for _ in range(2))
    rows = (0.5 * (first + second) + rng.normal(scale=1e-8, size=(900, 96))).astype(np.float32)
    gaps = rows[:, None].astype(np.float64) - centroids
    exact = np.argmin(np.einsum("nkd,nkd->nk", gaps, gaps), axis=1)
    for size in (900, 7, 1):
        pieces = [assign(rows[at : at + size], centroids)[0] for at in range(0, 900, size)]
        np.testing.assert_array_equal(np.concatenate(pieces), exact)


def test_huge_and_tiny_numbers_become_unit_rows():
    rows = unit_rows(np.array([[3e140, 4e140], [3e-140, 4e-140]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, 0.8]], rtol=1e-6)


def test_moments_are_unbiased_where_plain_traces_are_not():
    rng = np.random.default_rng(0)
    spectrum = 1 / np.arange(1, 301)
    draws = [rng.normal(size=(100, 300)) * np.sqrt(spectrum) for _ in range(40)]
    moments = np.mean([spectral_moments(rows) for rows in draws], axis=0)
    true = [(spectrum**i).sum() for i in (1, 2, 3)]
    np.testing.assert_allclose(moments, true, rtol=0.06)
    plain = np.mean([(np.cov(rows.T) ** 2).sum() for rows in draws])
    assert plain > 1.15 * true[1]


@pytest.mark.parametrize("offset", [0, 1000])
def test_moments_by_sums_are_those_of_the_rows(offset):
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(5000, 80)) * rng.uniform(0.5, 2, 80) + offset).astype(np.float32)
    whitener = rng.normal(size=(80, 80)) / 9
    both = Scatter.of(rows[:1234]) + Scatter.of(rows[1234:])
    np.testing.assert_allclose(both.mean, rows.mean(axis=0, dtype=np.float64), atol=1e-6)
    np.testing.assert_allclose(both.products / 4999, np.cov(rows.T.astype(float)), atol=1e-5)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(both.moments(), spectral_moments(exact), rtol=1e-5)
    np.testing.assert_allclose(
        both.moments(whitener), spectral_moments(exact @ whitener), rtol=1e-5
    )


@pytest.mark.parametrize("n", [0, 1, 3])
def test_moments_of_too_few_rows_are_not_defined(n):
    assert np.isnan(spectral_moments(np.ones((n, 4)))).all()
    assert np.isnan(Scatter.of(np.ones((n, 4), dtype=np.float32)).moments()).all()


def test_of_rows_without_clusters_the_choice_says_that_they_are_chance():
    rows = np.random.default_rng(0).normal(size=(400, 20)).astype(np.float32)
    choice = choose_n_clusters(rows, random_state=0)
    assert max(choice.stability.values()) < 0.6
    assert "the steadiest, but chance" in choice.reason
