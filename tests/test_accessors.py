"""The verbs as methods of pandas and polars frames."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import monitor

POINTS = monitor.VectorFeature(name="points", column="vector", n_clusters=3)


def rows(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    times = pd.date_range("2026-03-01", periods=n, freq="10min", tz="UTC")
    return pd.DataFrame({"ts": times, "vector": list(rng.normal(size=(n, 8)) + shift)})


@pytest.mark.parametrize("kind", [lambda frame: frame, pl.from_pandas], ids=["pandas", "polars"])
def test_the_verbs_are_those_of_the_package(kind):
    calm, moved = kind(rows(400, 0)), kind(rows(200, 1, shift=1.0))
    baseline = calm.monitor.fit_baseline(POINTS, timestamp_column="ts")
    assert baseline.id == monitor.fit_baseline(calm, POINTS, timestamp_column="ts").id
    report = moved.monitor.drift(baseline, timestamp_column="ts", every="1d")
    same = monitor.detect_drift(moved, baseline, timestamp_column="ts", every="1d")
    pd.testing.assert_frame_equal(report.to_frame(), same.to_frame())
    with pytest.raises(monitor.errors.InvalidInputError, match="embed needs an ImageEmbedding"):
        calm.monitor.embed(POINTS)


@pytest.mark.parametrize(
    "code",
    [
        "import pandas as pd, monitor; pd.DataFrame.monitor; assert 'polars' not in sys.modules",
        "import monitor, pandas as pd; pd.DataFrame.monitor; assert 'polars' not in sys.modules",
        "from monitor import VectorFeature; import polars as pl; pl.DataFrame.monitor",
        "import polars as pl, monitor; pl.DataFrame.monitor; assert 'pandas' not in sys.modules",
        "import monitor; monitor.VectorFeature; assert not {'pandas', 'polars', 'torch'} & {*sys.modules}",
    ],
)
def test_they_are_there_in_any_order_of_imports(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; {code}"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
