"""How often a year of quiet daily windows raises an alarm, at one promised.

    python -m judge.runs --sequences 40

Each sequence has a baseline of its own and 365 windows without drift. Windows are judged by themselves and
together, as `monitor.detect_drift` shares the budget out. Neighbouring days in alarm are one alarm.
"""

from __future__ import annotations

import argparse

import numpy as np

from judge.level import Setting, World, baseline_of
from judge.ours import next_day
from monitor.drift import SequenceWindow

DAYS = 365


def alarms(setting: Setting, number: int, seed: int) -> int:
    """False alarms in one year."""
    rng = np.random.default_rng([seed, number])
    world = World(setting, rng)
    baseline = baseline_of(world, number)
    past: list[SequenceWindow] = []
    flagged = []
    for _ in range(DAYS):
        past, judged = next_day(past, baseline.sketch(world.day(setting.n_window), {}), baseline)
        flagged.append(judged.shift is not None)
    return int((np.diff(np.array(flagged, dtype=int), prepend=0) == 1).sum())


def main() -> None:
    """Run the sequences and print a line for each kind of traffic."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sequences", type=int, default=40)
    parser.add_argument("--clusters", type=int, default=20)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--window", type=int, default=300)
    parser.add_argument("--variation", type=float, nargs="+", default=[0, 0.003])
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print("| rows | sequences | alarms a year | standard error | sequences without any |")
    print("|---|---:|---:|---:|---:|")
    for correlation in options.variation:
        setting = Setting(options.clusters, options.rows, options.window, correlation)
        found = [alarms(setting, number, options.seed) for number in range(options.sequences)]
        kind = "independent" if correlation == 0 else f"{correlation:.1%} a day"
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        calm = sum(n == 0 for n in found)
        print(
            f"| {kind} | {len(found)} | {np.mean(found):.2f} | {error:.2f} | {calm} |", flush=True
        )


if __name__ == "__main__":
    main()
