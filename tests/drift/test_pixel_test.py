"""The pixels' test: its level, what it sees, and where it has no say."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.clusters import Clustering, RowMetadata, fit
from monitor.drift import Comparison, Rules, Verdict, judge
from monitor.drift.battery import subtest_named
from monitor.drift.pixel_test import PIXELS

FIELDS = ("brightness", "sharpness", "width")


def pictures(n, rng, *, sharpness=0.0):
    """Correlated light and sharpness, one usual width, and one picture in fifty without any."""
    light = rng.normal(size=n)
    quality = np.column_stack(
        [light, 0.7 * light + rng.normal(size=n) + sharpness, np.full(n, 640.0)]
    )
    quality[rng.random(n) < 0.02] = np.nan
    return rng.normal(size=(n, 8)), quality.astype(np.float32)


@pytest.fixture(scope="module")
def baseline():
    vectors, quality = pictures(1_000, np.random.default_rng(0))
    metadata = RowMetadata(quality=quality, quality_fields=FIELDS)
    return fit(vectors, {"name": "x"}, Clustering(3), metadata)


def sketch(baseline, vectors, quality):
    return baseline.sketch_assigned(*baseline.assign(vectors), {}, quality=quality)


def test_the_level_holds(baseline):
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(400):
        _, quality = pictures(50, rng)
        window = replace(baseline.statistics.sketch, quality=baseline.quality.count(quality))
        comparison = Comparison(window, baseline, baseline.statistics, rng)
        p_values.append(PIXELS.null(comparison).p_value(0.01))
    assert 0.02 <= (np.array(p_values) <= 0.05).mean() <= 0.09
    assert (np.array(p_values) <= 0.01).mean() <= 0.03


def test_blurred_pictures_with_the_same_vectors_are_drift(baseline):
    vectors, quality = pictures(200, np.random.default_rng(2), sharpness=-0.8)
    found = judge(sketch(baseline, vectors, quality), baseline, rules=Rules(0.01))
    assert found.verdict is Verdict.DRIFT
    assert found.reason.startswith("other pixels in the images")
    assert found.outcome("pixels").p_value < 1e-6
    # A shift by 0.8 of a spread of about 1.2.
    assert found.outcome("pixels").effect == pytest.approx(0.37, abs=0.12)
    assert subtest_named("pixels").sentence(found) == (
        "The images' pixels changed, though the vectors barely did."
    )


def test_without_pixels_on_both_sides_the_other_tests_share_the_level(baseline):
    vectors, _ = pictures(200, np.random.default_rng(3))
    found = judge(baseline.sketch(vectors, {}), baseline, rules=Rules(0.01))
    assert "pixels" not in [test.name for test in found.tests]


def test_another_seed_gives_the_same_verdict(baseline):
    """Nothing but the mix draws."""
    vectors, quality = pictures(100, np.random.default_rng(4), sharpness=0.2)
    window = sketch(baseline, vectors + 0.15, quality)
    runs = [judge(window, baseline, rules=Rules(0.01), random_state=seed) for seed in range(5)]
    for test in runs[0].tests:
        if test.name != "mix":
            assert len({run.outcome(test.name).p_value for run in runs}) == 1
    assert np.ptp(np.log([run.p_value for run in runs])) < 0.2
