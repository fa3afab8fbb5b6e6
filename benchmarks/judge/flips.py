"""Does a borderline verdict hang on the seed? Run as `python -m judge.flips --work FOLDER` in benchmarks/.

Windows of 200 photos, of which up to 60 were moved a little towards one other photo, are judged by a baseline
of a thousand, with times and without. Those whose p-value is between half and twice a level are judged again
with other seeds; printed is how often a verdict is not that of most seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from judge import pools
from judge.streams import ALPHAS, fitted, p_value

N_BASELINE, N_DAYS, N_WINDOW, MOST_MOVED = 1_000, 28, 200, 60


def main() -> None:
    """Print a line for each baseline and level."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=16)
    options = parser.parse_args()
    crowd = pools.photos(options.work / "cache").crowd
    rng = np.random.default_rng(0)
    order = rng.permutation(len(crowd))
    known, others = crowd[order[:N_BASELINE]], crowd[order[N_BASELINE:]]
    for is_dated in (False, True):
        baseline = fitted([known[day::N_DAYS] for day in range(N_DAYS)], 0, is_dated=is_dated)
        flipped: dict[float, list[float]] = {alpha: [] for alpha in ALPHAS}
        for _ in range(options.windows):
            rows = others[rng.permutation(len(others))[:N_WINDOW]].copy()
            n_moved = int(rng.integers(MOST_MOVED))
            rows[:n_moved] = 0.7 * rows[:n_moved] + 0.3 * others[rng.integers(len(others))]
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            first = p_value(rows, baseline, 0)
            for alpha in ALPHAS:
                if alpha / 2 <= first <= 2 * alpha:
                    p = np.array([p_value(rows, baseline, seed) for seed in range(options.seeds)])
                    share = float((p <= alpha).mean())
                    flipped[alpha].append(min(share, 1 - share))
        for alpha, shares in flipped.items():
            print(
                f"{'dated' if is_dated else 'undated'}, {alpha:.4f}: {np.mean(shares):.1%} of verdicts "
                f"on {len(shares)} windows, {options.seeds} seeds"
            )


if __name__ == "__main__":
    main()
