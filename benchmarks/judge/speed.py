"""A million assigned rows: how long until the verdict, and does it matter in which pieces they came?

python -m judge.speed --rows 1000000 --width 256
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Clustering, WindowSketch, fit
from monitor.drift import Rules, judge


def main() -> None:
    """Judge one large window whole and in a thousand pieces, and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=256)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, options.width)).astype(np.float32)

    def rows(n: int) -> NDArray[np.float32]:
        noise = rng.normal(size=(n, options.width)).astype(np.float32)
        return np.asarray(centres[rng.integers(20, size=n)] + noise)

    baseline = fit(rows(20_000), {"name": "rows"}, Clustering(20))
    scaled, labels, distances = baseline.assign(rows(options.rows))
    rules = Rules(1 / 365)
    judge(
        baseline.sketch_assigned(scaled[:500], labels[:500], distances[:500], {}),
        baseline,
        rules=rules,
    )

    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = baseline.sketch_assigned(scaled, labels, distances, {})
    sketched = time.perf_counter()
    verdict = judge(whole, baseline, rules=rules)
    ended = time.perf_counter()
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    merged: WindowSketch | None = None
    for part in np.array_split(np.arange(options.rows), 1_000):
        piece = baseline.sketch_assigned(scaled[part], labels[part], distances[part], {})
        merged = piece if merged is None else merged + piece
    assert merged is not None
    again = judge(merged, baseline, rules=rules)
    is_same = (verdict.tests, verdict.scores) == (
        again.tests, again.scores,
    )  # fmt: skip
    print(f"{options.rows:,} assigned rows of width {options.width}")
    print(f"sketched in {sketched - began:.2f} s, judged in {ended - sketched:.2f} s")
    print(f"memory beyond the rows: {more:.0f} MiB")
    print(f"merged from 1,000 pieces: {'the same to the bit' if is_same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
