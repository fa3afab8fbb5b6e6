"""Small reports, judged by the real judge, for the tests of every form that a report takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitor.clusters import (
    Baseline,
    Clustering,
    Example,
    RowMetadata,
    count_values,
    fit,
    fit_quality,
    fit_values,
)
from monitor.drift import (
    Rules,
    explain,
    failure_shifts,
    is_broken,
    judge,
    quality_shifts,
    shift_kinds,
)
from monitor.features import ImageEmbedding, VectorFeature
from monitor.pipeline.detect import detect_drift
from monitor.pipeline.fit import fit_baseline
from monitor.reports import DriftReport, FeatureSummary, WindowDrift

ALPHA = 1 / 365
FIRST_DAY = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
N_CLUSTERS, WIDTH = 3, 8


def rows(
    n: int,
    rng: np.random.Generator,
    *,
    shares: Sequence[float] = (0.5, 0.3, 0.2),
    shift: float = 0.0,
) -> NDArray[np.float64]:
    """(n, WIDTH) vectors around three centres."""
    centres = np.eye(N_CLUSTERS, WIDTH) * 4
    vectors = centres[rng.choice(N_CLUSTERS, size=n, p=shares)]
    vectors = vectors + rng.normal(size=(n, WIDTH)) * 0.4
    vectors[:, -1] += shift
    return vectors


@cache
def fitted(name: str = "photos") -> Baseline:
    """A baseline of 1,200 rows."""
    return fit(
        rows(1_200, np.random.default_rng(0)),
        {"name": name},
        Clustering(N_CLUSTERS),
        RowMetadata(fingerprint="tiny-encoder", failures={"missing": 3}),
    )


def summarised(baseline: Baseline) -> FeatureSummary:
    """What a report says of `baseline`."""
    return FeatureSummary(
        name=baseline.name,
        source_column="image_url",
        column="image_embedding",
        baseline_id=baseline.id,
        fingerprint=baseline.fingerprint,
        n_fit=baseline.n_fit,
        n_held_out=baseline.statistics.n_held_out,
        histogram=baseline.histogram.counts,
        failures=baseline.histogram.failures,
        examples=examples("baseline"),
        time_range=("2026-02-01T00:00:00+00:00", "2026-02-28T23:59:00+00:00"),
    )


def examples(prefix: str) -> tuple[tuple[Example, ...], ...]:
    """Two rows for each cluster."""
    return tuple(
        tuple(Example(f"{prefix}-{k}-{i}", None, 0.1 * (i + 1)) for i in range(2))
        for k in range(N_CLUSTERS)
    )


def window(
    baseline: Baseline,
    day: int,
    vectors: NDArray[np.float64],
    *,
    failures: Mapping[str, int] | None = None,
    segment: str | None = None,
) -> WindowDrift:
    """The judgement of `vectors`, as the window of one day."""
    failures = failures or {}
    start = FIRST_DAY + dt.timedelta(days=day)
    judgement = judge(baseline.sketch(vectors, failures), baseline, rules=Rules(ALPHA))
    return WindowDrift(
        feature=baseline.name,
        start=start,
        end=start + dt.timedelta(days=1),
        segment=segment,
        failures=failures,
        judgement=judgement,
        examples=examples(f"day{day}") if len(vectors) else (),
        novel_examples=(Example(f"novel{day}", None, 1.5),) if judgement.novel_share > 0 else (),
        kinds=shift_kinds(judgement, None, is_broken=False),
        notes=("a note on this day",) if day == 1 else (),
    )


@cache
def mixed_report(name: str = "photos") -> DriftReport:
    """Six days: two quiet, one with too few rows, one with none, two drifted."""
    rng = np.random.default_rng(1)
    baseline = fitted(name)
    windows = (
        window(baseline, 0, rows(300, rng)),
        window(baseline, 1, rows(300, rng), failures={"http_404": 4}),
        window(baseline, 2, rows(12, rng), failures={"dns": 288}),
        window(baseline, 3, rows(0, rng), failures={"http_403": 300}),
        window(baseline, 4, rows(300, rng, shares=(0.1, 0.3, 0.6))),
        window(baseline, 5, rows(300, rng, shift=1.0)),
    )
    return DriftReport(
        (summarised(baseline),), windows, every="1d", notes=("2 rows have no timestamp",)
    )


@cache
def quiet_report(n_windows: int = 1) -> DriftReport:
    """Windows without drift, `n_windows` of them."""
    rng = np.random.default_rng(2)
    baseline = fitted()
    windows = tuple(window(baseline, day, rows(300, rng)) for day in range(n_windows))
    return DriftReport((summarised(baseline),), windows, every="1d")


@cache
def failed_report() -> DriftReport:
    """Two days without a single vector."""
    baseline = fitted()
    nothing = rows(0, np.random.default_rng(3))
    windows = tuple(window(baseline, day, nothing, failures={"dns": 9}) for day in range(2))
    return DriftReport((summarised(baseline),), windows, every="1d")


@cache
def segmented_report() -> DriftReport:
    """Two quiet days, of which one segment drifted on the second."""
    rng = np.random.default_rng(4)
    baseline = fitted()
    windows = tuple(window(baseline, day, rows(300, rng)) for day in range(2))
    segments = tuple(
        window(baseline, day, rows(150, rng, shift=float(bad and day == 1)), segment=name)
        for day in range(2)
        for name, bad in (("Berlin", False), ("København", True))
    )
    return DriftReport(
        (summarised(baseline),), windows + segments, every="1d", segment_column="city"
    )


@cache
def long_report(n_windows: int = 365) -> DriftReport:
    """Many days, every ninth drifted."""
    quiet, _, _, _, drifted, _ = mixed_report().windows
    days = [
        replace(
            drifted if day % 9 == 8 else quiet,
            start=FIRST_DAY + dt.timedelta(days=day),
            end=FIRST_DAY + dt.timedelta(days=day + 1),
        )
        for day in range(n_windows)
    ]
    return replace(mixed_report(), windows=tuple(days))


def joined(*reports: DriftReport) -> DriftReport:
    """One report of the features of several."""
    return DriftReport(
        features=tuple(feature for report in reports for feature in report.features),
        windows=tuple(one for report in reports for one in report.windows),
        every="1d",
    )


def with_sources(report: DriftReport, source: Callable[[str], str]) -> DriftReport:
    """`report` with images: each example's source is `source` of its row."""

    def named(rows: tuple[Example, ...]) -> tuple[Example, ...]:
        return tuple(replace(example, source=source(example.row)) for example in rows)

    return replace(
        report,
        features=tuple(
            replace(feature, examples=tuple(map(named, feature.examples)))
            for feature in report.features
        ),
        windows=tuple(
            replace(
                one,
                examples=tuple(map(named, one.examples)),
                novel_examples=named(one.novel_examples),
            )
            for one in report.windows
        ),
    )


def _dated(days: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """A frame whose n-th day has the n-th of these rows."""
    return pd.DataFrame(
        {
            "vector": [row for vectors in days for row in vectors],
            "at": [FIRST_DAY + dt.timedelta(days=i) for i, day in enumerate(days) for _ in day],
        }
    )


@cache
def detected_report(*, is_varied: bool = False) -> DriftReport:
    """Seven weeks by `detect_drift`: a small shift that lasts from 1 April, and one odd day.

    The baseline has no times, or with `is_varied` twenty days of them, so that it knows how days vary; then
    it is two weeks.
    """
    rng = np.random.default_rng(5)
    feature = VectorFeature(name="points", column="vector", n_clusters=N_CLUSTERS)
    held = _dated([rows(150, rng) for _ in range(20)])
    baseline = fit_baseline(held, feature, timestamp_column="at" if is_varied else None)
    days = [rows(300, rng, shift=0.18 if day >= 31 else 0.0) for day in range(49)]
    days[7] = rows(300, rng, shares=(0.2, 0.3, 0.5))
    days[9], days[10] = days[9][:15], days[10][:0]
    if is_varied:
        days = days[:14]
    return detect_drift(_dated(days), baseline, timestamp_column="at", every="1d")


@cache
def threshold_report() -> DriftReport:
    """Three days that the user's own rule judges, the last of them drifted."""
    rng = np.random.default_rng(6)
    feature = VectorFeature(name="points", column="vector", n_clusters=N_CLUSTERS)
    baseline = fit_baseline(_dated([rows(1_000, rng)]), feature)
    days = [rows(300, rng), rows(300, rng), rows(300, rng, shares=(0.2, 0.3, 0.5))]
    return detect_drift(
        _dated(days), baseline, timestamp_column="at", every="1d", thresholds={"jsd": 0.15}
    )


@cache
def explained_report() -> DriftReport:
    """Six days, of which the last is dark, blurred, of one page and full of failures, since the fifth."""
    report = mixed_report()
    rng = np.random.default_rng(7)
    pixels = fit_quality(rng.normal(0.5, 0.1, size=(1_000, 2)), ["brightness", "bytes_per_pixel"])
    held = rng.choice(["FR", "DE"], 3_000).tolist(), rng.choice(N_CLUSTERS, 3_000)
    page, clusters = rng.choice(["FR", "DE"], 900), rng.choice(N_CLUSTERS, 900)
    clusters[(page == "FR") & (rng.random(900) < 0.5)] = 2
    table = fit_values(held[0], held[1], n_clusters=N_CLUSTERS)
    odd = report.windows[-1]
    quality = quality_shifts(pixels, pixels.count(rng.normal([0.3, 0.5], 0.1, size=(300, 2))))
    failures = failure_shifts({"missing": 3}, 1_203, {"http_404": 80}, 380)
    odd = replace(
        odd,
        failures={"http_404": 80},
        began=FIRST_DAY + dt.timedelta(days=4),
        kinds=shift_kinds(
            odd.judgement, None, is_broken=is_broken(failures, alpha=ALPHA, is_placeholder=False)
        ),
        quality=quality,
        failure_shifts=failures,
        explanations=explain(
            {"country": table}, {"country": count_values(page.tolist(), clusters, table)}
        ),
    )
    return replace(report, windows=(*report.windows[:-1], odd))


def pictured_report(url: Callable[[str], str]) -> DriftReport:
    """Five days by `detect_drift` of rows with images: on the last, 30 of 100 are like nothing known."""
    rng = np.random.default_rng(8)
    feature = ImageEmbedding(
        name="pictures", source_column="image", column="vector", model="compact", n_clusters=3
    )

    def pictured(days: Sequence[NDArray[np.float64]], name: str) -> pd.DataFrame:
        frame = _dated(days)
        return frame.assign(image=[url(f"{name}{i}.png") for i in range(len(frame))])

    baseline = fit_baseline(pictured([rows(400, rng)], "before"), feature)
    days = [rows(100, rng) for _ in range(5)]
    days[4][:30, -2] += 6.0
    return detect_drift(pictured(days, "now"), baseline, timestamp_column="at", every="1d")
