"""200 readers beside `monitor schedule`: `python benchmarks/readers.py [--readers N] [--minutes M]`.

A project of windows of one minute, whose rows lie ready for the time to come; `monitor schedule` judges each
minute as it ends, `monitor serve` shows them, and N readers ask for pages without a pause.
Prints what readers got, and how long after its end each window was judged: late is more than its length.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import itertools
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import select
from waiting import wait_for

from monitor.store import Store
from monitor.store.tables import windows

MINUTE = dt.timedelta(minutes=1)
CONFIG = """\
version: 1
features:
  - {name: points, type: FROM_VECTOR, column: vector, n_clusters: 5}
data:
  baseline: {path: train.parquet, timestamp_column: ts}
  production: {path: prod.parquet, timestamp_column: ts}
drift: {every: 1min}
schedule: {catchup: latest, cron: "* * * * *"}
"""
PATHS = ("/", "/features/1", "/api/features", "/api/features/1/windows?n=90", "/api/alerts")
MONITOR = [sys.executable, "-m", "monitor"]


def rows(n: int, start: dt.datetime, minutes: float, seed: int) -> pd.DataFrame:
    vectors = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    step = minutes * 60 / n
    times = [start + dt.timedelta(seconds=i * step) for i in range(n)]
    return pd.DataFrame({"vector": list(vectors), "ts": pd.to_datetime(times, utc=True)})


class Reader(threading.Thread):
    """Asks for one page after the other until it is told to end."""

    def __init__(self, address: str, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.address, self.number, self.stop = address, number, stop
        self.seconds: list[float] = []
        self.answers: collections.Counter[str] = collections.Counter()

    def run(self) -> None:
        for path in itertools.islice(itertools.cycle(PATHS), self.number % len(PATHS), None):
            if self.stop.is_set():
                return
            begin = time.perf_counter()
            try:
                with urllib.request.urlopen(self.address + path, timeout=300) as answer:
                    answer.read()
                    self.answers[str(answer.status)] += 1
            except urllib.error.HTTPError as error:
                self.answers[f"{error.code} {error.read()[:200]!r}"] += 1
            except OSError as error:
                self.answers[type(error).__name__] += 1
            self.seconds.append(time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
        start = now - 5 * MINUTE
        rows(2_000, now - 600 * MINUTE, 500, 1).to_parquet(folder / "train.parquet")
        total = asked.minutes + 15
        rows(60 * total, start, total, 2).to_parquet(folder / "prod.parquet")
        (folder / "monitor.yaml").write_text(CONFIG)
        subprocess.run([*MONITOR, "baseline", "fit"], cwd=folder, check=True)
        commands = {"schedule": ["schedule"], "serve": ["serve", "--port", str(port)]}
        logs = {what: folder / f"{what}.log" for what in commands}
        running = []
        for what, command in commands.items():
            with logs[what].open("w") as log:
                running.append(
                    subprocess.Popen([*MONITOR, *command], cwd=folder, stdout=log, stderr=log)
                )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/features/1")
            begin = dt.datetime.now(dt.UTC)
            stop = threading.Event()
            readers = [Reader(address, i, stop) for i in range(asked.readers)]
            for reader in readers:
                reader.start()
            time.sleep(asked.minutes * 60)
            stop.set()
            end = dt.datetime.now(dt.UTC)
            for reader in readers:
                reader.join()
        finally:
            for process in running:
                process.terminate()
                process.wait()
        answers = sum((reader.answers for reader in readers), collections.Counter())
        seconds = [second for reader in readers for second in reader.seconds]
        print(
            f"{asked.readers} readers, {asked.minutes} minutes, {len(seconds):,} pages: {dict(answers)}"
        )
        print(
            f"a page: median {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s, while all wait"
        )
        report(folder, begin, end)
        for what, log in logs.items():
            bad = [
                line
                for line in log.read_text().splitlines()
                if "locked" in line or "Traceback" in line
            ]
            print(f"{what}: {len(bad)} lines of locks or faults {bad[:3]}")


def report(folder: Path, begin: dt.datetime, end: dt.datetime) -> None:
    """How long after its end each window of that time was judged."""
    with Store(f"sqlite:///{folder}/.monitor/monitor.db") as store, store.reading() as connection:
        known = connection.execute(select(windows).order_by(windows.c.window_start)).all()
    inside = [w for w in known if begin <= w.window_end <= end - MINUTE]
    waits = [(w.judged_at - w.window_end).total_seconds() for w in inside if w.judged_at]
    states = collections.Counter(w.state for w in inside)
    late = sum(wait > 60 for wait in waits) + len(inside) - len(waits)
    print(
        f"{len(inside)} windows ended meanwhile: {dict(states)}, judged {min(waits):.1f} to "
        f"{max(waits):.1f} s after their end; late: {late}"
    )


if __name__ == "__main__":
    main()
