"""Our own judge, read and written as the others are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from adapter import Case, Found, main

sys.path.append(str(Path(__file__).parents[2]))

from judge.ours import fitted, p_value


def ours(case: Case) -> Iterator[Found]:
    baseline = fitted(case.baseline)
    for window in case.windows:
        found = p_value(baseline, window)
        # Higher means more drift, and the smallest p-values stay apart.
        yield Found(-np.log(max(found, np.finfo(float).tiny)), found, found <= 0.05)


if __name__ == "__main__":
    main({"ours": ours}, ("embedding-monitor", "numpy", "scikit-learn"))
