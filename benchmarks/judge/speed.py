"""How long the judge takes: a million rows, a fit, and a run of many segments.

    cd benchmarks
    python -m judge.speed [--only rows fit segments]

*Rows*: a million assigned rows, whole and in pieces. *Fit*: `fit` on 100,000 rows of width 512 in processor
seconds, beside one run of scikit-learn's k-means with its default settings on the same rows; without
times, and with times on thirty days. Rows overlap, as embeddings do: of well-separated ones k-means is done
after a few steps. *Segments*: `monitor.detect_drift` on 1,200 windows of two features, of which each has the
vectors and pixel statistics of fifty images, six days of a hundred segments.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans

import monitor
from monitor.clusters import Clustering, RowMetadata, RowWindows, WindowSketch, fit
from monitor.drift import Rules, judge
from monitor.images.quality import QUALITY_FIELDS

K = 5
N_SEGMENTS, N_DAYS, N_ROWS = 100, 6, 50


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds, the median of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def unit_rows(n: int, width: int, n_centres: int = 50) -> NDArray[np.float32]:
    """(n, width) unit rows around unequal, overlapping centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(n_centres, width)).astype(np.float32) * 0.3
    which = rng.choice(n_centres, n, p=rng.dirichlet(np.full(n_centres, 2.0)))
    rows = centres[which] + rng.normal(size=(n, width)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def time_fit(n: int, width: int) -> None:
    """Print what a fit costs beside one run of k-means."""
    rows = unit_rows(n, width)
    days = RowMetadata(windows=RowWindows("1d", np.arange(n) * 30 // n))
    k_means = seconds(lambda: KMeans(K, n_init=1, random_state=0).fit(rows))
    print(f"\n{n:,} rows of width {width}, {K} clusters: one k-means takes {k_means:.2f} s")
    for label, metadata in (("without times", RowMetadata()), ("thirty days", days)):
        took = seconds(lambda m=metadata: fit(rows, {"name": "rows"}, Clustering(K), m))
        print(f"fit, {label}: {took:.2f} s, {took / k_means:.2f} times that")


def segment_rows(
    n: int, feature: int, rng: np.random.Generator
) -> dict[str, list[NDArray[np.float32]]]:
    """The columns of one feature: vectors and pixel statistics."""
    return {
        f"v{feature}": list(unit_rows(n, 256)[rng.permutation(n)]),
        f"v{feature}_quality": list(rng.normal(size=(n, len(QUALITY_FIELDS))).astype(np.float32)),
    }


def time_segments() -> None:
    """Print what many small windows cost."""
    rng = np.random.default_rng(0)
    n = N_SEGMENTS * N_DAYS * N_ROWS
    took = 0.0
    for number in range(2):
        feature = monitor.ImageEmbedding(
            name=f"f{number}", source_column="image", column=f"v{number}", n_clusters=K
        )
        history = pd.DataFrame(segment_rows(30 * 100, number, rng))
        history["t"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
            np.arange(len(history)) * 30 / len(history), unit="D"
        )
        baseline = monitor.fit_baseline(history, feature, timestamp_column="t", learn_changes=False)
        live = pd.DataFrame(segment_rows(n, number, rng))
        live["t"] = pd.Timestamp("2026-02-01", tz="UTC") + pd.to_timedelta(
            np.arange(n) * N_DAYS / n, unit="D"
        )
        live["shop"] = [f"shop {at % N_SEGMENTS}" for at in range(n)]
        began = time.process_time()
        report = monitor.detect_drift(
            live, baseline, timestamp_column="t", every="1d", segment_column="shop", progress=False
        )
        took += time.process_time() - began
        assert len(report.windows) >= N_SEGMENTS * N_DAYS
    print(f"\n{2 * N_SEGMENTS * N_DAYS:,} segment windows of {N_ROWS} rows: {took:.1f} s")


def time_rows(n_rows: int, width: int) -> None:
    """Judge one large window whole and in a thousand pieces, and print what it took."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, width)).astype(np.float32)

    def rows(n: int) -> NDArray[np.float32]:
        noise = rng.normal(size=(n, width)).astype(np.float32)
        return np.asarray(centres[rng.integers(20, size=n)] + noise)

    baseline = fit(rows(20_000), {"name": "rows"}, Clustering(20))
    scaled, labels, distances = baseline.assign(rows(n_rows))
    rules = Rules(1 / 365)
    judge(
        baseline.sketch_assigned(scaled[:500], labels[:500], distances[:500], {}),
        baseline,
        rules=rules,
    )

    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = baseline.sketch_assigned(scaled, labels, distances, {})
    sketched = time.perf_counter()
    verdict = judge(whole, baseline, rules=rules)
    ended = time.perf_counter()
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    merged: WindowSketch | None = None
    for part in np.array_split(np.arange(n_rows), 1_000):
        piece = baseline.sketch_assigned(scaled[part], labels[part], distances[part], {})
        merged = piece if merged is None else merged + piece
    assert merged is not None
    again = judge(merged, baseline, rules=rules)
    is_same = (verdict.tests, verdict.scores) == (
        again.tests, again.scores,
    )  # fmt: skip
    print(f"{n_rows:,} assigned rows of width {width}")
    print(f"sketched in {sketched - began:.2f} s, judged in {ended - sketched:.2f} s")
    print(f"memory beyond the rows: {more:.0f} MiB")
    print(f"merged from 1,000 pieces: {'the same to the bit' if is_same else 'DIFFERENT'}")


def main() -> None:
    """Print all, or what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("rows", "fit", "segments")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=256)
    options = parser.parse_args()
    if "rows" in options.only:
        time_rows(options.rows, options.width)
    if "fit" in options.only:
        time_fit(100_000, 512)
    if "segments" in options.only:
        time_segments()


if __name__ == "__main__":
    main()
