"""A fixed camera by day, from June to October 2017, against the same months of 2016.

    cd benchmarks
    MONITOR_BENCH_DATA=<folder> python -m judge.camera

Wildfire smoke lay over it on 2–11 August and 5–7 September 2017.
"""

from __future__ import annotations

import argparse

import pandas as pd
from datasets import data_folder

import monitor

FEATURE = monitor.VectorFeature(name="camera", column="image_embedding", n_clusters=10)
SMOKE = (("2017-08-02", "2017-08-12"), ("2017-09-05", "2017-09-08"))


def main() -> None:
    """Print the episodes, and how many days with and without smoke were called drift."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    frame = pd.read_parquet(data_folder() / "streams" / "camera_vancouver.parquet")
    taken = pd.to_datetime(frame["taken_at"], utc=True)
    before = frame[(taken >= "2016-06-01") & (taken < "2016-11-01")]
    after = frame[(taken >= "2017-06-01") & (taken < "2017-11-01")]
    baseline = monitor.fit_baseline(before, FEATURE, timestamp_column="taken_at")
    report = monitor.detect_drift(after, baseline, timestamp_column="taken_at", every="1d")
    days = report.to_frame()
    has_smoke = pd.Series(data=False, index=days.index)
    for first, end in SMOKE:
        has_smoke |= (days["window_start"] >= first) & (days["window_start"] < end)
    is_drift = days["verdict"] == "drift"
    print(report.episodes()[["start", "end", "n_windows", "n_alone", "goes_on"]].to_string())
    print(f"called drift: {is_drift[has_smoke].sum()} of {has_smoke.sum()} days with smoke,")
    calm = days["window_start"][is_drift & ~has_smoke].dt.strftime("%Y-%m-%d").tolist()
    print(f"{len(calm)} of {(~has_smoke).sum()} others: {', '.join(calm)}")


if __name__ == "__main__":
    main()
