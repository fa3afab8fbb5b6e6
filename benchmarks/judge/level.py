"""How often windows without drift are called drifted.

    python -m judge.level --repeats 2000 --output level.json

Vectors lie round unequal cluster centres. Windows that share a baseline share its error, so a baseline is
drawn anew for every `--windows` windows. Centroids are the true centres unless `--fit` is given: the
verdict rests on rows that nothing was fitted on either way, and k-means takes longer than all the rest.
With day-to-day variation ρ the shares of
each day are drawn from a Dirichlet distribution whose intra-day correlation is ρ; the baseline then covers
30 days, and knows it.
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

from monitor.clusters import Baseline, WindowSketch, fit
from monitor.drift.counts import FIRST_DRAWS
from monitor.drift.evidence import Evidence
from monitor.drift.significance import combine

WIDTH = 32
N_DAYS = 30
ALPHAS = (0.05, 0.01, 1 / 365)


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    n_clusters: int
    n_baseline: int
    n_window: int
    correlation: float


@dataclass
class Result:
    """False alarms of one setting, over all repeats, per level."""

    setting: Setting
    repeats: int
    alarms: list[int] = field(default_factory=list)
    by_test: dict[str, list[int]] = field(default_factory=dict)


class World:
    """Where rows come from: as many centres as clusters, of falling size."""

    def __init__(self, n_clusters: int, correlation: float, rng: np.random.Generator) -> None:
        self.centres = rng.normal(size=(n_clusters, WIDTH)) * 0.9 + rng.normal(size=WIDTH)
        shares = 1 / np.arange(1, n_clusters + 1)
        self.shares = shares / shares.sum()
        self.correlation = correlation
        self.scales = np.exp(-np.arange(WIDTH) / WIDTH * 1.5)
        self.rng = rng

    def day(self, n: int) -> NDArray[np.float64]:
        """(n, WIDTH) rows of one day."""
        shares = self.shares
        if self.correlation > 0:
            shares = self.rng.dirichlet(shares * (1 / self.correlation - 1))
        which = self.rng.choice(len(shares), size=n, p=shares)
        # Student's t with 5 degrees of freedom: tails heavier than normal, as embeddings have.
        noise = self.rng.standard_t(5, size=(n, WIDTH)) * self.scales
        return np.asarray(self.centres[which] + noise)


def baseline_of(world: World, setting: Setting, seed: int, *, is_fitted: bool) -> Baseline:
    """A baseline; with day-to-day variation one that covers `N_DAYS` days."""
    if world.correlation == 0:
        rows, days = world.day(setting.n_baseline), None
    else:
        sizes = np.full(N_DAYS, setting.n_baseline // N_DAYS)
        sizes[: setting.n_baseline % N_DAYS] += 1
        rows = np.concatenate([world.day(int(size)) for size in sizes])
        days = np.repeat(np.arange(N_DAYS), sizes)
    return fit(
        rows,
        {"name": "rows"},
        n_clusters=setting.n_clusters,
        centroids=None if is_fitted else world.centres,
        random_state=seed,
        windows=days,
    )


def p_values(window: WindowSketch, baseline: Baseline, seed: int) -> dict[str, float]:
    """The p-value of each test, and `all` of them together, told apart down to the least level."""
    rng = np.random.default_rng([seed, 1])
    evidence = Evidence.of(window, baseline, baseline.reference, rng)
    tests = evidence.tests(evidence.mix_null.draw(FIRST_DRAWS, rng), min(ALPHAS), rng)
    return {test.name: test.p_value for test in tests} | {"all": combine(tests)}


def run(
    setting: Setting, repeats: int, n_windows: int, seed: int, *, is_fitted: bool = False
) -> Result:
    """All repeats of one setting, with so many windows of each baseline."""
    rng = np.random.default_rng([seed, setting.n_clusters, setting.n_baseline, setting.n_window])
    found: dict[str, list[float]] = {}
    for i in range(repeats // n_windows):
        world = World(setting.n_clusters, setting.correlation, rng)
        baseline = baseline_of(world, setting, i, is_fitted=is_fitted)
        for j in range(n_windows):
            window = baseline.sketch(world.day(setting.n_window), {})
            for name, p in p_values(window, baseline, i * repeats + j).items():
                found.setdefault(name, []).append(p)
    alarms = {n: [int((np.array(p) <= a).sum()) for a in ALPHAS] for n, p in found.items()}
    # A test alone is held against its quarter of the level.
    parts = {
        n: [int((np.array(p) <= a / 4).sum()) for a in ALPHAS]
        for n, p in found.items()
        if n != "all"
    }
    return Result(setting, len(found["all"]), alarms["all"], parts)


def line(result: Result) -> str:
    """One row of the Markdown table: the rates, and whether each is too high beyond chance."""
    setting, cells = result.setting, []
    for alarms, alpha in zip(result.alarms, ALPHAS, strict=True):
        rate = alarms / result.repeats
        # How likely so many alarms are if the level held.
        excess = stats.binom.sf(alarms - 1, result.repeats, alpha)
        cells.append(f"{rate:.4f}" + ("" if excess > 0.01 else " !"))
    kind = "independent" if setting.correlation == 0 else f"{setting.correlation:.1%} a day"
    named = f"| {setting.n_clusters} | {setting.n_baseline:,} | {setting.n_window:,} | {kind} | "
    return named + " | ".join(cells) + " |"


def main() -> None:
    """Run all settings and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--windows", type=int, default=2, help="of each baseline")
    parser.add_argument("--fit", action="store_true", help="centroids by k-means")
    parser.add_argument("--clusters", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 2_000, 10_000, 50_000])
    parser.add_argument("--window", type=int, nargs="+", default=[20, 200, 1_000, 10_000])
    parser.add_argument("--variation", type=float, nargs="+", default=[0, 0.001, 0.003, 0.01])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    print("| k | baseline | window | rows | " + " | ".join(f"{a:.2g}" for a in ALPHAS) + " |")
    print("|---:|---:|---:|---|" + "---:|" * len(ALPHAS))
    results = []
    for values in itertools.product(
        options.clusters, options.rows, options.window, options.variation
    ):
        result = run(
            Setting(*values), options.repeats, options.windows, options.seed, is_fitted=options.fit
        )
        results.append(asdict(result))
        print(line(result), flush=True)
        if options.output:
            options.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
