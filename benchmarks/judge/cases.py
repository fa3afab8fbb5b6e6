"""Deployments ─► files that every judge reads: one baseline, and windows with and without a shift.

A setting is a family of data with a baseline size and a window size. A deployment is one draw of it: its own
baseline and windows, seeded by its number, so that any of them can be made again on its own. All judges,
ours too, read the same files.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from judge import pools
from judge.image_sets import clothes
from judge.shifts import GEOMETRIES, NOISES, VECTOR_SHIFTS, World, mixed

N_CLUSTERS = 20
QUIET = "quiet"
CONTAMINATIONS = (0.05, 0.1, 0.2, 0.5)
SHARES = (0.1, 0.5, 1.0)
"""Shares of the rows that are changed, as in Rabanser et al. (2019)."""
N_CHANGED = 400
N_COMMON = 6
KNOCKED_OUT = "t-shirt"
"""The most frequent label of the photos stands for the paper's class 0."""

Windows = Iterator[tuple[str, NDArray[np.float32]]]


@dataclass(frozen=True)
class Setting:
    """One block of columns of the table.

    Parameters
    ----------
    family
        `"vectors"`, `"small images"`, `"photos"`, `"changed photos"` or `"lasting"`.
    n_baseline, n_window
        Rows.
    n_quiet
        Windows without a shift, per deployment.
    n_shifted
        Windows of each kind of shift, per deployment.
    """

    family: str
    n_baseline: int
    n_window: int
    n_quiet: int = 8
    n_shifted: int = 1

    @property
    def name(self) -> str:
        """What its files and results are called."""
        return f"{self.family.replace(' ', '-')}-{self.n_baseline}-{self.n_window}"


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("vectors", 2000, 200, n_shifted=4),
        Setting("small images", 2000, 200),
        Setting("photos", 1000, 200),
        Setting("changed photos", 1000, 200, n_shifted=2),
        Setting("vectors", 2000, 50, n_shifted=4),
        Setting("vectors", 2000, 1000, n_shifted=4),
    )
}


def write_case(setting: Setting, deployment: int, folder: Path, cache: Path) -> Path:
    """The file of a deployment, made if it is not there.

    It holds `baseline` (N, width), `windows` (W, n, width), `kinds` (W,), the cluster labels of both,
    `baseline_labels` (N,) and `window_labels` (W, n), and `n_clusters`. Kinds read `"column|detail"`.
    """
    from monitor.clusters import Clustering, fit

    path = folder / setting.name / f"{deployment:03d}.npz"
    if path.is_file():
        return path
    rng = np.random.default_rng([zlib.crc32(setting.name.encode()), deployment])
    baseline, drawn = _FAMILIES[setting.family](setting, rng, cache)
    kinds, windows = zip(*drawn, strict=True)
    fitted = fit(baseline, {"name": "vector"}, Clustering(N_CLUSTERS, random_state=deployment))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        baseline=baseline,
        windows=np.stack(windows),
        kinds=np.array(kinds),
        baseline_labels=fitted.assign(baseline)[1],
        window_labels=np.stack([fitted.assign(window)[1] for window in windows]),
        n_clusters=N_CLUSTERS,
    )
    part.replace(path)
    return path


def _vectors(
    setting: Setting, rng: np.random.Generator, _: Path
) -> tuple[NDArray[np.float32], Windows]:
    return _from_world(setting, rng, dict.fromkeys(VECTOR_SHIFTS))


def _lasting(
    setting: Setting, rng: np.random.Generator, _: Path
) -> tuple[NDArray[np.float32], Windows]:
    return _from_world(setting, rng, {"new cluster": 0.02, "re-weighted": 0.02})


def _from_world(
    setting: Setting, rng: np.random.Generator, shifts: Mapping[str, float | None]
) -> tuple[NDArray[np.float32], Windows]:
    """A baseline and windows of one world; `shifts` maps each to its size, None for the usual one."""
    world = World.draw(rng)
    n = setting.n_window

    def windows() -> Windows:
        for _ in range(setting.n_quiet):
            yield QUIET, world.rows(n, rng)
        for shift, size in shifts.items():
            for _ in range(setting.n_shifted):
                yield shift, world.rows(n, rng, shift, size)

    return world.rows(setting.n_baseline, rng), windows()


def _small_images(
    setting: Setting, rng: np.random.Generator, cache: Path
) -> tuple[NDArray[np.float32], Windows]:
    sets = pools.small_images(cache)
    order = rng.permutation(len(sets["as is"]))
    rest, n = order[setting.n_baseline :], setting.n_window

    def window(changed: str, share: float) -> NDArray[np.float32]:
        rows = rng.choice(rest, n, replace=False)
        result = sets["as is"][rows]
        # A changed row is the same picture, changed.
        which = rng.choice(n, round(share * n), replace=False)
        result[which] = sets[changed][rows[which]]
        return result

    def windows() -> Windows:
        for _ in range(setting.n_quiet):
            yield QUIET, window("as is", 0)
        for _ in range(setting.n_shifted):
            for changed in ("blurred", "darkened"):
                for share in (0.05, 0.2, 1.0):
                    yield f"{changed} {share:.0%}|", window(changed, share)
            for group, sizes in (("noise", NOISES), ("geometry", GEOMETRIES)):
                for size in sizes:
                    for share in SHARES:
                        yield f"{group}|{size}, {share:.0%}", window(f"{group} {size}", share)

    return sets["as is"][order[: setting.n_baseline]], windows()


def _photos(
    setting: Setting, rng: np.random.Generator, cache: Path
) -> tuple[NDArray[np.float32], Windows]:
    photos, moved = pools.photos(cache), pools.moved_photos(cache)
    order = rng.permutation(len(photos.crowd))
    rest, n = order[setting.n_baseline :], setting.n_window
    is_knocked = photos.labels == KNOCKED_OUT

    def draw(rows: NDArray[np.int64] = rest) -> NDArray[np.int64]:
        return rng.choice(rows, n, replace=len(rows) < n)

    def knocked_out(share: float) -> NDArray[np.int64]:
        gone = rest[is_knocked[rest]]
        gone = rng.choice(gone, round(share * len(gone)), replace=False)
        return draw(np.setdiff1d(rest, gone))

    def changed(rows: NDArray[np.int64], share: float) -> NDArray[np.float32]:
        result = photos.crowd[rows]
        which = rng.choice(n, round(share * n), replace=False)
        result[which] = moved[rows[which]]
        return result

    def windows() -> Windows:
        for _ in range(setting.n_quiet):
            yield QUIET, photos.crowd[draw()]
        for _ in range(setting.n_shifted):
            for share in CONTAMINATIONS:
                for name, others in photos.others.items():
                    rows = mixed(photos.crowd[draw()], others, share, rng)
                    yield f"contributor {share:.0%}|{name}", rows
            for share in SHARES:
                yield f"knock-out|{share:.0%}", photos.crowd[knocked_out(share)]
                yield (
                    f"mixtures|knock-out {share:.0%}, geometry 50%",
                    changed(knocked_out(share), 0.5),
                )
                only = draw(rest[is_knocked[rest]])
                yield f"mixtures|one class only, geometry {share:.0%}", changed(only, share)

    return photos.crowd[order[: setting.n_baseline]], windows()


def _changed_photos(
    setting: Setting, rng: np.random.Generator, cache: Path
) -> tuple[NDArray[np.float32], Windows]:
    """A fifth of the rows changed in a way that `judge.causes` knows, or one label more or less frequent."""
    images = clothes(N_CHANGED, cache)
    vectors = np.stack(images.frame["vector"].iloc[images.pool].to_list()).astype(np.float32)
    labels = images.frame["label"].to_numpy(dtype=np.str_)[images.pool]
    changed = {
        name: np.stack(frame["vector"].to_list()).astype(np.float32)
        for name, frame in images.changed.items()
    }
    order, n = rng.permutation(len(vectors)), setting.n_window
    rest = order[setting.n_baseline :]
    common = list(dict(Counter(labels.tolist()).most_common(N_COMMON)))

    def draw(weights: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        shares = None if weights is None else weights / weights.sum()
        return vectors[rng.choice(rest, n, replace=False, p=shares)]

    def windows() -> Windows:
        for _ in range(setting.n_quiet):
            yield QUIET, draw()
        for _ in range(setting.n_shifted):
            for name, rows in changed.items():
                yield f"{name} 20%|", mixed(draw(), rows, 0.2, rng)
            is_label = labels[rest] == rng.choice(common)
            yield "class doubled|", draw(np.where(is_label, 2.0, 1.0))
            yield "class gone|", draw(np.where(is_label, 0.0, 1.0))

    return vectors[order[: setting.n_baseline]], windows()


_FAMILIES = {
    "changed photos": _changed_photos,
    "vectors": _vectors,
    "small images": _small_images,
    "photos": _photos,
    "lasting": _lasting,
}
