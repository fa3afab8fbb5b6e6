"""How often windows without drift are called drifted.

    cd benchmarks
    python -m judge.level --results level.json
    python -m judge.level --results level.json --table

Vectors lie round unequal cluster centres. Windows that share a baseline share its error, so each window
has a baseline of its own. Centroids are the true centres unless `--fit` is given, which takes longer than
all the rest. With day-to-day variation ρ the shares of each day are drawn from a Dirichlet distribution
whose intra-day correlation is ρ; the baseline then covers `--days` days, and knows it. With `--wild` only
the largest cluster varies, with a share that is Beta(1, 9) each day. Settings that the file of results has
are not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from judge.document import fill
from monitor.clusters import Baseline, Clustering, RowMetadata, RowWindows, WindowSketch, fit
from monitor.drift.battery import examine
from monitor.drift.comparison import Comparison
from monitor.drift.significance import combine

WIDTH = 32
ALPHAS = (0.05, 0.01, 1 / 365)


@dataclass(frozen=True)
class Setting:
    """What is repeated."""

    n_clusters: int
    n_baseline: int
    n_window: int
    correlation: float
    n_days: int = 30
    is_wild: bool = False
    is_fitted: bool = False

    @property
    def is_dated(self) -> bool:
        """Whether days differ, so that the baseline has to know its days."""
        return self.is_wild or self.correlation > 0


@dataclass
class Result:
    """False alarms of one setting, over all repeats, per level."""

    setting: Setting
    repeats: int
    alarms: list[int] = field(default_factory=list)
    by_test: dict[str, list[int]] = field(default_factory=dict)


class World:
    """Where rows come from: as many centres as clusters, of falling size."""

    def __init__(self, setting: Setting, rng: np.random.Generator) -> None:
        k = setting.n_clusters
        self.centres = rng.normal(size=(k, WIDTH)) * 0.9 + rng.normal(size=WIDTH)
        shares = 1 / np.arange(1, k + 1)
        self.shares = shares / shares.sum()
        self.setting = setting
        self.scales = np.exp(-np.arange(WIDTH) / WIDTH * 1.5)
        self.rng = rng

    def day(self, n: int) -> NDArray[np.float64]:
        """(n, WIDTH) rows of one day."""
        shares = self.shares
        if self.setting.is_wild:
            wild = self.rng.beta(1, 9)
            shares = np.append(wild, (1 - wild) * shares[1:] / shares[1:].sum())
        elif self.setting.correlation > 0:
            shares = self.rng.dirichlet(shares * (1 / self.setting.correlation - 1))
        which = self.rng.choice(len(shares), size=n, p=shares)
        # Student's t with 5 degrees of freedom: tails heavier than normal, as embeddings have.
        noise = self.rng.standard_t(5, size=(n, WIDTH)) * self.scales
        return np.asarray(self.centres[which] + noise)


def baseline_of(world: World, seed: int) -> Baseline:
    """A baseline; with day-to-day variation one that covers days."""
    setting = world.setting
    if setting.is_dated:
        n_days = setting.n_days
        sizes = np.full(n_days, setting.n_baseline // n_days)
        sizes[: setting.n_baseline % n_days] += 1
        rows = np.concatenate([world.day(int(size)) for size in sizes])
        days = np.repeat(np.arange(n_days), sizes)
    else:
        rows, days = world.day(setting.n_baseline), None
    return fit(
        rows,
        {"name": "rows"},
        Clustering(
            setting.n_clusters,
            centroids=None if setting.is_fitted else world.centres,
            random_state=seed,
        ),
        RowMetadata(windows=None if days is None else RowWindows("1d", days)),
    )


def p_values(window: WindowSketch, baseline: Baseline, seed: int) -> dict[str, float]:
    """The p-value of each test, and `all` of them together, told apart down to the least level."""
    rng = np.random.default_rng([seed, 1])
    tests = examine(
        Comparison(window, baseline, baseline.statistics, rng), min(ALPHAS), says_detectable=False
    )
    return {test.name: test.p_value for test in tests} | {"all": combine(tests)}


def run(setting: Setting, repeats: int, seed: int) -> Result:
    """All repeats of one setting."""
    rng = np.random.default_rng([seed, setting.n_clusters, setting.n_baseline, setting.n_window])
    found: dict[str, list[float]] = {}
    for i in range(repeats):
        world = World(setting, rng)
        baseline = baseline_of(world, i)
        window = baseline.sketch(world.day(setting.n_window), {})
        for name, p in p_values(window, baseline, i).items():
            found.setdefault(name, []).append(p)
    alarms = {n: [int((np.array(p) <= a).sum()) for a in ALPHAS] for n, p in found.items()}
    # A test alone is held against its quarter of the level.
    parts = {
        n: [int((np.array(p) <= a / 4).sum()) for a in ALPHAS]
        for n, p in found.items()
        if n != "all"
    }
    return Result(setting, repeats, alarms["all"], parts)


def cell(result: Result) -> str:
    """The rates at the three levels, and whether each is too high beyond chance."""
    told = []
    for alarms, alpha in zip(result.alarms, ALPHAS, strict=True):
        # How likely so many alarms are if the level held.
        excess = stats.binom.sf(alarms - 1, result.repeats, alpha)
        told.append(f"{alarms / result.repeats:.4f}" + ("" if excess > 0.01 else " !"))
    return " / ".join(told)


def table(results: list[Result]) -> str:
    """The Markdown: a row for each size of baseline and window, a column for each kind of traffic."""
    usual = [r for r in results if r.setting.n_days == 30 and not r.setting.is_wild]
    kinds = sorted({(r.setting.is_fitted, r.setting.correlation) for r in usual})
    cells = {
        (s.n_clusters, s.n_baseline, s.n_window, (s.is_fitted, s.correlation)): cell(r)
        for r in usual
        for s in [r.setting]
    }
    head = ["k", "baseline", "window", *(_kind(*kind) for kind in kinds)]
    lines = ["| " + " | ".join(head) + " |", "|---:" * len(head) + "|"]
    for k, n_baseline, n_window in sorted({key[:3] for key in cells}):
        row = [cells.get((k, n_baseline, n_window, kind), "") for kind in kinds]
        lines.append(f"| {k} | {n_baseline:,} | {n_window:,} | " + " | ".join(row) + " |")
    wild = [r for r in results if r.setting.is_wild]
    if wild:
        lines += ["", "One wild cluster among calm ones:", ""]
        lines += ["| k | days | rows a day | window | rates |", "|---:" * 5 + "|"]
    for r in sorted(wild, key=lambda r: (r.setting.n_days, r.setting.n_window)):
        s = r.setting
        per_day = s.n_baseline // s.n_days
        lines.append(f"| {s.n_clusters} | {s.n_days} | {per_day:,} | {s.n_window:,} | {cell(r)} |")
    return "\n".join(lines)


def _kind(is_fitted: bool, correlation: float) -> str:
    kind = "independent" if correlation == 0 else f"{correlation:.1%} a day"
    return kind + (", fitted" if is_fitted else "")


def read(path: Path) -> list[Result]:
    """The results so far."""
    if not path.exists():
        return []
    saved = json.loads(path.read_text())
    return [Result(**(entry | {"setting": Setting(**entry["setting"])})) for entry in saved]


def main() -> None:
    """Run the settings that have no result yet, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--fit", action="store_true", help="centroids by k-means")
    parser.add_argument("--clusters", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 2_000, 10_000, 50_000])
    parser.add_argument("--window", type=int, nargs="+", default=[20, 200, 1_000, 10_000])
    parser.add_argument("--variation", type=float, nargs="+", default=[0, 0.001, 0.003, 0.01])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--wild", action="store_true", help="one wild cluster, instead")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--results", type=Path, nargs="+", required=True)
    parser.add_argument("--table", action="store_true", help="fill docs/benchmarks.md")
    options = parser.parse_args()
    if options.table:
        text = table([result for path in options.results for result in read(path)])
        print(text)
        fill("level", text)
        return
    path = options.results[0]
    for k, n_baseline, n_window, correlation in itertools.product(
        options.clusters,
        options.rows,
        options.window,
        [0.0] if options.wild else options.variation,
    ):
        setting = Setting(
            k, n_baseline, n_window, correlation, options.days, options.wild, options.fit
        )
        results = read(path)
        if all(result.setting != setting for result in results):
            result = run(setting, options.repeats, options.seed)
            path.write_text(json.dumps([asdict(r) for r in [*results, result]], indent=1))
            print(setting, cell(result), flush=True)


if __name__ == "__main__":
    main()
