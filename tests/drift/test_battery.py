"""A test of the judge is one value: a further one is one file, and one place in the tuple."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from monitor.clusters import Clustering, fit
from monitor.drift import Comparison, Judgement, Rules, SubTest, Verdict, battery, judge
from monitor.errors import InvalidInputError
from monitor.features import VectorFeature
from monitor.pipeline.detect import detect_drift
from monitor.pipeline.fit import fit_baseline
from monitor.reports import DriftReport


# The file that a further test is: rows farther from their centroid than half of the baseline's, by a z score.
@dataclass(frozen=True, eq=False)
class FarNull:
    comparison: Comparison

    @property
    def statistic(self) -> float:
        base, window = self.comparison.reference, self.comparison.window
        middle = int(np.searchsorted(np.cumsum(base.distance_counts), base.n / 2))
        p, q = (side.distance_counts[middle + 1 :].sum() / side.n for side in (base, window))
        return float((q - p) / math.sqrt(p * (1 - p) * self.comparison.f))

    def p_value(self, alpha: float) -> float:
        return math.erfc(abs(self.statistic) / math.sqrt(2))

    def effect(self) -> float:
        return 0.0

    def detectable(self, alpha: float) -> float:
        return math.nan


class FarTest(SubTest):
    def null(self, comparison: Comparison) -> FarNull:
        return FarNull(comparison)

    def clarity(self, comparison: Comparison) -> float:
        return abs(FarNull(comparison).statistic)

    def sentence(self, judgement: Judgement) -> str:
        return "The rows lie farther from what is usual."


FAR = FarTest(
    name="far", title="Far rows", short_title="far rows", sees="rows far from what is usual"
)


# The tuple.
@pytest.fixture
def with_a_fifth(monkeypatch):
    monkeypatch.setattr(battery, "TESTS", (*battery.TESTS, FAR))


WIDTH = 6


def points(n: int, seed: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, WIDTH)) * scale


@pytest.mark.extension("a test of the judge: its file and its place in the tuple", 2)
def test_a_fifth_test_judges(with_a_fifth):
    baseline = fit(points(2000, 0), {"name": "x"}, Clustering(3, scaling="standard"))
    calm, wide = (
        judge(baseline.sketch(points(400, 1, scale), {}), baseline, rules=Rules(0.01))
        for scale in (1.0, 1.5)
    )
    assert [test.name for test in calm.tests] == [
        "mix", "novelty", "mean", "whitened_mean", "kernel_mean", "far"
    ]  # fmt: skip
    assert calm.verdict is Verdict.NO_DRIFT
    assert wide.outcome("far").p_value < 0.01 / 5
    assert "rows far from what is usual" in wide.reason


def test_the_others_say_what_they_say_without_it(monkeypatch):
    baseline = fit(points(2000, 0), {"name": "x"}, Clustering(3, scaling="standard"))
    window = baseline.sketch(points(400, 1), {})
    four = judge(window, baseline, rules=Rules(0.04))
    monkeypatch.setattr(battery, "TESTS", (*battery.TESTS, FAR))
    five = judge(window, baseline, rules=Rules(0.05))  # so that each has 0.01 again
    assert [(t.name, t.p_value) for t in five.tests[:-1]] == [
        (t.name, t.p_value) for t in four.tests
    ]


def test_reports_tell_of_it(with_a_fifth, tmp_path):
    feature = VectorFeature(name="x", column="vector", n_clusters=3)
    angles = np.random.default_rng(0).normal
    table = [
        pd.DataFrame({"vector": list(angles(size=(n, WIDTH)) + shift)})
        for n, shift in ((2000, 1), (400, 0))
    ]
    report = detect_drift(table[1], fit_baseline(table[0], feature))
    text = report.to_json(tmp_path / "report.json")
    assert json.loads(text)["windows"][0]["judgement"]["tests"][-1]["name"] == "far"
    assert DriftReport.from_json(tmp_path / "report.json").to_json() == text
    page = report.to_html(tmp_path / "report.html", thumbnails=False).read_text(encoding="utf-8")
    assert "Far rows" in page
    assert "The rows lie farther from what is usual." in page


def test_a_test_that_is_not_known_is_named():
    with pytest.raises(InvalidInputError, match="there is no test 'far'; known are mix, novelty"):
        battery.subtest_named("far")
