"""How often a year of quiet daily windows raises an alarm, at one promised.

    cd benchmarks
    python -m judge.runs run --work <folder>      # resumable
    python -m judge.runs table --work <folder>    # fills docs/benchmarks.md

A year has a baseline of its own, of 28 days, and 365 windows. Photos are drawn by their labels, whose shares
are those of all photos (*independent*), drawn anew each day from a Dirichlet distribution of this intra-day
correlation (*days differ*), drawn so that each day's resemble the last's (*slow*: a Gaussian copula,
autoregressive at 0.8), or follow the seasons by ± 10 % (*seasons*); *growth* are independent photos, from
100 rows a day to twice the window's. Windows are judged by themselves and together, as
`monitor.detect_drift` shares the budget out. With *rolling*, a baseline of the last 28 days is fitted anew
each week, which also knows what those before it saw of how much days differ, and windows are judged by
themselves with the whole budget, as a schedule's `rolling_baseline` does each run. Neighbouring days in
alarm are one alarm. *Without times* the baseline does not know its days.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from judge import pools
from judge.document import run_or_fill
from judge.ours import DAILY_LEVEL, next_day
from judge.streams import fitted
from monitor.clusters import Baseline, with_experience
from monitor.drift import Rules, SequenceWindow, Verdict, judge

DAYS = 365
BASELINE_DAYS = 28
WEEK = 7
SLOWNESS = 0.8
SEASON = 0.1


@dataclass(frozen=True)
class Year:
    """What the days are like, and how they are judged."""

    traffic: str
    n_rows: int = 300
    correlation: float = 0.0
    is_rolling: bool = False
    is_dated: bool = True

    @property
    def name(self) -> str:
        """What its results are called."""
        kind = self.traffic + (f" {self.correlation:g}" if self.correlation else "")
        kind = f"{kind}, windows of {self.n_rows}"
        return kind + ", rolling" * self.is_rolling + ", without times" * (not self.is_dated)


YEARS = (
    Year("independent"),
    Year("days differ", correlation=0.003),
    Year("days differ", 1_000, 0.003),
    Year("slow", correlation=0.003),
    Year("slow", correlation=0.003, is_rolling=True),
    Year("seasons"),
    Year("seasons", is_rolling=True),
    Year("growth"),
    Year("days differ", correlation=0.003, is_dated=False),
)


class Photographs:
    """Days of photos, drawn by label."""

    def __init__(self, photos: pools.Photos, year: Year, rng: np.random.Generator) -> None:
        labels, which, counts = np.unique(photos.labels, return_inverse=True, return_counts=True)
        self.crowd = photos.crowd
        self.rows_of = [np.flatnonzero(which == at) for at in range(len(labels))]
        self.year, self.rng = year, rng
        self.shares = self._shares(counts / counts.sum())

    def _shares(self, base: NDArray[np.float64]) -> NDArray[np.float64]:
        """(days, labels)."""
        n, rng = BASELINE_DAYS + DAYS, self.rng
        shares = np.repeat(base[None], n, axis=0)
        if self.year.traffic == "seasons":
            angles = 2 * np.pi * (np.arange(n)[:, None] / DAYS + rng.uniform(size=len(base)))
            shares = base * (1 + SEASON * np.sin(angles))
        elif self.year.correlation:
            kept = SLOWNESS if self.year.traffic == "slow" else 0.0
            walk = rng.normal(size=(n, len(base)))
            for day in range(1, n):
                walk[day] = kept * walk[day - 1] + np.sqrt(1 - kept**2) * walk[day]
            concentration = base * (1 / self.year.correlation - 1)
            shares = stats.gamma.ppf(stats.norm.cdf(walk), concentration)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def day(self, at: int) -> NDArray[np.float32]:
        """(n, width) the rows of a day; the first days are the baseline's."""
        n = self.year.n_rows
        if self.year.traffic == "growth":
            n = round(100 * (2 * n / 100) ** (at / (BASELINE_DAYS + DAYS)))
        drawn = self.rng.multinomial(n, self.shares[at])
        rows = [self.rng.choice(own, m) for own, m in zip(self.rows_of, drawn, strict=True)]
        return self.crowd[np.concatenate(rows)]


def alarms(year: Year, seed: int, cache: Path) -> int:
    """False alarms in one year."""
    days = Photographs(pools.photos(cache), year, np.random.default_rng([seed, 0x797273]))
    judged = _rolling if year.is_rolling else _static
    flagged = np.array(judged(days, seed), dtype=int)
    return int((np.diff(flagged, prepend=0) == 1).sum())


def _static(days: Photographs, seed: int) -> list[bool]:
    of_days = [days.day(at) for at in range(BASELINE_DAYS)]
    baseline = fitted(of_days, seed, is_dated=days.year.is_dated)
    past: list[SequenceWindow] = []
    flagged = []
    for at in range(BASELINE_DAYS, BASELINE_DAYS + DAYS):
        past, judged = next_day(past, baseline.sketch(days.day(at), {}), baseline)
        flagged.append(judged.shift is not None)
    return flagged


def _rolling(days: Photographs, seed: int) -> list[bool]:
    windows = [days.day(at) for at in range(BASELINE_DAYS)]
    flagged: list[bool] = []
    baselines: list[Baseline] = []
    for at in range(BASELINE_DAYS, BASELINE_DAYS + DAYS):
        if (at - BASELINE_DAYS) % WEEK == 0:
            baselines.append(fitted(windows[-BASELINE_DAYS:], seed))
            if len(earlier := baselines[: -BASELINE_DAYS // WEEK]):
                baselines[-1] = with_experience(baselines[-1], earlier[-1])
        baseline = baselines[-1]
        windows.append(days.day(at))
        of_day = judge(baseline.sketch(windows[-1], {}), baseline, rules=Rules(DAILY_LEVEL))
        flagged.append(of_day.verdict is Verdict.DRIFT)
    return flagged


def _files(work: Path, year: Year) -> list[Path]:
    return sorted((work / "runs" / year.name).glob("*.json"))


def run(work: Path, n_years: int) -> None:
    """Judge the years that have no result yet."""
    for seed in range(n_years):
        for year in YEARS:
            out = work / "runs" / year.name / f"{seed:03d}.json"
            if out.exists():
                continue
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(alarms(year, seed, work / "cache")))
            print(year.name, seed, out.read_text(), flush=True)


def table(work: Path) -> str:
    """The Markdown."""
    lines = [
        "| a year of quiet days | years | false alarms a year | without any |",
        "|---|---:|---:|---:|",
    ]
    for year in YEARS:
        counts = [json.loads(file.read_text()) for file in _files(work, year)]
        if len(counts) > 1:
            error = np.std(counts, ddof=1) / np.sqrt(len(counts))
            calm = sum(n == 0 for n in counts)
            lines.append(
                f"| {year.name} | {len(counts)} | {np.mean(counts):.2f} ± {error:.2f} | {calm} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Run the years, or write the table."""
    run_or_fill(__doc__, "years", run, table, ("years", 20))


if __name__ == "__main__":
    main()
