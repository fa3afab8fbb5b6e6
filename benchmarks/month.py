"""A month on a schedule: does an alert begin with the first changed day and end after the last, and no other?

    MONITOR_BENCH_DATA=... python benchmarks/month.py

The real runner, judge, store (SQLite) and default alert rules; only the clock is not real. The rows of a
day are written as a file, and the next morning the day is judged. No image is shown twice, but for
the placeholder.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pandas as pd
from datasets import FEATURE, photos, walkthrough
from PIL import Image, ImageDraw
from sqlalchemy import Connection

import monitor
from monitor.alerts import AlertsConfig
from monitor.schedule import Plan, Runner, WindowJudge
from monitor.schedule.alerting import alert_on
from monitor.sources import FileSource, rows_seen
from monitor.store import Claim, JudgedWindow, Store
from monitor.store.alerts import Alerts
from monitor.windows import Every, Grid, zone_of

FIRST = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MORNING = dt.timedelta(hours=6)
CALM, PLACEHOLDER = "calm", "placeholder"
RULES = AlertsConfig()
SMALL_IMAGES = [CALM] * 9 + ["blurred"] * 3 + [CALM] * 8 + ["darkened"] * 3 + [CALM] * 7
PHOTOS = (
    [CALM] * 6 + ["grocery_store"] * 3 + [CALM] * 6 + ["clothing_sender48"] * 3 + [CALM] * 6
    + [PLACEHOLDER] + [CALM] * 5
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Episode:
    """An alert. Days are counted from 1."""

    first: int
    last: int
    rule: str
    severity: str
    told: int
    resolved: int | None


@dataclass(frozen=True, eq=False)
class Month:
    """The rows of the baseline, and those of each day."""

    baseline: pd.DataFrame
    days: Sequence[pd.DataFrame]


def expected(labels: Sequence[str]) -> list[Episode]:
    """The episodes that there should be: one of drift for each run of changed days."""
    found, day = [], 1
    calm_days = {rule.name: rule.resolve_after for rule in RULES.rules}
    for label, run in groupby(labels):
        first, day = day, day + len(list(run))
        rules = {CALM: [], PLACEHOLDER: [("broken feed", "critical"), ("drift", "warning")]}
        for rule, severity in rules.get(label, [("drift", "warning")]):
            last = day - 1
            found.append(Episode(first, last, rule, severity, first, last + calm_days[rule]))
    return found


def month_of_small_images(sets: Mapping[str, pd.DataFrame], seed: int = 0) -> Month:
    """200 images a day."""
    return _month(SMALL_IMAGES, sets["reference"], sets | {CALM: sets["as is"]}, 25, 200, seed)


def month_of_photos(
    frame: pd.DataFrame, seed: int = 0, labels: Sequence[str] = PHOTOS, n_calm: int = 1_000
) -> Month:
    """40 photos a day, `n_calm` of many people for the calm ones, and the baseline the rest of theirs."""
    kinds = {str(domain): rows for domain, rows in frame.groupby("domain")}
    crowd = kinds["clothing_crowd"].sample(frac=1, random_state=seed)
    kinds[CALM], before = crowd.iloc[:n_calm], crowd.iloc[n_calm:]
    kinds[PLACEHOLDER] = pd.concat([_placeholder()] * 40)
    return _month(labels, before, kinds, 25, 40, seed)


def play(month: Month, folder: Path) -> list[Episode]:
    """The alerts of a month, in the order of time."""
    rows, clock = folder / "rows", _Clock()
    rows.mkdir()
    source = FileSource(f"{rows}/*.parquet", "ts")
    baseline = monitor.fit_baseline(month.baseline, FEATURE, timestamp_column="ts")

    def queue_alerts(
        connection: Connection, _: Claim, judged: JudgedWindow, now: dt.datetime
    ) -> None:
        alert_on(connection, RULES, judged.report, now)

    with Store(f"sqlite:///{folder / 'monitor.db'}") as store:
        runner = Runner(
            store=store.prepare(),
            plan=Plan(Grid(Every.parse("1d"), zone_of("UTC")), evaluation_delay=MORNING),
            every="1d",
            features=[FEATURE.name],
            judge=WindowJudge(
                source, {FEATURE.name: FEATURE}, {FEATURE.name: baseline}, "1d",
                history=store.history,
            ),
            rows_seen=lambda window: str(rows_seen(source, window.start, window.end)),
            queue_alerts=queue_alerts,
            clock=clock,
        )  # fmt: skip
        for number, of_day in enumerate(month.days):
            of_day.to_parquet(rows / f"{number:02}.parquet")
            clock.now = FIRST + (number + 1) * DAY + MORNING
            done = runner.run_due()
            if len(done.judged) != 1:
                raise SystemExit(f"day {number + 1} was not judged: {done.failed}")
        return sorted(
            Episode(
                first=_day(alert.window_start),
                last=_day(alert.window_end - DAY),
                rule=alert.rule,
                severity=str(alert.severity),
                told=_day(alert.created_at - DAY),
                resolved=alert.resolved_at and _day(alert.resolved_at - DAY),
            )
            for alert in Alerts(store).alerts()
        )


class _Clock:
    now = FIRST

    def __call__(self) -> dt.datetime:
        return self.now


def _day(instant: dt.datetime) -> int:
    return (instant - FIRST) // DAY + 1


def _month(
    labels: Sequence[str],
    before: pd.DataFrame,
    kinds: Mapping[str, pd.DataFrame],
    n_days_before: int,
    n_rows: int,
    seed: int,
) -> Month:
    """Days of the kinds that `labels` say, dealt without repeating a row, after those of the baseline."""
    shuffled = {kind: kinds[kind].sample(frac=1, random_state=seed) for kind in set(labels)}
    before = before.sample(frac=1, random_state=seed)
    dealt: Counter[str] = Counter()
    days = []
    for number, label in enumerate(labels):
        rows = shuffled[label].iloc[dealt[label] : dealt[label] + n_rows]
        if len(rows) < n_rows:
            raise SystemExit(f"{len(shuffled[label])} rows are too few for the days of {label}")
        dealt[label] += n_rows
        days.append(_dated(rows, FIRST + number * DAY, n_days=1))
    return Month(_dated(before, FIRST - n_days_before * DAY, n_days_before), days)


def _dated(frame: pd.DataFrame, start: dt.datetime, n_days: int) -> pd.DataFrame:
    times = pd.date_range(start, start + n_days * DAY, periods=len(frame) + 1)[:-1]
    return frame.assign(ts=times.as_unit("us"))


def _placeholder() -> pd.DataFrame:
    """What a server sends where it has no picture."""
    picture = Image.new("RGB", (320, 240), (225, 225, 225))
    ImageDraw.Draw(picture).text((100, 115), "image not available", fill=(120, 120, 120))
    embedded = monitor.embed(pd.DataFrame({"image": [picture]}), FEATURE, progress=False)
    return embedded.drop(columns="image")


def _told(episode: Episode) -> str:
    days = f"day {episode.first}"
    if episode.last > episode.first:
        days = f"days {episode.first} to {episode.last}"
    ended = "still open" if episode.resolved is None else f"resolved after day {episode.resolved}"
    return f"{episode.rule:>12}  {episode.severity:<8}  {days:<15}  told after day {episode.told}, {ended}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="keep the vectors in this folder")
    parser.add_argument("--months", type=int, default=1, help="so many draws of each month")
    arguments = parser.parse_args()
    sets, frame = walkthrough(arguments.vectors), photos(arguments.vectors)
    n_wrong = 0
    for name, labels, draw in (
        ("small images, 200 a day", SMALL_IMAGES, lambda seed: month_of_small_images(sets, seed)),
        ("photos, 40 a day", PHOTOS, lambda seed: month_of_photos(frame, seed)),
    ):
        wanted, n_exact = expected(labels), 0
        print(f"{name}: " + ", ".join(f"{len(list(run))} {kind}" for kind, run in groupby(labels)))
        for seed in range(arguments.months):
            with tempfile.TemporaryDirectory() as folder:
                found = play(draw(seed), Path(folder))
            n_exact += found == wanted
            if seed == 0 or found != wanted:
                print(f"  month {seed}: {'as it should be' if found == wanted else 'WRONG'}")
                print("\n".join(f"    {_told(episode)}" for episode in found), flush=True)
        print(f"  {n_exact} of {arguments.months} months exact", flush=True)
        n_wrong += arguments.months - n_exact
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
