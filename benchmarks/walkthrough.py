"""The reference system's walk-through: is each blurred and darkened day flagged, and no as-is day?

    MONITOR_BENCH_DATA=... python benchmarks/walkthrough.py

Baseline: 5,000 reference images. Five days of each production set at several rows a day, no image
twice: days that share images are not independent, and looks at several of them together would count
their common chance anew. The level is that of daily windows, one false alarm a year.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import FEATURE, walkthrough

import monitor

N_DAYS = 5


def flagged_days(baseline: monitor.Baseline, rows: pd.DataFrame, n_rows: int, seed: int) -> int:
    """How many of five days of `n_rows` rows, dealt from `rows`, are called drifted."""
    dealt = rows.sample(N_DAYS * n_rows, random_state=seed)
    days = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(
        np.repeat(np.arange(N_DAYS), n_rows), unit="D"
    )
    report = monitor.detect_drift(
        dealt.assign(day=days), baseline, timestamp_column="day", every="1d"
    )
    return int((report.to_frame()["verdict"] == "drift").sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="keep the vectors in this folder")
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    sets = walkthrough(arguments.vectors)
    baselines = [
        monitor.fit_baseline(
            sets["reference"],
            monitor.ImageEmbedding.from_dict(FEATURE.to_dict() | {"random_state": seed}),
        )
        for seed in range(arguments.seeds)
    ]
    print(f"flagged days of {N_DAYS}: mean over {arguments.seeds} seeds (least to most)")
    print(f"{'rows a day':>10}  " + "  ".join(f"{name:>16}" for name in list(sets)[1:]))
    for n_rows in (1000, 500, 200, 100, 50):
        cells = []
        for name in list(sets)[1:]:
            found = [flagged_days(b, sets[name], n_rows, i) for i, b in enumerate(baselines)]
            cells.append(f"{np.mean(found):.2f} ({min(found)} to {max(found)})")
        print(f"{n_rows:>10}  " + "  ".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
