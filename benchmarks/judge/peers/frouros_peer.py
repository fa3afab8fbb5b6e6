"""Frouros: MMD, by its distance.

Its own p-value comes from a permutation test that computes the baseline's kernel anew for each
permutation: minutes a window at a baseline of 2,000, so that no rule of its own is measured.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter import Case, Found, main
from frouros.detectors.data_drift import MMD


def mmd(case: Case) -> Iterator[Found]:
    detector = MMD()
    detector.fit(X=case.baseline)
    for window in case.windows:
        found, _ = detector.compare(X=window)
        yield Found(found.distance)


if __name__ == "__main__":
    main({"frouros-mmd": mmd}, ("frouros", "numpy"))
