"""What an earlier baseline saw of how much windows differ."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.clusters import Clustering, RowMetadata, RowWindows, fit, with_experience
from monitor.clusters.experience import MOST_WINDOWS

N_DAYS = 8
ROWS = np.repeat(np.arange(N_DAYS), 40)


def fitted(seed, *, every="1d", segments=("a", "b"), name="x"):
    rng = np.random.default_rng(seed)
    metadata = RowMetadata(
        windows=RowWindows(every, ROWS),
        segment_column="shop",
        segments=rng.choice(np.array(segments, dtype=object), len(ROWS)),
    )
    return fit(rng.normal(size=(len(ROWS), 4)), {"name": name}, Clustering(2), metadata)


@pytest.fixture(scope="module")
def pair():
    return fitted(0), fitted(1, segments=("b", "c"))


def test_windows_of_both_are_known_and_all_else_is_the_new_one_s(pair):
    new, earlier = pair
    taught = with_experience(new, earlier)
    own, both = new.statistics.replayed, taught.statistics.replayed
    np.testing.assert_array_equal(both.ratios[:, :N_DAYS], own.ratios)
    np.testing.assert_array_equal(both.ratios[:, N_DAYS:], earlier.statistics.replayed.ratios)
    assert len(both.scales) == len(both.sizes) == len(both) == 2 * N_DAYS
    assert {name: len(part.replayed) for name, part in taught.segments.items()} == {
        "a": N_DAYS,
        "b": 2 * N_DAYS,
    }
    assert taught.statistics.sketch is new.statistics.sketch
    np.testing.assert_array_equal(taught.centroids, new.centroids)
    assert taught.id != new.id
    assert taught.from_bytes(taught.to_bytes()).id == taught.id


def test_experience_is_handed_on_up_to_a_bound(pair):
    baseline, earlier = pair
    for _ in range(12):
        baseline = with_experience(earlier, baseline)
    assert len(baseline.statistics.replayed) == N_DAYS + MOST_WINDOWS


@pytest.mark.parametrize("unlike", ["feature", "encoder", "every"])
def test_what_is_unlike_says_nothing(pair, unlike):
    new, earlier = pair
    if unlike == "feature":
        earlier = fitted(1, name="y")
    elif unlike == "encoder":
        earlier = replace(earlier, fingerprint="other")
    else:
        earlier = fitted(1, every="6h")
    assert len(with_experience(new, earlier).statistics.replayed) == N_DAYS
