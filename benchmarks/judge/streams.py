"""False alarms on real streams, and the power that knowing the windows costs.

    cd benchmarks
    python -m judge.streams run --work <folder>      # resumable
    python -m judge.streams table --work <folder>    # fills docs/benchmarks.md

*Null streams*: the windows of a stream in random order, so that nothing drifts; the first are the baseline.
Photos are the crowd's of `pools.photos`, small images those of `pools.small_images`: bursts are groups of
alike pictures as a shop's new products are; on some days a few images are faulty, or groceries;
things have a photo each, the same mirrored, and cropped, all in one window; days of mixed labels draw their
shares from a Dirichlet distribution. The camera's vectors are those of the table
`streams/camera_vancouver.parquet`.

*Power*: the same windows, some rows swapped for other contributors' photos, against one baseline with times
and the same without.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import data_folder
from numpy.typing import NDArray

from judge import pools
from judge.cases import N_CHANGED
from judge.document import run_or_fill
from judge.image_sets import clothes
from monitor.clusters import Baseline, Clustering, RowMetadata, RowWindows, fit
from monitor.drift import Comparison
from monitor.drift.battery import examine
from monitor.drift.significance import combine

ALPHAS = (0.05, 0.01, 1 / 730)
N_CLUSTERS = 20
LEAST_ROWS = 20
SHIFTS = {"kids": (0.2, 0.3), "sender204": (0.2,), "grocery_store": (0.05, 0.1)}

Windows = list[NDArray[np.float32]]
Mix = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Setting:
    """A stream, cut into windows, of which the first `n_baseline` are the baseline."""

    stream: str
    n_baseline: int
    n_rows: int
    n_windows: int = 40
    baseline_rows: int | None = None  # of a baseline's window, where that has another size

    @property
    def name(self) -> str:
        """What its results are called."""
        rows = self.n_rows if self.baseline_rows is None else self.baseline_rows
        return (
            f"{self.stream}, {self.n_baseline} baseline windows of {rows}, windows of {self.n_rows}"
        )


NULL = (
    Setting("camera, 5 days", 12, 80),
    Setting("camera, 6 hours of 5 days", 24, 30),
    Setting("bursts of 6 photos", 12, 80, 12),
    Setting("labels mixed, correlation 0.003", 28, 300),
    Setting("labels mixed, correlation 0.03", 10, 200),
    Setting("independent photos", 28, 70),
    Setting("small images in bursts of 25", 20, 100, 27),
    Setting("small images, faulty ones each day", 14, 200),
    Setting("small images, faulty ones each day", 28, 200),
    Setting("groceries among photos each day", 14, 200),
    Setting("groceries among photos each day", 28, 200),
    Setting("groceries on one day in ten", 28, 200),
    Setting("things in 3 photos each", 13, 60, 7),
    Setting("things in 3 photos each, without times", 13, 60, 7),
)
POWER = (
    Setting("power", 28, 70, baseline_rows=60),
    Setting("power", 28, 200, baseline_rows=36),
    Setting("power", 10, 200, baseline_rows=100),
)


def camera(path: Path, days: int, hours: int | None = None) -> Windows:
    """Windows of whole days, or of some hours of so many days."""
    frame = pd.read_parquet(path)
    times = frame["taken_at"].dt.tz_localize(None)
    vectors = np.stack(frame["image_embedding"].to_list()).astype(np.float32)
    key = times.to_numpy().astype("datetime64[D]").astype(np.int64) // days
    if hours is not None:
        key = key * 10 + (times.dt.hour.to_numpy() - 6) // hours
    windows = [vectors[key == value] for value in np.unique(key)]
    return [rows for rows in windows if len(rows) >= LEAST_ROWS]


def bursts(
    vectors: NDArray[np.float32], n_rows: int, size: int, rng: np.random.Generator
) -> Windows:
    """Windows of groups of alike rows; each row is used once."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    left = np.arange(len(vectors))
    windows = []
    while len(left) >= 4 * n_rows:
        chosen: list[int] = []
        while len(chosen) < n_rows:
            near = left[np.argsort(-(unit[left] @ unit[rng.choice(left)]))[: 4 * size]]
            group = rng.permutation(near)[:size]
            chosen += group.tolist()
            left = np.setdiff1d(left, group)
        windows.append(vectors[chosen])
    return windows


def things(cache: Path, n_rows: int, rng: np.random.Generator) -> Windows:
    """Windows of things of which each has a photo, the same mirrored, and cropped: never in two windows."""
    images = clothes(N_CHANGED, cache)
    frames = [images.originals, *(images.changed[change] for change in ("mirrored", "cropped"))]
    photos = [np.stack(frame["vector"].to_list()).astype(np.float32) for frame in frames]
    each = n_rows // len(photos)
    order = rng.permutation(len(photos[0]))
    return [
        np.concatenate([of_kind[order[start : start + each]] for of_kind in photos])
        for start in range(0, len(order) - each + 1, each)
    ]


def mixed_labels(
    photos: pools.Photos,
    n_rows: int,
    n_windows: int,
    mix: Mix,
    rng: np.random.Generator,
) -> Windows:
    """Windows whose shares of labels are drawn anew for each: `mix` of those of all photos."""
    _, which, counts = np.unique(photos.labels, return_inverse=True, return_counts=True)
    rows_of = [np.flatnonzero(which == at) for at in range(len(counts))]
    windows = []
    for _ in range(n_windows):
        drawn = rng.multinomial(n_rows, mix(counts / counts.sum()))
        rows = [rng.choice(own, n) for own, n in zip(rows_of, drawn, strict=True)]
        windows.append(photos.crowd[np.concatenate(rows)])
    return windows


def varied(correlation: float, rng: np.random.Generator) -> Mix:
    """Shares as days have them whose rows are so alike: from a Dirichlet distribution."""
    return lambda shares: rng.dirichlet(shares * (1 / correlation - 1))


def faulty(n_rows: int, cache: Path, rng: np.random.Generator) -> NDArray[np.float32]:
    """A day of small images of which a share, Beta(1, 20), is blurred, darkened or noisy, all alike."""
    images = pools.small_images(cache)
    at = rng.choice(len(images["as is"]), n_rows, replace=False)
    n_faulty = rng.binomial(n_rows, rng.beta(1, 20))
    fault = ("blurred", "darkened", "noise medium")[rng.integers(3)]
    return np.concatenate([images[fault][at[:n_faulty]], images["as is"][at[n_faulty:]]])


def with_groceries(
    photos: pools.Photos, n_rows: int, share: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A day of photos of clothes with so many groceries among them."""
    groceries = photos.others["grocery_store"]
    n = min(rng.poisson(n_rows * share), n_rows)
    rows = rng.choice(len(photos.crowd), n_rows - n, replace=False)
    return np.concatenate([groceries[rng.choice(len(groceries), n)], photos.crowd[rows]])


def null_windows(setting: Setting, path: Path, cache: Path, rng: np.random.Generator) -> Windows:
    """The windows of a stream in random order."""
    needed = setting.n_baseline + setting.n_windows
    if setting.stream.startswith("camera"):
        windows = camera(path, 5, 6 if "hours" in setting.stream else None)
    else:
        photos = pools.photos(cache)
        kinds: dict[str, Callable[[], Windows]] = {
            "bursts": lambda: bursts(photos.crowd, setting.n_rows, 6, rng),
            "labels": lambda: mixed_labels(
                photos,
                setting.n_rows,
                needed,
                varied(float(setting.stream.rsplit(" ", 1)[1]), rng),
                rng,
            ),
            "small images in": lambda: bursts(
                pools.small_images(cache)["as is"], setting.n_rows, 25, rng
            ),
            "small images, faulty": lambda: [
                faulty(setting.n_rows, cache, rng) for _ in range(needed)
            ],
            "groceries among": lambda: [
                with_groceries(photos, setting.n_rows, rng.gamma(1, 0.03), rng)
                for _ in range(needed)
            ],
            "groceries on": lambda: [
                with_groceries(photos, setting.n_rows, 0.2 * (rng.uniform() < 0.1), rng)
                for _ in range(needed)
            ],
            "things": lambda: things(cache, setting.n_rows, rng),
            "independent": lambda: [
                photos.crowd[rng.choice(len(photos.crowd), setting.n_rows)] for _ in range(needed)
            ],
        }
        (windows,) = (make() for kind, make in kinds.items() if setting.stream.startswith(kind))
    return [windows[at] for at in rng.permutation(len(windows))[:needed]]


def fitted(windows: Windows, seed: int, *, is_dated: bool = True) -> Baseline:
    """A baseline of whole windows."""
    numbers = np.repeat(np.arange(len(windows)), [len(rows) for rows in windows])
    metadata = RowMetadata(windows=RowWindows("1d", numbers)) if is_dated else None
    return fit(
        np.concatenate(windows),
        {"name": "rows"},
        Clustering(N_CLUSTERS, random_state=seed),
        metadata,
    )


def p_value(rows: NDArray[np.float32], baseline: Baseline, seed: int) -> float:
    """Of all tests together."""
    return p_values(rows, baseline, seed)["all"]


def p_values(rows: NDArray[np.float32], baseline: Baseline, seed: int) -> dict[str, float]:
    """Of each test, and of `all` together."""
    rng = np.random.default_rng(seed)
    comparison = Comparison(baseline.sketch(rows, {}), baseline, baseline.statistics, rng)
    tests = examine(comparison, min(ALPHAS), says_detectable=False)
    return {test.name: test.p_value for test in tests} | {"all": combine(tests)}


def null_case(setting: Setting, seed: int, path: Path, cache: Path) -> dict[str, list[float]]:
    """p-values of windows without drift, of one deployment, by each test and by all together."""
    rng = np.random.default_rng([seed, setting.n_baseline, setting.n_rows])
    windows = null_windows(setting, path, cache, rng)
    is_dated = not setting.stream.endswith("without times")
    baseline = fitted(windows[: setting.n_baseline], seed, is_dated=is_dated)
    fresh = windows[setting.n_baseline :]
    quiet = [p_values(rows, baseline, at) for at, rows in enumerate(fresh)]
    return {name: [of_window[name] for of_window in quiet] for name in quiet[0]}


def power_case(setting: Setting, seed: int, cache: Path) -> dict[str, list[float]]:
    """p-values of windows with a shift, by the dated and the undated baseline of one deployment."""
    assert setting.baseline_rows is not None
    photos = pools.photos(cache)
    rng = np.random.default_rng([seed, setting.n_baseline, setting.n_rows])
    order = rng.permutation(len(photos.crowd))
    n = setting.n_baseline * setting.baseline_rows
    rest = photos.crowd[order[n:]]
    if len(rest) < setting.n_rows:
        raise ValueError(f"{len(rest)} photos are left for windows of {setting.n_rows}")
    parts = np.split(photos.crowd[order[:n]], setting.n_baseline)
    baselines = {
        "dated": fitted(parts, seed),
        "undated": fitted(parts, seed, is_dated=False),
    }
    result: dict[str, list[float]] = {}
    for name, others in photos.others.items():
        for share in SHIFTS.get(name.removeprefix("clothing_"), ()):
            for at in range(4):
                rows = rest[rng.choice(len(rest), setting.n_rows, replace=False)].copy()
                m = round(share * setting.n_rows)
                rows[:m] = others[rng.choice(len(others), m, replace=m > len(others))]
                for kind, baseline in baselines.items():
                    result.setdefault(kind, []).append(p_value(rows, baseline, at))
    return result


def run(work: Path, deployments: int) -> None:
    """Judge the deployments that have no result yet."""
    path = data_folder() / "streams" / "camera_vancouver.parquet"
    for seed in range(deployments):
        for setting in (*NULL, *POWER):
            out = work / "streams" / setting.name / f"{seed:03d}.json"
            if out.exists():
                continue
            is_power = setting.stream == "power"
            cache = work / "cache"
            result = (
                power_case(setting, seed, cache)
                if is_power
                else null_case(setting, seed, path, cache)
            )
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(result))
            print(setting.name, seed, flush=True)


def _results(work: Path, setting: Setting) -> list[dict[str, Any]]:
    files = sorted((work / "streams" / setting.name).glob("*.json"))
    return [json.loads(file.read_text()) for file in files]


def rate(by_deployment: list[list[float]], alpha: float) -> str:
    """The share of windows at or below alpha in percent, with its standard error over deployments."""
    rates = [100 * np.mean(np.array(p_values) <= alpha) for p_values in by_deployment]
    return f"{np.mean(rates):.2f} ± {np.std(rates, ddof=1) / np.sqrt(len(rates)):.2f}"


def tables(work: Path) -> str:
    """The Markdown."""
    lines = [
        "| windows in random order | deployments | windows | p ≤ 0.05, % | p ≤ 0.01 | p ≤ 1/730 |"
    ]
    lines.append("|---|" + "---:|" * 5)
    for setting in NULL:
        if len(results := _results(work, setting)) > 1:
            quiet = [result["all"] for result in results]
            cells = [str(len(quiet)), str(sum(map(len, quiet))), *(rate(quiet, a) for a in ALPHAS)]
            lines.append(f"| {setting.name} | " + " | ".join(cells) + " |")
    lines += ["", "| shifted windows found, % | baseline | p ≤ 0.05 | p ≤ 0.01 | p ≤ 1/730 |"]
    lines.append("|---|---|" + "---:|" * 3)
    for setting in POWER:
        if len(results := _results(work, setting)) > 1:
            for kind in ("undated", "dated"):
                cells = [rate([result[kind] for result in results], a) for a in ALPHAS]
                name = setting.name.removeprefix("power, ")
                lines.append(f"| {name} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the deployments, or write the tables."""
    run_or_fill(__doc__, "streams", run, tables, ("deployments", 20))


if __name__ == "__main__":
    main()
