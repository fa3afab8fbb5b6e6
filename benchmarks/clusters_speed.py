"""k-means and assignment beside faiss: seconds of one thread, inertia, memory.

    python benchmarks/clusters_speed.py [--rows 1000000] [--width 512] [--clusters 50]

Rows are unit vectors around unequal, overlapping centres. Assignment, monitor's and that of faiss's
`IndexFlatL2`, is of all rows, in turns, three times. The fit is monitor's (on the first 20,000 rows, as
always), faiss's own default (on 256 rows a cluster) and faiss's on the same 20,000; the inertia is that of
all rows. Both use one thread. Needs faiss-cpu; without it only monitor's figures are printed.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.kmeans import MAX_FIT_ROWS, assign, fit_centroids

Rows = NDArray[np.float32]


def made_rows(n: int, width: int, n_clusters: int) -> Rows:
    """(n, width) unit rows, made in place so that the peak of memory is the work's."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(n_clusters, width)).astype(np.float32)
    shares = rng.dirichlet(np.full(n_clusters, 2.0))
    rows = np.empty((n, width), dtype=np.float32)
    for first in range(0, n, 10_000):
        block = rows[first : first + 10_000]
        rng.standard_normal(out=block, dtype=np.float32)
        block += centres[rng.choice(n_clusters, len(block), p=shares)]
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def timed(work: Callable[[], object]) -> float:
    """Processor seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peak() -> float:
    """The most memory that the process has had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def inertia(rows: Rows, centroids: Rows) -> float:
    """The sum of squared distances to the nearest centroid, of all rows."""
    return float(np.square(assign(rows, centroids)[1], dtype=np.float64).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--clusters", type=int, default=50)
    options = parser.parse_args()
    rows = made_rows(options.rows, options.width, options.clusters)
    before = peak()
    centroids = fit_centroids(rows, options.clusters, random_state=0)
    assign(rows, centroids)
    size = rows.nbytes / 2**30
    print(
        f"{options.rows:,} rows of width {options.width}, {options.clusters} clusters, one thread"
    )
    print(f"memory: rows {size:.2f} GiB, before the work {before:.2f}, peak {peak():.2f}\n")

    fits = {"monitor": lambda: fit_centroids(rows, options.clusters, random_state=0)}
    assigns: dict[str, Callable[[], object]] = {"monitor": lambda: assign(rows, centroids)}
    try:
        import faiss
    except ImportError:
        print("faiss is not installed (pip install faiss-cpu): monitor's figures only")
    else:
        faiss.omp_set_num_threads(1)
        index = faiss.IndexFlatL2(options.width)
        index.add(centroids)
        assigns["faiss"] = lambda: index.search(rows, 1)

        def of_faiss(n_a_cluster: int, n_redo: int) -> Rows:
            kmeans = faiss.Kmeans(
                options.width,
                options.clusters,
                niter=25,
                nredo=n_redo,
                seed=1,
                max_points_per_centroid=n_a_cluster,
            )
            kmeans.train(rows[:MAX_FIT_ROWS] if n_a_cluster > 256 else rows)
            return np.asarray(kmeans.centroids)

        fits["faiss, its default"] = lambda: of_faiss(256, 1)
        fits["faiss, the same rows, 10 starts"] = lambda: of_faiss(MAX_FIT_ROWS, 10)
        agree = float((assign(rows, centroids)[0] == index.search(rows, 1)[1][:, 0]).mean())
        print(f"assignments that agree: {agree:.6f}\n")

    seconds: dict[str, list[float]] = {name: [] for name in assigns}
    for _ in range(3):
        for name, work in assigns.items():
            seconds[name].append(timed(work))
    least = {name: statistics.median(times) for name, times in seconds.items()}
    print("| assignment | processor seconds | of faiss's |\n|---|---:|---:|")
    for name, time_taken in least.items():
        print(f"| {name} | {time_taken:.2f} | {time_taken / least.get('faiss', time_taken):.2f} |")
    print("\n| fit | processor seconds | inertia of all rows, of monitor's |\n|---|---:|---:|")
    own = inertia(rows, centroids)
    for name, fit in fits.items():
        made: list[Rows] = []
        taken = timed(lambda fit=fit, made=made: made.append(fit()))
        print(f"| {name} | {taken:.2f} | {inertia(rows, made[0]) / own:.4f} |")


if __name__ == "__main__":
    main()
