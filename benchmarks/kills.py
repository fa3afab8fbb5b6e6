"""Schedulers that are killed and stalled at random, and what the store holds afterwards.

Several schedulers work on one store. Again and again some more days fall due, and one of the schedulers
gets SIGKILL, or, while it judges a window, SIGSTOP for longer than its lease. When all is done, every
window must have exactly one current result, every alert must be queued once, and the database must be
whole.

    python benchmarks/kills.py --kills 100
    python benchmarks/kills.py --kills 100 --url postgresql+psycopg://user@host/empty_database

It prints one JSON document and exits with 1 if anything is not as it must be. POSIX only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, func, insert, select, text

import monitor
from monitor.errors import LeaseLostError
from monitor.schedule import Plan, Runner, WindowJudge
from monitor.schedule.runner import Outcome
from monitor.sources import rows_seen
from monitor.store import Claim, JudgedWindow, Store
from monitor.store.tables import WHOLE, alerts, features, outbox, results, windows
from monitor.windows import Every, Grid, zone_of

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
DAYS = Grid(Every.parse("1d"), zone_of("UTC"))
DAYS_PER_EVENT = 2
LEASE_SECONDS = 0.5
NAMES = ("left", "right")


@dataclass(frozen=True)
class DrawnRows:
    """Forty rows a day, the same for everybody who asks."""

    timestamp_column: str = "ts"

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        rng = np.random.default_rng((start - START).days + 1)
        rows = rng.normal(size=(40, 8)).astype(np.float32) + np.eye(8, dtype=np.float32)[0]
        times = pd.date_range(start, end, periods=41)[:-1]
        yield pa.table({"vector": list(rows), "ts": times})


def baselines() -> dict[str, monitor.Baseline]:
    rows = np.random.default_rng(0).normal(size=(200, 8)) + np.eye(8)[0]
    frame = pd.DataFrame({"vector": list(rows)})
    return {
        name: monitor.fit_baseline(
            frame, monitor.VectorFeature(name=name, column="vector", n_clusters=3)
        )
        for name in NAMES
    }


def queue_alert(
    connection: Connection, claim: Claim, judged: JudgedWindow, now: dt.datetime
) -> None:
    """An alert for each window. A second one of the same key is an error, not passed over."""
    key = f"{claim.feature}/{claim.period.start.isoformat()}"
    added = connection.execute(
        insert(alerts).values(
            feature=claim.feature,
            window_start=claim.period.start,
            window_end=claim.period.end,
            rule="any",
            severity="warning",
            state="open",
            dedup_key=key,
            message={},
            created_at=now,
        )
    )
    (alert_id,) = added.inserted_primary_key
    connection.execute(
        insert(outbox).values(alert_id=alert_id, channel="test", payload={}, dedup_key=key)
    )


def work(url: str, clock: Callable[[], dt.datetime], fitted: dict, log: Path) -> None:
    """One scheduler: pass after pass, until it is killed."""
    source = DrawnRows()
    kinds = {name: monitor.VectorFeature(name=name, column="vector") for name in NAMES}
    with Store(url) as store:
        runner = Runner(
            store=store,
            plan=Plan(DAYS, catchup="all", start=START, catchup_limit=10**6),
            every="1d",
            features=NAMES,
            judge=WindowJudge(source, kinds, fitted, "1d"),
            rows_seen=lambda window: str(rows_seen(source, window.start, window.end)),
            queue_alerts=queue_alert,
            clock=clock,
            lease=dt.timedelta(seconds=LEASE_SECONDS),
            max_attempts=10**9,
        )  # fmt: skip
        while True:
            try:
                runner.run_due(lambda _, outcome: note(outcome, log))
            except Exception as error:
                note(error, log)
            time.sleep(0.03)


def note(outcome: Outcome, log: Path) -> None:
    """Add a line to the log for whatever is no result."""
    if isinstance(outcome, LeaseLostError):
        line = ("refused", str(outcome))
    elif isinstance(outcome, Exception):
        line = ("error", "".join(traceback.format_exception(outcome)))
    else:
        return
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


def start_worker(url: str, clock: Callable[[], dt.datetime], fitted: dict, log: Path) -> int:
    pid = os.fork()
    if pid == 0:
        # What is in the child's memory of the parent must not be unwound.
        try:
            work(url, clock, fitted, log)
        finally:
            os._exit(1)
    return pid


def end_worker(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def disturb(url: str, n_kills: int, n_stalls: int, n_workers: int, seed: int, log: Path) -> int:
    """Kill and stall; return how many days fell due."""
    rng = random.Random(seed)
    began = time.monotonic()
    # Shared with the children.
    days = multiprocessing.RawValue("i", DAYS_PER_EVENT)

    def clock() -> dt.datetime:
        return START + DAY * days.value + dt.timedelta(seconds=time.monotonic() - began)

    fitted = baselines()
    workers = [start_worker(url, clock, fitted, log) for _ in range(n_workers)]
    try:
        events = ["kill"] * n_kills + ["stall"] * n_stalls
        rng.shuffle(events)
        for event in events:
            days.value += DAYS_PER_EVENT
            time.sleep(rng.uniform(0.02, 0.3))
            if event == "stall":
                victim = worker_at_work(url, workers)
                os.kill(victim, signal.SIGSTOP)
                time.sleep(2 * LEASE_SECONDS)
                os.kill(victim, signal.SIGCONT)
            else:
                place = rng.randrange(n_workers)
                end_worker(workers[place])
                workers[place] = start_worker(url, clock, fitted, log)
        wanted = len(NAMES) * days.value
        wait_for(url, lambda status: status["windows"]["done"] == wanted)
    finally:
        for pid in workers:
            end_worker(pid)
    return days.value


def worker_at_work(url: str, workers: Sequence[int]) -> int:
    """The process id of a worker that holds a lease just now; of any, if none does for a second."""
    holders = select(windows.c.lease_owner).where(windows.c.lease_owner.is_not(None))
    deadline = time.monotonic() + 1
    with Store(url) as store:
        while time.monotonic() < deadline:
            with store.reading() as connection:
                owners = connection.execute(holders).scalars().all()
            alive = [pid for pid in workers if any(f":{pid}:" in owner for owner in owners)]
            if alive:
                return alive[0]
    return workers[0]


def wait_for(url: str, is_so: Callable[[dict], bool], seconds: float = 300) -> None:
    """Return when the store's status is so, or when nothing has changed for so long; `verify` tells then."""
    changed_at, before = time.monotonic(), None
    with Store(url) as store:
        while time.monotonic() < changed_at + seconds and not is_so(status := store.status()):
            if status != before:
                changed_at, before = time.monotonic(), status
            time.sleep(0.2)


def verify(url: str, days: int) -> dict:
    """What the store holds, and what of it must not be."""
    with Store(url) as store, store.reading() as connection:

        def count(statement) -> int:
            return int(connection.execute(statement).scalar_one())

        current = connection.execute(
            select(features.c.name, windows.c.window_start, windows.c.window_end, func.count(results.c.id))
            .join(features, features.c.id == windows.c.feature_id)
            .join(results, results.c.window_id == windows.c.id)
            .where(windows.c.is_current, results.c.segment == WHOLE)
            .group_by(features.c.name, windows.c.window_start, windows.c.window_end)
        ).all()  # fmt: skip
        expected = {
            (name, START + n * DAY, START + (n + 1) * DAY) for name in NAMES for n in range(days)
        }
        found = {
            "windows": len(expected),
            "claims": count(select(func.sum(windows.c.token))),
            "results": count(select(func.count()).select_from(results)),
            "alerts": count(select(func.count()).select_from(alerts)),
            "queued": count(select(func.count()).select_from(outbox)),
            "exactly_one_current_result": sorted(tuple(row[:3]) for row in current) == sorted(expected)
            and all(row[3] == 1 for row in current),
        }  # fmt: skip
        faults = [
            *([] if found["exactly_one_current_result"] else ["windows lack a result or have two"]),
            *([] if found["results"] == len(expected) else ["there are results of no window"]),
            *([] if found["alerts"] == len(expected) else ["alerts are missing or twice"]),
            *([] if found["queued"] == len(expected) else ["messages are missing or twice"]),
        ]
        if url.startswith("sqlite"):
            checked = connection.execute(text("PRAGMA integrity_check")).scalar_one()
            orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
            found["integrity_check"] = checked
            faults += [] if checked == "ok" and not orphans else [f"{checked}, {orphans}"]
    return found | {"faults": faults}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="an empty database; by default a new SQLite file")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stalls", type=int, default=25)
    parser.add_argument("--schedulers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{folder}/store.db"
        with Store(url) as store:
            store.migrate()
        log = Path(folder) / "log"
        began = time.monotonic()
        days = disturb(url, asked.kills, asked.stalls, asked.schedulers, asked.seed, log)
        told = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        errors = [what for kind, what in told if kind == "error"]
        found = {
            "kills": asked.kills,
            "stalls": asked.stalls,
            "seconds": round(time.monotonic() - began, 1),
            "late_writes_refused": sum(kind == "refused" for kind, _ in told),
            "errors": errors[:5],
            **verify(url, days),
        }
    print(json.dumps(found, indent=2))
    return 1 if found["faults"] or errors else 0


if __name__ == "__main__":
    sys.exit(main())
