"""What a schedule makes of the accidents of its surroundings: is anything lost, doubled, or kept quiet?

    python benchmarks/outages.py

- `clocks`: two hosts whose clocks are ten minutes apart, on one store; rows come until the end of each day,
  so that the fast host judges days that are not over. Now and then one host takes a window over that the
  other is at work on.
- `restarts`: PostgreSQL crashes and starts again under two schedulers.
- `full disk`: the disk of the store fills up while windows are judged, and has room again later.
- `restored`: the store is put back to a backup of some days before.

It prints one JSON document and exits with 1 if anything is not as it must be. POSIX only; `restarts` needs
PostgreSQL's programs, and `full disk` the right to mount a file system of its own, else a limit on the size
of files stands for it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import RawValue
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pyarrow as pa
from kills import (
    DAY,
    DAYS,
    NAMES,
    START,
    DrawnRows,
    baselines,
    end_worker,
    queue_alert,
    start_worker,
    verify,
    wait_for,
)

import monitor
from monitor.errors import MonitorError, StoreError
from monitor.files import replacing
from monitor.schedule import Plan, Runner, WindowJudge
from monitor.sources import rows_seen
from monitor.store import JudgedWindow, Store
from monitor.windows import Window
from tests.store.databases import postgres_programs, postgres_server

FAST, MINUTE = dt.timedelta(minutes=10), dt.timedelta(minutes=1)
ARRIVAL = 31 * MINUTE
"""The last row of a day is there five minutes before midnight, after the fast host has come by."""
DISK_BYTES = 20_000_000


@dataclass
class Clock:
    """The true time, and that of a host whose clock is wrong."""

    true: dt.datetime = START

    def of_host(self, ahead: dt.timedelta) -> Callable[[], dt.datetime]:
        return lambda: self.true + ahead


@dataclass(frozen=True)
class ArrivingRows:
    """Forty rows a day, each there some time after it happened."""

    clock: Clock
    timestamp_column: str = "ts"

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        for rows in DrawnRows().chunks(start, end, columns):
            true = np.datetime64((self.clock.true - ARRIVAL).replace(tzinfo=None))
            yield rows.slice(0, int((rows["ts"].to_numpy() <= true).sum()))


def runner(store: Store, clock: Clock, ahead: dt.timedelta = dt.timedelta(), **options) -> Runner:
    source = ArrivingRows(clock)
    kinds = {name: monitor.VectorFeature(name=name, column="vector") for name in NAMES}
    given = {
        "judge": WindowJudge(source, kinds, FITTED, "1d"),
        "queue_alerts": queue_alert,
        "lease": dt.timedelta(minutes=5),
        "retry_delay": MINUTE,
        **options,
    }
    return Runner(
        store=store,
        plan=Plan(DAYS, catchup="all", start=START, catchup_limit=10**6, allowed_lateness=DAY),
        every="1d",
        features=NAMES,
        rows_seen=lambda window: str(rows_seen(source, window.start, window.end)),
        clock=clock.of_host(ahead),
        **given,
    )


def clocks(days: int, folder: Path) -> dict:
    """Two hosts, one ten minutes fast."""
    clock, url = Clock(), f"sqlite:///{folder}/store.db"
    n_refused = 0
    with Store(url) as store, Store(url) as other:
        store.migrate()
        fast = runner(store, clock, FAST, queue_alerts=None)
        slow = runner(other, clock, queue_alerts=None)
        honest = slow.judge

        def overtaken(feature: str, window: Window) -> JudgedWindow:
            """The fast host comes by while the slow one is at work."""
            judged = honest(feature, window)
            fast.run_due()
            return judged

        watched = runner(other, clock, judge=overtaken, queue_alerts=None)
        for day in range(1, days + 1):
            midnight = START + day * DAY
            for minutes in (-6, -1, 1, 6, 11):
                clock.true = midnight + minutes * MINUTE
                for host in (fast, slow) if day % 3 else (watched,):
                    n_refused += len(host.run_due().refused)
        n_short = sum(
            window.n_rows < 40 for window in store.report().windows if window.segment is None
        )
        found = verify(url, days)
    # A window that was judged before its day was over has a second revision, with all of its rows.
    faults = [] if found["exactly_one_current_result"] else ["windows lack a result or have two"]
    faults += [f"{n_short} windows lack rows"] if n_short else []
    return {
        "windows": found["windows"],
        "revisions": found["results"],
        "late_writes_refused": n_refused,
        "faults": faults,
    }


def restarts(n_restarts: int, folder: Path) -> dict:
    """PostgreSQL crashes and comes back under two schedulers."""
    programs = postgres_programs()
    if programs is None:
        return {"skipped": "PostgreSQL's programs are not installed", "faults": []}
    log = folder / "log"
    with postgres_server(programs) as server:
        url = server.new_database()
        with Store(url) as store:
            store.migrate()
        days, began = RawValue("i", 2), time.monotonic()

        def clock() -> dt.datetime:
            return START + DAY * days.value + dt.timedelta(seconds=time.monotonic() - began)

        workers = [start_worker(url, clock, FITTED, log) for _ in range(2)]
        try:
            for number in range(n_restarts):
                days.value += 3
                time.sleep(0.5 + number % 3 / 3)
                server.restart("fast" if number % 4 == 3 else "immediate")
            wanted = len(NAMES) * days.value
            wait_for(url, lambda status: status["windows"]["done"] == wanted)
        finally:
            for pid in workers:
                end_worker(pid)
        found = verify(url, days.value)
    told = [json.loads(line)[1] for line in log.read_text().splitlines()] if log.exists() else []
    others = [text for text in told if "StoreError" not in text and "taken over" not in text]
    return {
        "restarts": n_restarts,
        **{key: found[key] for key in ("windows", "results", "alerts", "queued")},
        "store_errors_told": len(told) - len(others),
        "faults": found["faults"] + [text[-300:] for text in others[:3]],
    }


def full_disk(days: int, folder: Path) -> dict:
    """The disk fills up in the middle, and has room again."""
    told, faults = 0, []
    clock = Clock()
    with small_disk(folder / "disk") as (disk, fill, empty):
        url = f"sqlite:///{disk}/store.db"
        with Store(url) as store:
            store.migrate()
            for day in range(1, days + 1):
                clock.true = START + day * DAY + MINUTE
                if day == days // 3:
                    fill()
                    faults += left_by_a_report(disk)
                if day == 2 * days // 3:
                    empty()
                try:
                    done = runner(store, clock, retry_for=days * DAY).run_due()
                    told += len(done.failed)
                except StoreError:
                    told += 1
            clock.true += DAY / 2
            runner(store, clock, retry_for=days * DAY).run_due()
        found = verify(url, days)
    faults += found["faults"] + ([] if told else ["nothing was told of the full disk"])
    return {
        **{
            key: found[key] for key in ("windows", "results", "alerts", "queued", "integrity_check")
        },
        "errors_told": told,
        "faults": faults,
    }


def left_by_a_report(disk: Path) -> list[str]:
    """What a file that does not fit leaves behind."""
    with suppress(OSError):
        with replacing(disk / "report.html") as partial:
            partial.write_bytes(bytes(DISK_BYTES))
        return ["a file that does not fit was written without an error"]
    return [f"{path.name} is left" for path in disk.glob(".*.partial")]


@contextmanager
def small_disk(place: Path) -> Iterator[tuple[Path, Callable[[], None], Callable[[], None]]]:
    """A folder that can be filled up, how to, and how to make room again."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    filler = place / "filler"
    try:
        is_mounted = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def limit() -> None:
            largest = max(path.stat().st_size for path in place.iterdir())
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))

        yield place, limit, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return

    def fill() -> None:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4_096)):
                pass

    try:
        yield place, fill, lambda: filler.unlink()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def restored(days: int, folder: Path) -> dict:
    """The store is put back to a backup, two thirds through."""
    clock, path = Clock(), folder / "store.db"
    url, backup = f"sqlite:///{path}", folder / "backup.db"
    told_again = 0
    for day in range(1, days + 1):
        clock.true = START + day * DAY + MINUTE
        with Store(url) as store:
            store.prepare()
            done = runner(store, clock).run_due()
        told_again += max(0, len(done.judged) - len(NAMES))
        if day == days // 3:
            shutil.copy(path, backup)
        if day == 2 * days // 3:
            for part in folder.glob("store.db*"):
                part.unlink()
            shutil.copy(backup, path)
    found = verify(url, days)
    missing = len(NAMES) * (2 * days // 3 - days // 3)
    faults = found["faults"]
    if told_again != missing:
        faults.append(f"{told_again} windows were judged again, {missing} were lost")
    return {
        **{
            key: found[key] for key in ("windows", "results", "alerts", "queued", "integrity_check")
        },
        "judged_again": told_again,
        "faults": faults,
    }


TRIALS = {"clocks": clocks, "restarts": restarts, "full disk": full_disk, "restored": restored}
FITTED = baselines()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=30, help="days, and restarts, of each trial")
    parser.add_argument("--only", choices=TRIALS)
    asked = parser.parse_args()
    outcome = {}
    for name, trial in TRIALS.items():
        if asked.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    outcome[name] = trial(asked.size, Path(folder))
                except MonitorError as error:
                    outcome[name] = {"faults": [f"{type(error).__name__}: {error}"]}
    print(json.dumps(outcome, indent=2))
    return 1 if any(found["faults"] for found in outcome.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
