"""The reference system's walk-through: is each blurred and darkened day flagged, and no as-is day?

    MONITOR_BENCH_DATA=... python benchmarks/walkthrough.py

Baseline: 5,000 reference images. Six days of each production set, drawn without replacement within a
day, at several rows a day; the level is that of daily windows, one false alarm a year.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import FEATURE, walkthrough

import monitor

N_DAYS = 6


def flagged_days(baseline: monitor.Baseline, rows: pd.DataFrame, n_rows: int, seed: int) -> int:
    """How many of six days, each a draw of `n_rows` rows, are called drifted."""
    rng = np.random.default_rng(seed)
    days = [
        rows.iloc[rng.choice(len(rows), n_rows, replace=False)].assign(
            day=pd.Timestamp("2026-03-01", tz="UTC") + pd.Timedelta(days=day)
        )
        for day in range(N_DAYS)
    ]
    report = monitor.detect_drift(pd.concat(days), baseline, timestamp_column="day", every="1d")
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
