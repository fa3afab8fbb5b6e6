"""Small windows, really judged, for tests of the store."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import pandas as pd

import monitor
from monitor.clusters import Baseline
from monitor.failures import count_failures
from monitor.pipeline.rows import read_vectors
from monitor.store import JudgedWindow
from monitor.windows import Every, Grid, Window

POINTS = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
FIRST = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
DAYS = Grid(Every.parse("1d"))


def vectors(n: int, seed: int, shift: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.eye(8)[rng.integers(0, 3, n)] * 4
    return list((centres + rng.normal(size=(n, 8)) * 0.5 + shift).astype(np.float32))


@cache
def baseline() -> Baseline:
    return monitor.fit_baseline(pd.DataFrame({"vector": vectors(200, 0)}), POINTS)


def day(number: int) -> Window:
    return Window(FIRST + number * DAY, FIRST + (number + 1) * DAY)


def judged(window: Window, *, seed: int = 1, n: int = 40, shift: float = 0.0) -> JudgedWindow:
    cells = [*vectors(n, seed, shift), None, None]
    frame = pd.DataFrame({"vector": cells, "country": ["de", "fr"] * (len(cells) // 2)})
    frame["ts"] = pd.date_range(window.start, periods=len(frame), freq="min")
    report = monitor.detect_drift(
        frame, baseline(), timestamp_column="ts", every="1d", window=(window.start, window.end),
        segment_column="country",
    )  # fmt: skip
    found = read_vectors(frame, POINTS, width=8)
    sketch = baseline().sketch(found.matrix, count_failures(found.failures))
    return JudgedWindow(report, baseline(), sketch, f"{len(frame)}:{seed}")
