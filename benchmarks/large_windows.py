"""One window of many rows, read in pieces and read whole: memory, time, verdict, and which rows changed.

    python benchmarks/large_windows.py [--rows 40000] [--width 512] [--ray]

A folder of Parquet files with vectors around 20 centres is made, of which a tenth is of a new kind, and
judged as `monitor run` does, in a process of its own each time: so many rows, and ten times as many. The same
rows are then judged whole, as `monitor.detect_drift` does with a table. One thread. With `--ray` two workers
of a Ray that starts here read the pieces as well; time and memory are then those of the command alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import monitor
from monitor.clusters import Baseline
from monitor.pipeline.judged import judge_frame
from monitor.rules import RunRules
from monitor.schedule import WindowJudge
from monitor.sources import FileSource, read_window
from monitor.windows import Every, Window

NEW: Final = 0.1
FILE_ROWS: Final = 20_000
DAY: Final = Window(dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
POINTS: Final = monitor.VectorFeature(name="points", column="vector", n_clusters=20)
RULES: Final = RunRules(every=Every.parse("1d"))


def rows(n: int, width: int, seed: int, new: float) -> pa.Table:
    """Rows of one day; `new` is the share of a new kind, whose `is_new` is true."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(21, width)).astype(np.float32)
    is_new = rng.random(n) < new
    kind = np.where(is_new, 20, rng.integers(20, size=n))
    vectors = rng.standard_normal((n, width), dtype=np.float32)
    vectors += centres[kind]
    seconds = np.sort(rng.integers(24 * 3600, size=n))
    return pa.table(
        {
            "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), width),
            "ts": pa.array(seconds * 1_000_000 + int(DAY.start.timestamp()) * 1_000_000).cast(
                pa.timestamp("us", "UTC")
            ),
            "is_new": is_new,
        }
    )


def peak() -> int:
    """The most memory that this process has had, in MiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1024


def judged(folder: str, way: str) -> dict[str, Any]:
    """What judging the rows of a folder takes, and what comes out."""
    baseline = Baseline.load(f"{folder}/baseline.safetensors")
    source = FileSource(f"{folder}/rows/*.parquet", "ts")
    before = os.times()
    started = peak()
    if way != "whole":
        executor: Any = "local"
        if way == "by two workers":
            from monitor.embedding.executors.on_ray import RayExecutor

            executor = RayExecutor(workers=2)
        judge = WindowJudge(
            source, {"points": POINTS}, {"points": baseline}, "1d", rules=RULES, executor=executor
        )
        report = judge("points", DAY).report
    else:
        table = read_window(source, DAY.start, DAY.end, ["vector", "ts"])
        report = judge_frame(
            table, baseline, RULES, timestamp_column="ts", window=DAY, are_pooled=False
        ).report
    after = os.times()
    (window,) = report.windows
    judgement, change = window.judgement, window.change
    assert change is not None, "the window has drifted"
    return {
        "rows": window.n_rows,
        "seconds": after.user + after.system - before.user - before.system,
        "started": started,
        "peak": peak(),
        "verdict": repr((judgement.verdict, judgement.tests, judgement.scores)),
        "share": f"{change.share:.4f} ({change.low:.4f} to {change.high:.4f})",
        "n_listed": len(window.changed),
    }


def main() -> None:
    """Make the rows, judge them in other processes, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(judged(options.folder, options.way)))
        return
    print("| rows | read | CPU s | peak MiB | of these before | share that changed |")
    print("|---:|---|---:|---:|---:|---|")
    for n in (options.rows, 10 * options.rows):
        with tempfile.TemporaryDirectory() as folder:
            of_days = rows(5_000, options.width, 1, 0.0).drop_columns(["is_new"])
            monitor.fit_baseline(of_days, POINTS, learn_changes=False).save(
                f"{folder}/baseline.safetensors"
            )
            Path(folder, "rows").mkdir()
            for i, start in enumerate(range(0, n, FILE_ROWS)):
                part = rows(min(FILE_ROWS, n - start), options.width, 2 + i, NEW)
                pq.write_table(part, f"{folder}/rows/{i:04}.parquet")
            ways = ["in pieces", *(["by two workers"] if options.ray else []), "whole"]
            answers = {way: _in_a_process(folder, way) for way in ways}
        for way, answer in answers.items():
            print(
                f"| {answer['rows']:,} | {way} | {answer['seconds']:.0f} | {answer['peak']:,} "
                f"| {answer['started']:,} | {answer['share']} |"
            )
        is_same = len({answer["verdict"] for answer in answers.values()}) == 1
        print(
            f"<!-- verdict, tests and scores: {'the same to the bit' if is_same else 'DIFFERENT'} -->"
        )


def _in_a_process(folder: str, way: str) -> dict[str, Any]:
    threads = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"], "1")
    command = [sys.executable, __file__, "--folder", folder, "--way", way]
    done = subprocess.run(
        command, env=os.environ | threads, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"judging {way} ended with {done.returncode}:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
