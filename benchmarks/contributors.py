"""Photos of other contributors than the baseline's: are they flagged, and the baseline's own not?

    MONITOR_BENCH_DATA=... python benchmarks/contributors.py

Baseline: one random half of `clothing_crowd`. Windows: draws from its other half and from every other
contributor. The level is that of daily windows, one false alarm a year.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from datasets import FEATURE, photos

import monitor

CROWD = "clothing_crowd"
ALPHA = 1 / 365


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="keep the vectors in this folder")
    parser.add_argument("--draws", type=int, default=40)
    arguments = parser.parse_args()
    frame = photos(arguments.vectors)
    rng = np.random.default_rng(0)
    sizes = (20, 50, 100)
    domains = [d for d in sorted(frame["domain"].unique()) if d not in (CROWD, "grocery_iconic")]
    flagged = {domain: dict.fromkeys(sizes, 0) for domain in [CROWD, *domains]}
    whole_half = 0
    for seed in range(arguments.draws):
        crowd = frame[frame["domain"] == CROWD].sample(frac=1, random_state=seed)
        feature = monitor.ImageEmbedding.from_dict(FEATURE.to_dict() | {"random_state": seed})
        baseline = monitor.fit_baseline(crowd.iloc[: len(crowd) // 2], feature)
        others = {CROWD: crowd.iloc[len(crowd) // 2 :]}
        others |= {domain: frame[frame["domain"] == domain] for domain in domains}
        whole_half += monitor.detect_drift(others[CROWD], baseline, alpha=ALPHA).has_drift
        for domain, rows in others.items():
            for n in sizes:
                draw = rows.iloc[rng.choice(len(rows), n, replace=False)]
                report = monitor.detect_drift(draw, baseline, alpha=ALPHA, minimum_rows=20)
                flagged[domain][n] += report.has_drift
    print(f"share of {arguments.draws} draws flagged, each against another half of {CROWD}")
    print(f"{'contributor':>22}  " + "  ".join(f"{n:>4} rows" for n in sizes))
    for domain, found in flagged.items():
        name = "the other half" if domain == CROWD else domain
        print(f"{name:>22}  " + "  ".join(f"{found[n] / arguments.draws:>9.0%}" for n in sizes))
    print(f"the whole other half (1,000 rows): {whole_half / arguments.draws:.0%}")


if __name__ == "__main__":
    main()
