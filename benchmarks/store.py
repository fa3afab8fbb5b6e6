"""A store with a million results: how long a feature's last 90 windows take, and a report of 365.

    python benchmarks/store.py                       # a new SQLite file, about 9 GB, removed afterwards
    python benchmarks/store.py --results 100000 --url postgresql+psycopg://user@host/empty_database

100 features share the results. One window of each was really judged; its row is copied to the others, which
is what the database has to carry. Prints one JSON document; the CPU seconds say what a busy machine adds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sqlalchemy import insert, select, text

import monitor
from monitor.failures import count_failures
from monitor.pipeline.rows import read_vectors
from monitor.store import JudgedWindow, Store, leases, results
from monitor.store.tables import baselines, features, windows
from monitor.windows import Every, Grid, Window

START = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
DAYS = Grid(Every.parse("1d"))
N_FEATURES = 100
FEATURE = monitor.VectorFeature(name="f0", column="vector", n_clusters=5)


def fill(store: Store, n_results: int) -> None:
    """Judge one window, and copy it."""
    rng = np.random.default_rng(0)
    baseline = monitor.fit_baseline(
        pd.DataFrame({"vector": list(rng.normal(size=(400, 16)))}), FEATURE
    )
    window = Window(START, START + DAY)
    frame = pd.DataFrame({"vector": list(rng.normal(size=(200, 16)))})
    frame["ts"] = pd.date_range(START, periods=200, freq="min")
    report = monitor.detect_drift(
        frame, baseline, timestamp_column="ts", every="1d", window=(window.start, window.end)
    )
    found = read_vectors(frame, FEATURE)
    sketch = baseline.sketch(found.matrix, count_failures(found.failures))
    with store.writing() as connection:
        leases.add_due(connection, "f0", [window], DAYS, START)
        claim = leases.claim_next(
            connection, ["f0"], owner="bench", now=window.end, lease=DAY, max_attempts=1
        )
        assert claim is not None
        results.save(connection, claim, JudgedWindow(report, baseline, sketch, "200:0"), window.end)
    n_windows = n_results // N_FEATURES
    for number in range(1, N_FEATURES):
        with store.writing() as connection:
            connection.execute(insert(features).values(name=f"f{number}", created_at=START))
            copy(connection, baselines, number, {"feature_id": number + 1})
    window = [c.name for c in windows.columns if c.name not in {"id", "feature_id"}]
    for number in range(N_FEATURES):
        days = range(1 if number == 0 else 0, n_windows)
        with store.writing() as connection:
            before = connection.execute(text("SELECT max(id) FROM windows")).scalar_one()
            first = connection.execute(select(windows).where(windows.c.id == 1)).mappings().one()
            same = {name: first[name] for name in window}
            connection.execute(
                insert(windows),
                [
                    same
                    | {
                        "feature_id": number + 1,
                        "window_start": START + day * DAY,
                        "window_end": START + (day + 1) * DAY,
                    }
                    for day in days
                ],
            )
            kept = "segment, verdict, p_value, alpha, jsd, n_rows, n_failed, histogram, document, sketch"
            source = ", ".join(f"r.{name}" for name in kept.split(", "))
            connection.execute(
                text(
                    f"INSERT INTO results (window_id, baseline_id, {kept}) SELECT w.id, :baseline, {source} "
                    "FROM windows w, results r WHERE r.id = 1 AND w.id > :before"
                ),
                {"baseline": number + 1, "before": before},
            )
    if store.url.startswith("postgresql"):
        with store.writing() as connection:
            connection.execute(text("ANALYZE"))


def copy(connection, table, number: int, changes: dict) -> None:
    first = connection.execute(select(table).where(table.c.id == 1)).mappings().one()
    connection.execute(insert(table).values(**{**first, **changes, "id": number + 1}))


def seconds(work: Callable[[], object], times: int = 7) -> list[float]:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="an empty database; by default a new SQLite file")
    parser.add_argument("--results", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with Store(asked.url or f"sqlite:///{folder}/store.db") as store:
            store.migrate()
            began = time.monotonic()
            fill(store, asked.results)
            filled = time.monotonic() - began
            n_windows = asked.results // N_FEATURES
            until = START + n_windows * DAY
            listing = seconds(lambda: store.recent("f37", 90))
            assert len(store.recent("f37", 90)) == 90

            def render() -> None:
                report = store.report("f37", until - 365 * DAY, until)
                assert len(report.windows) == 365
                report.to_html(Path(folder) / "report.html", thumbnails=False)

            used = time.process_time()
            reporting = seconds(render, 3)
            used = (time.process_time() - used) / 3
        found = {
            "results": asked.results,
            "filled_in_seconds": round(filled, 1),
            "last_90_first_ms": round(1000 * listing[0], 1),
            "last_90_median_ms": round(1000 * median(listing), 1),
            "report_of_365_first_seconds": round(reporting[0], 2),
            "report_of_365_median_seconds": round(median(reporting), 2),
            "report_of_365_cpu_seconds": round(used, 2),
            "report_megabytes": round((Path(folder) / "report.html").stat().st_size / 1e6, 2),
        }
        file = Path(folder) / "store.db"
        if file.exists():
            found["file_gigabytes"] = round(file.stat().st_size / 1e9, 2)
    print(json.dumps(found, indent=2))
    is_fast = found["last_90_median_ms"] < 50 and found["report_of_365_median_seconds"] < 2
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
