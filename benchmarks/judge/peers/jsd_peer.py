"""The rule many dashboards use: Jensen–Shannon distance (base 2) of cluster shares above 0.1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from adapter import Case, Found, main
from scipy.spatial.distance import jensenshannon

THRESHOLD = 0.1


def jsd(case: Case) -> Iterator[Found]:
    base = np.bincount(case.baseline_labels, minlength=case.n_clusters)
    for labels in case.window_labels:
        seen = np.bincount(labels, minlength=case.n_clusters)
        score = float(jensenshannon(base, seen, base=2))
        yield Found(score, alarm=score > THRESHOLD)


if __name__ == "__main__":
    main({"jsd-fixed": jsd}, ("numpy", "scipy"))
