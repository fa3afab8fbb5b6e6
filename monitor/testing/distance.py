"""What every distance keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitor.drift import Distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 6


class DistanceContract:
    """Subclass with a fixture `distance`, a `monitor.drift.Distance`."""

    @pytest.fixture
    def counts(self) -> NDArray[np.int64]:
        """(40, BINS) counts of windows, with empty bins among them."""
        rng = np.random.default_rng(0)
        return rng.multinomial(200, [0.4, 0.3, 0.2, 0.05, 0.05, 0.0], size=40)

    def measure(self, distance: Distance, baseline: Any, window: Any) -> NDArray[np.float64]:
        """The distance of counts, with positions of the bins for a distance that wants them."""
        positions = (np.arange(BINS, dtype=np.float64),) if distance.over == "distances" else ()
        return distance.function(np.asarray(baseline), np.asarray(window), *positions)

    def test_is_a_distance_with_a_name(self, distance: Distance) -> None:
        assert isinstance(distance, Distance)
        assert distance.name.isidentifier(), "the name becomes a column and a key of YAML"

    def test_equal_shares_are_at_distance_zero(
        self, distance: Distance, counts: NDArray[np.int64]
    ) -> None:
        # Not exactly: a distance may smooth its counts.
        same = self.measure(distance, counts * 1000, counts * 1000)
        np.testing.assert_allclose(same, 0, atol=1e-6)

    def test_is_finite_and_not_negative(
        self, distance: Distance, counts: NDArray[np.int64]
    ) -> None:
        values = self.measure(distance, counts, counts[::-1])
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        assert (values >= 0).all()

    def test_disjoint_histograms_are_far_apart_and_finite(self, distance: Distance) -> None:
        apart = self.measure(distance, [100, 100, 0, 0, 0, 0], [0, 0, 0, 0, 100, 100])
        near = self.measure(distance, [100, 100, 0, 0, 0, 0], [90, 110, 0, 0, 0, 0])
        assert np.isfinite(apart)
        assert apart > near

    def test_many_windows_at_once_are_as_one_by_one(
        self, distance: Distance, counts: NDArray[np.int64]
    ) -> None:
        baseline = counts.sum(axis=0)
        at_once = self.measure(distance, baseline, counts)
        one_by_one = [float(self.measure(distance, baseline, window)) for window in counts]
        assert at_once.shape == (len(counts),)
        np.testing.assert_allclose(at_once, one_by_one, rtol=1e-9, atol=1e-12)
        stacked = self.measure(distance, baseline, counts.reshape(4, 10, BINS))
        np.testing.assert_allclose(stacked, at_once.reshape(4, 10), rtol=1e-9, atol=1e-12)

    def test_a_larger_shift_is_further_away(self, distance: Distance) -> None:
        base = np.array([4000, 3000, 2000, 500, 500, 0])
        moved = np.array([0, 0, 500, 500, 3000, 6000])
        mixed = [(base * (10 - part) + moved * part) // 10 for part in range(11)]
        values = self.measure(distance, base, np.array(mixed))
        assert (np.diff(values) > 0).all()

    def test_leaves_its_arguments_alone(
        self, distance: Distance, counts: NDArray[np.int64]
    ) -> None:
        baseline, windows = counts.sum(axis=0), counts.copy()
        before = baseline.copy()
        self.measure(distance, baseline, windows)
        np.testing.assert_array_equal(baseline, before)
        np.testing.assert_array_equal(windows, counts)

    def test_the_order_of_clusters_does_not_matter(
        self, distance: Distance, counts: NDArray[np.int64]
    ) -> None:
        if distance.over != "clusters":
            pytest.skip("bins along a line have an order")
        order = np.random.default_rng(1).permutation(BINS)
        baseline = counts.sum(axis=0)
        np.testing.assert_allclose(
            self.measure(distance, baseline, counts),
            self.measure(distance, baseline[order], counts[:, order]),
            rtol=1e-9,
            atol=1e-12,
        )
