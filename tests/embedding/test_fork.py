"""In a process forked after the parent has embedded and fitted, both work too (gunicorn, Celery fork)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE

SCRIPT = """
import multiprocessing
import numpy as np, pandas as pd
import monitor

rng = np.random.default_rng(0)
cells = list(rng.integers(0, 255, (16, 64, 64, 3), dtype=np.uint8))
images = pd.DataFrame({"image": pd.Series(cells, dtype=object), "text": ["a cat"] * 16})
described = monitor.ImageSpace({"blob": "image", "description": "text"}, model="compact")
points = monitor.VectorFeature(name="points", column="v", n_clusters=3)
rows = pd.DataFrame({"v": list(rng.normal(size=(2000, 16)).astype(np.float32))})

def embed(space):
    photos = monitor.ImageEmbedding(
        name="photos", source_column="image", column="vector", space=space
    )
    return np.stack(monitor.embed(images, photos)["vector"].to_list())

def fit(_):
    return monitor.fit_baseline(rows, points)

if __name__ == "__main__":
    for work, what in ((fit, None), (embed, described)):
        here = work(what)
        pool = multiprocessing.get_context("fork").Pool(1)
        there = pool.map(work, [what])[0]
        pool.terminate()
        if work is fit:
            assert here.id == there.id, "another number of threads gives another baseline"
        else:
            np.testing.assert_allclose(here, there, atol=1e-5)
    print("the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no threads to lose")
@pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)
def test_a_forked_child_works(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(SCRIPT)
    # Without threads of OpenMP's in the parent nothing could go wrong; they need not spin. The time
    # bounds a hang.
    result = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        env=os.environ | {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.stdout.strip() == "the same", result.stderr
