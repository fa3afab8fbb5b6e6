"""False alarms on other streams, baselines and windows than `judge.streams` has: none was looked at before.

    cd benchmarks
    python -m judge.more_streams run --work <folder>      # resumable
    python -m judge.more_streams table --work <folder>    # fills docs/benchmarks.md

Of each stream the windows come in random order, the first are the baseline, and 40 others are judged. Beside
the kinds of `judge.streams`: days whose labels have shares with a lognormal factor each, and days on which
all vectors move together along the first ten axes of the photos, by amounts with tails of Student's t with 4
degrees of freedom, as light or a lens does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from datasets import data_folder
from numpy.typing import NDArray

from judge import pools
from judge.document import run_or_fill
from judge.streams import (
    ALPHAS,
    Mix,
    Windows,
    bursts,
    camera,
    faulty,
    fitted,
    mixed_labels,
    p_value,
    rate,
    varied,
    with_groceries,
)

N_JUDGED = 40
Make = Callable[[int, np.random.Generator], Windows]
"""How many windows, and by which numbers ─► at least so many, or all that there are."""


def lognormal(rng: np.random.Generator) -> Mix:
    """Labels have their usual shares times a factor each."""

    def mix(shares: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = shares * np.exp(rng.normal(size=len(shares)) * 0.4)
        return np.asarray(drawn / drawn.sum())

    return mix


def moved_days(
    photos: pools.Photos, n_rows: int, n_windows: int, rng: np.random.Generator
) -> Windows:
    """Days on which all vectors move together, by a tenth of a photo's own spread."""
    crowd = photos.crowd
    axes = np.linalg.svd(crowd[:2_000] - crowd.mean(axis=0), full_matrices=False)[2][:10]
    spread = (crowd @ axes.T).std(axis=0)
    windows: list[NDArray[np.float32]] = []
    for _ in range(n_windows):
        rows = crowd[rng.choice(len(crowd), n_rows, replace=False)]
        windows.append((rows + rng.standard_t(4, size=10) * 0.1 * spread @ axes).astype(np.float32))
    return windows


def streams(cache: Path) -> dict[tuple[str, int], Make]:
    """By name and number of the baseline's windows."""
    path = data_folder() / "streams" / "camera_vancouver.parquet"
    photos, small = pools.photos(cache), pools.small_images(cache)["as is"]
    made: dict[tuple[str, int], Make] = {}
    for days, n_baseline in ((2, 8), (2, 20), (2, 60), (3, 10), (3, 30), (10, 6), (10, 20)):
        made[f"camera, {days} days", n_baseline] = lambda _, __, d=days: camera(path, d)
    for hours, days, n_baseline in ((8, 3, 20), (4, 7, 30), (3, 10, 15)):
        made[f"camera, {hours} hours of {days} days", n_baseline] = lambda _, __, d=days, h=hours: (
            camera(path, d, h)
        )
    made["photos in bursts of 3, 60 rows", 20] = lambda _, rng: bursts(photos.crowd, 60, 3, rng)
    made["small images in bursts of 5, 100 rows", 30] = lambda _, rng: bursts(small, 100, 5, rng)
    for correlation, n_rows, n_baseline in (
        (0.01, 100, 14), (0.003, 1_000, 28), (0.1, 50, 21), (0.02, 300, 7),
    ):  # fmt: skip
        made[f"labels mixed, correlation {correlation}, {n_rows:,} rows", n_baseline] = (
            lambda n, rng, c=correlation, rows=n_rows: mixed_labels(
                photos, rows, n, varied(c, rng), rng
            )
        )
    for n_rows, n_baseline in ((100, 14), (500, 28)):
        made[f"small images, faulty ones, {n_rows} rows", n_baseline] = lambda n, rng, rows=n_rows: [
            faulty(rows, cache, rng) for _ in range(n)
        ]
    for n_rows, n_baseline in ((100, 28), (400, 60)):
        made[f"groceries among photos, {n_rows} rows", n_baseline] = lambda n, rng, rows=n_rows: [
            with_groceries(photos, rows, rng.gamma(1, 0.03), rng) for _ in range(n)
        ]
    for n_baseline in (14, 28):
        made["labels with lognormal factors, 200 rows", n_baseline] = lambda n, rng: mixed_labels(
            photos, 200, n, lognormal(rng), rng
        )
    for n_baseline in (14, 28):
        made["days that move, 100 rows", n_baseline] = lambda n, rng: moved_days(
            photos, 100, n, rng
        )
    return made


def _file(work: Path, name: str, n_baseline: int, seed: int) -> Path:
    return work / "more_streams" / f"{name}, {n_baseline}" / f"{seed:03d}.json"


def run(work: Path, deployments: int) -> None:
    """Judge the deployments that have no result yet."""
    made = streams(work / "cache")
    for seed in range(deployments):
        for (name, n_baseline), make in made.items():
            out = _file(work, name, n_baseline, seed)
            if out.exists():
                continue
            rng = np.random.default_rng([seed, n_baseline, *name.encode()])
            windows = make(n_baseline + N_JUDGED, rng)
            windows = [windows[at] for at in rng.permutation(len(windows))]
            baseline = fitted(windows[:n_baseline], seed)
            fresh = windows[n_baseline : n_baseline + N_JUDGED]
            quiet = [p_value(rows, baseline, at) for at, rows in enumerate(fresh)]
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(quiet))
            print(name, n_baseline, seed, flush=True)


def table(work: Path) -> str:
    """The Markdown."""
    lines = [
        "| other streams | baseline windows | windows | p ≤ 0.05, % | p ≤ 0.01 | p ≤ 1/730 |",
        "|---|" + "---:|" * 5,
    ]
    for name, n_baseline in streams(work / "cache"):
        files = sorted(_file(work, name, n_baseline, 0).parent.glob("*.json"))
        quiet = [json.loads(file.read_text()) for file in files]
        cells = [str(n_baseline), str(sum(map(len, quiet))), *(rate(quiet, a) for a in ALPHAS)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the deployments, or write the table."""
    run_or_fill(__doc__, "more-streams", run, table, ("deployments", 12))


if __name__ == "__main__":
    main()
