"""Every number of a report again, from its JSON text alone, by the formulas of docs/report-format.md.

Nothing of `monitor.drift` is used here: numpy, scipy and the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.spatial.distance import jensenshannon

from .samples import detected_report, explained_report, threshold_report

Saved = dict[str, Any]
N_TABLES = 4_000


class Window:
    """One window of the text, with the letters of docs/report-format.md."""

    def __init__(self, window: Saved, feature: Saved) -> None:
        self.feature, self.window, self.found = feature, window, window["judgement"]
        found = self.found
        self.b, self.w = np.array(found["baseline_histogram"]), np.array(found["window_histogram"])
        self.N, self.n, self.k = int(self.b.sum()), int(self.w.sum()), len(self.b)
        self.p, self.q = self.b / self.N, self.w / self.n
        self.f = 1 / self.N + 1 / self.n
        self.g = np.array(found["baseline_nearness"])
        self.h = np.array(found["window_nearness"])
        self.tests = {test["name"]: test for test in found["tests"]}

    @property
    def is_independent(self) -> bool:
        return self.feature["correlation"] is None

    def score(self, name: str) -> float:
        value: float = self.found["scores"][name]["value"]
        return value

    def tables(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Tables of independent rows without drift."""
        rng = np.random.default_rng(0)
        drawn = rng.multivariate_hypergeometric(self.b + self.w, self.n, size=N_TABLES)
        return self.b + self.w - drawn, drawn


def saved(report: Any) -> Saved:
    loaded = json.loads(report.to_json())
    assert isinstance(loaded, dict)
    return loaded


def with_rows(report: Saved) -> Iterator[Window]:
    features = {feature["name"]: feature for feature in report["features"]}
    for window in report["windows"]:
        if sum(window["judgement"]["window_histogram"]):
            yield Window(window, features[window["feature"]])


@pytest.fixture(scope="module")
def windows() -> list[Window]:
    """Every window that has rows."""
    return [
        *with_rows(saved(detected_report())),
        *with_rows(saved(threshold_report())),
        *with_rows(saved(detected_report(is_varied=True))),
    ]


@pytest.fixture(scope="module")
def independent(windows: list[Window]) -> list[Window]:
    """Those whose rows are taken as independent."""
    return [window for window in windows if window.is_independent]


@pytest.fixture(scope="module")
def large(independent: list[Window]) -> list[Window]:
    """Those of them with many rows."""
    return [window for window in independent if window.n > 256]


def test_there_is_something_to_compute(
    windows: list[Window], independent: list[Window], large: list[Window]
) -> None:
    verdicts = {window.found["verdict"] for window in large}
    assert verdicts == {"drift", "no drift"}
    assert len(large) > 40
    assert any(window.found["thresholds"] for window in large)
    assert any((window.found["pooled_test"] or {}).get("is_drift") for window in large)
    assert len(independent) < len(windows)


def test_distances(windows: list[Window]) -> None:
    for w in windows:
        assert w.score("jsd") == pytest.approx(jensenshannon(w.b, w.w, base=2), abs=1e-7)
        p, q = (w.b + 1) / (w.N + w.k), (w.w + 1) / (w.n + w.k)
        assert w.score("psi") == pytest.approx(((q - p) * np.log(q / p)).sum())
        assert w.score("hellinger") == pytest.approx(
            np.sqrt(((w.p**0.5 - w.q**0.5) ** 2).sum() / 2)
        )
        found = stats.chi2_contingency(np.array([w.b, w.w]), correction=False)
        assert w.score("chi2") == pytest.approx(found.statistic)
        positions = w.feature["distance_positions"]
        assert w.score("wasserstein") == pytest.approx(
            stats.wasserstein_distance(
                positions,
                positions,
                w.found["baseline_distances"],
                w.found["window_distances"],
            )
        )


def test_what_chance_gives_the_distances(large: list[Window]) -> None:
    for w in large[:3]:
        drawn = np.array([jensenshannon(*pair, base=2) for pair in zip(*w.tables(), strict=True)])
        score = w.found["scores"]["jsd"]
        assert score["noise_floor"] == pytest.approx(drawn.mean(), rel=0.1)
        mean, variance = (drawn**2).mean(), (drawn**2).var()
        ceiling = stats.gamma.isf(w.found["alpha"], mean**2 / variance, scale=variance / mean)
        assert score["noise_ceiling"] == pytest.approx(np.sqrt(ceiling), rel=0.15)


def test_the_interval_of_a_distance(large: list[Window]) -> None:
    rng = np.random.default_rng(0)
    for w in (w for w in large if w.score("jsd") > 0.2):
        pairs = rng.multinomial(w.N, w.p, N_TABLES), rng.multinomial(w.n, w.q, N_TABLES)
        again = np.array([jensenshannon(*p, base=2) ** 2 for p in zip(*pairs, strict=True)])
        edges = np.quantile(again, [0.975, 0.025])
        low, high = np.sqrt(np.maximum(0, 2 * w.score("jsd") ** 2 - edges))
        score = w.found["scores"]["jsd"]
        assert (score["low"], score["high"]) == pytest.approx((low, high), abs=0.02)


def test_the_mix(windows: list[Window], independent: list[Window]) -> None:
    for w in windows:
        assert w.tests["mix"]["statistic"] == pytest.approx(w.score("chi2"))
    for w in independent:
        exact, most = stats.chi2.sf(w.score("chi2"), w.k - 1), most_changed_cluster(w)
        # Four standard deviations of 999 draws, and no finer than the verdict needs; χ² is not exact either.
        drawing = 4 * np.sqrt(exact / 999) + 0.02 * exact + w.found["alpha"] / len(w.tests)
        low, high = (
            harmonic_mean_p([float(np.clip(exact + error, 0, 1)), most])
            for error in (-drawing, drawing)
        )
        told = w.tests["mix"]["p_value"]
        assert max(low, 1e-9) * (1 - 1e-6) <= told <= max(high, 1e-9) * (1 + 1e-6)


def most_changed_cluster(w: Window) -> float:
    """Fisher's exact test of each cluster, two-sided by twice its smaller tail, by Bonferroni."""
    tails = []
    for of_both, own in zip(w.b + w.w, w.w, strict=True):
        law = stats.hypergeom(w.N + w.n, of_both, w.n)
        tails.append(2 * min(law.cdf(own), law.sf(own - 1)))
    return float(min(1.0, np.count_nonzero(w.b + w.w) * min(tails)))


def bin_scores(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of −ln(1 − u) over each bin's part of (0, 1), by many points."""
    u = (np.arange(200_000) + 0.5) / 200_000
    edges = np.cumsum(totals) / totals.sum()
    which = np.minimum(np.searchsorted(edges, u), len(totals) - 1)
    sums = np.bincount(which, -np.log1p(-u), minlength=len(totals))
    return np.asarray(sums / np.maximum(np.bincount(which, minlength=len(totals)), 1))


def novelty(g: NDArray[np.int64], h: NDArray[np.float64]) -> float:
    """Its p-value."""
    scores, n, total = bin_scores(g + h), round(float(h.sum())), round(float((g + h).sum()))
    each = scores - np.average(scores, weights=g + h)
    second, third = (np.average(each**i, weights=g + h) for i in (2, 3))
    variance = n * second * (total - n) / (total - 1)
    of_sum = n * third * (total - n) * (total - 2 * n) / ((total - 1) * (total - 2))
    savage = float(stats.pearson3.sf(h @ each / np.sqrt(variance), of_sum / variance**1.5))
    fisher = []
    for last in (3, 4):
        x, y = round(float(h[-last:].sum())), round(float(g[-last:].sum()))
        fisher.append(float(stats.hypergeom.sf(x - 1, total, x + y, n)))
    return max(harmonic_mean_p([*fisher, savage]), 1e-9)


def harmonic_mean_p(p_values: list[float]) -> float:
    if min(p_values) == 1:
        return 1.0
    mean = np.mean([1 / max(p, 1e-300) for p in p_values])
    tail = stats.landau.sf(mean, loc=np.log(len(p_values)) + 0.874, scale=np.pi / 2)
    return max(float(tail), min(p_values))


def test_novel_rows(windows: list[Window], independent: list[Window]) -> None:
    for w in windows:
        assert w.h.sum() == w.n
        assert w.found["novel_share"] == pytest.approx(w.h[-3:].sum() / w.n)
        assert w.found["baseline_novel_share"] == pytest.approx(w.g[-3:].sum() / w.g.sum())
    for w in independent:
        p_value = novelty(w.g, w.h)
        assert w.tests["novelty"]["p_value"] == pytest.approx(p_value, rel=0.02)
        if p_value > 1e-9:
            z = stats.norm.isf(p_value)
            assert w.tests["novelty"]["statistic"] == pytest.approx(z, abs=0.02)


def mean_p_value(f: float, statistic: float, moments: list[float]) -> float:
    c1, c2, c3 = (f**i * m for i, m in enumerate(moments, start=1))
    d = c2**3 / c3**2
    tail = stats.chi2.sf(max(d + (statistic - c1) * np.sqrt(d / c2), 0), d)
    return max(float(tail), 1e-9)


MOMENTS = {
    "mean": "mean_moments",
    "whitened_mean": "whitened_moments",
    "kernel_mean": "kernel_moments",
}


@pytest.mark.parametrize(("test", "moments"), MOMENTS.items())
def test_means(test: str, moments: str, large: list[Window]) -> None:
    for w in large:
        told = w.tests[test]
        assert told["p_value"] == pytest.approx(
            mean_p_value(w.f, told["statistic"], w.feature[moments]), rel=1e-6
        )


def combined(tests: list[Saved]) -> Any:
    return pytest.approx(harmonic_mean_p([test["p_value"] for test in tests]))


def test_the_verdict(windows: list[Window]) -> None:
    for w in windows:
        found = w.found
        changed = max(test["effect"] for test in found["tests"])
        pooled = found["pooled_test"]
        if pooled is not None:
            assert pooled["p_value"] == combined(pooled["tests"])
            assert pooled["is_drift"] == (
                pooled["p_value"] <= pooled["alpha"]
                and max(test["effect"] for test in pooled["tests"]) >= found["minimum_change"]
            )
        if found["n_rows_needed"] is not None:
            assert min(w.n, w.N) < found["n_rows_needed"]
            assert found["p_value"] is None
            is_drift = False
        else:
            assert found["p_value"] == combined(found["tests"])
            is_drift = found["p_value"] <= found["alpha"] and changed >= found["minimum_change"]
            if found["thresholds"]:
                is_drift = any(w.score(name) >= at for name, at in found["thresholds"].items())
        is_by_pooled_test = not is_drift and pooled is not None and pooled["is_drift"]
        assert found["is_by_pooled_test"] == is_by_pooled_test
        is_drift |= is_by_pooled_test
        assert (found["verdict"] == "drift") == is_drift


def test_sizes(independent: list[Window], large: list[Window]) -> None:
    for w in independent:
        effect = {name: test["effect"] for name, test in w.tests.items()}
        own, beyond = (1 - np.cumsum(counts)[:-1] / counts.sum() for counts in (w.g, w.h))
        own, beyond = own[own <= 0.5], beyond[own <= 0.5]
        excess = np.maximum(beyond - own, 0) / (1 - own)
        assert effect["novelty"] == pytest.approx(
            np.sqrt(max(0, *(excess**2 - w.f * own / (1 - own)))), abs=1e-9
        )
        for test, moments in MOMENTS.items():
            m1 = w.feature[moments][0]
            beyond = max(0, w.tests[test]["statistic"] - w.f * m1)
            assert effect[test] == pytest.approx(np.sqrt(beyond / (2 * m1)))
    for w in large[:8]:
        base, drawn = w.tables()
        total_variation = np.abs(base / w.N - drawn / w.n).sum(axis=1) / 2
        seen = np.abs(w.p - w.q).sum() / 2
        expected = np.sqrt(max(0, seen**2 - (total_variation**2).mean()))
        assert w.tests["mix"]["effect"] == pytest.approx(expected, abs=0.02)


def test_what_would_have_been_seen(large: list[Window]) -> None:
    for w in large[:8]:
        alpha = w.found["alpha"] / len(w.tests)
        moments, f = w.feature["mean_moments"], w.f
        assert w.tests["mean"]["detectable"] == pytest.approx(
            detectable(f, moments, alpha), abs=1e-4
        )
        others = w.g / w.g.sum()
        last = np.eye(len(w.g))[-1]
        least = next(x for x in range(w.n) if novelty(w.g, others * (w.n - x) + last * x) <= alpha)
        share = stats.beta.ppf(0.8, least, w.n - least + 1)
        assert w.tests["novelty"]["detectable"] == pytest.approx(share, abs=2 / w.n)


def detectable(f: float, moments: list[float], alpha: float) -> float:
    c1, c2, z = f * moments[0], f**2 * moments[1], stats.norm.ppf(0.8)

    def missing(share: float) -> float:
        moved = 2 * share**2 * moments[0]
        low = c1 + moved - z * np.sqrt(2 * c2 + 4 * moved * c2 / c1)
        return float(np.log(mean_p_value(f, low, moments) / alpha))

    return float(brentq(missing, 0.01, 1))


def test_design_effects(windows: list[Window]) -> None:
    for w in windows:
        rho, told = w.feature["correlation"], w.found["design_effect"]
        assert (told is None) == (rho is None)
        if rho is not None:
            assert told == pytest.approx(1 + (w.n - 1) * rho)


def test_clusters(windows: list[Window]) -> None:
    for w in windows:
        m = (w.p + w.q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.nan_to_num(w.p * np.log2(w.p / m)) + np.nan_to_num(w.q * np.log2(w.q / m))
        rho = w.feature["correlation"] or 0.0
        sizes = w.N / (1 + (w.N - 1) * rho * w.feature["unevenness"]), w.n / (1 + (w.n - 1) * rho)
        z = stats.norm.ppf(1 - 0.05 / w.k / 2)
        (p_low, p_high), (q_low, q_high) = (
            wilson(share, n, z) for share, n in zip((w.p, w.q), sizes, strict=True)
        )
        change = w.q - w.p
        low = change - np.sqrt((w.q - q_low) ** 2 + (p_high - w.p) ** 2)
        high = change + np.sqrt((q_high - w.q) ** 2 + (w.p - p_low) ** 2)
        told = w.found["clusters"]
        assert [c["contribution"] for c in told] == pytest.approx(terms / terms.sum(), abs=1e-9)
        assert [c["change_low"] for c in told] == pytest.approx(low)
        assert [c["change_high"] for c in told] == pytest.approx(high)


def wilson(
    share: NDArray[np.float64], n: float, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    return middle - half, middle + half


def test_content(windows: list[Window]) -> None:
    for w in windows:
        d, products = w.q - w.p, np.array(w.feature["cluster_products"])
        assert w.found["content_shift"] == pytest.approx(np.sqrt(d @ products @ d), abs=1e-6)


def test_failures() -> None:
    (w,) = (w for w in with_rows(saved(explained_report())) if w.window["failure_shifts"])
    (told,) = w.window["failure_shifts"]
    n_baseline = w.feature["n_held_out"] + w.feature["n_fit"] + sum(w.feature["failures"].values())
    n_window, failed = w.n + sum(w.window["failures"].values()), w.window["failures"]["http_404"]
    assert told["window_share"] == failed / n_window
    expected = stats.hypergeom.sf(failed - 1, n_baseline + n_window, failed, n_window)
    assert told["p_value"] == pytest.approx(expected)
