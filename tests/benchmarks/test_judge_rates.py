"""Thresholds at a measured level."""

import math

import numpy as np
import pytest
from judge.delay import first_above
from judge.document import fill
from judge.rates import binomial_error, threshold_at


@pytest.mark.parametrize("level", [0.01, 0.05, 1 / 3, 1 / 365])
@pytest.mark.parametrize(
    "scores",
    [np.arange(200.0), np.repeat([1.0, 2.0, 3.0], 70), np.ones(200), [np.inf] * 30 + [0.0] * 70],
    ids=["all differ", "three values", "one value", "infinite"],
)
def test_quiet_scores_alarm_at_exactly_the_level(scores, level):
    assert threshold_at(scores, level).rate(scores) == pytest.approx(level)


def test_a_score_that_never_moves_has_no_power():
    assert threshold_at(np.ones(100), 0.05).rate(np.ones(40)) == pytest.approx(0.05)


def test_power_agrees_with_the_normal_distribution():
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    threshold = threshold_at(rng.normal(size=50_000), 0.05)
    expected = norm.sf(norm.isf(0.05) - 1)
    assert threshold.rate(rng.normal(1, size=50_000)) == pytest.approx(expected, abs=0.01)


def test_no_score_is_the_lowest_score():
    assert threshold_at([math.nan, 1, 2, 3], 0.25).rate([math.nan, math.nan]) == 0
    assert math.isnan(threshold_at([1, 2], 0.5).rate([]))


def test_without_quiet_scores_there_is_no_level():
    with pytest.raises(ValueError, match="no quiet scores"):
        threshold_at([], 0.05)


def test_binomial_error():
    assert binomial_error(0.5, 100) == pytest.approx(0.05)
    assert binomial_error(0.0, 100) == pytest.approx(0.01)


def test_the_first_window_above():
    assert first_above([0.1, 0.5, 0.6, 0.2], 0.5) == 3
    assert first_above([0.1, math.inf], 0.5) == 2
    assert first_above([0.1, 0.5], 0.5) is None


def test_a_table_replaces_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- power -->\nold\n<!-- /power -->\nbelow\n")
    fill("power", "new", page)
    assert page.read_text() == "above\n<!-- power -->\nnew\n<!-- /power -->\nbelow\n"
    with pytest.raises(ValueError, match=r"page.md has no place <!-- delay -->"):
        fill("delay", "new", page)
