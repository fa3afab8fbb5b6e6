"""The shifts: fake embeddings that move in known ways, and images changed as in the literature.

Pure functions of their arguments and of a random generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 512
N_CLUSTERS = 20
VECTOR_SHIFTS = ("new cluster", "re-weighted", "translation", "spread")

_COMMON, _BETWEEN, _WITHIN = 0.60, 0.15, 0.25
"""Shares of a vector's squared length: what all have in common (and so the mean pairwise cosine, as CLIP's
vectors have it), what its cluster adds, and what is its own."""


@dataclass(frozen=True, eq=False)
class World:
    """Where fake embeddings come from: unequal clusters in a cone, with a falling spectrum.

    Parameters
    ----------
    centres
        (N_CLUSTERS, WIDTH).
    shares
        (N_CLUSTERS,), sum 1.
    fresh
        (WIDTH,): the centre of a cluster that the baseline does not know.
    grown
        The cluster that grows under `"re-weighted"`.
    direction
        (WIDTH,), length 1: where `"translation"` moves to.
    noise
        (WIDTH, WIDTH): turns standard normal rows into what is a vector's own.
    """

    centres: NDArray[np.float64]
    shares: NDArray[np.float64]
    fresh: NDArray[np.float64]
    grown: int
    direction: NDArray[np.float64]
    noise: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> World:
        """A world of its own: no figure should hang on one geometry."""
        # Random axes, so that tests of single coordinates get no help from ours.
        axes = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0]
        spectrum = 1 / np.arange(1, WIDTH + 1)
        scale = np.sqrt(spectrum / spectrum.sum())[:, None] * axes
        common = _unit(rng.normal(size=WIDTH))
        offsets = rng.normal(size=(N_CLUSTERS + 1, WIDTH)) @ scale
        centres = np.sqrt(_COMMON) * common + np.sqrt(_BETWEEN) * offsets
        shares = rng.dirichlet(np.full(N_CLUSTERS, 2.0))
        return cls(
            centres=centres[:-1],
            shares=shares,
            fresh=centres[-1],
            grown=int(rng.integers(N_CLUSTERS)),
            direction=_unit(rng.normal(size=WIDTH)),
            noise=np.sqrt(_WITHIN) * scale,
        )

    def rows(
        self, n: int, rng: np.random.Generator, shift: str | None = None, size: float | None = None
    ) -> NDArray[np.float32]:
        """`n` vectors of length 1, (n, WIDTH).

        Parameters
        ----------
        n
            How many.
        rng
            Source of randomness.
        shift
            None for rows like the baseline's, or one of `VECTOR_SHIFTS`.
        size
            The share of rows from the new or grown cluster (0.05), the length of the translation (0.05) or
            the factor on what is a vector's own (1.3).
        """
        if shift is not None and shift not in VECTOR_SHIFTS:
            raise ValueError(f"shift={shift!r} is unknown; give None or one of {VECTOR_SHIFTS}")
        which = rng.choice(N_CLUSTERS, size=n, p=self.shares)
        centres = self.centres[which]
        own = rng.normal(size=(n, WIDTH)) @ self.noise
        if shift in ("new cluster", "re-weighted"):
            moved = rng.random(n) < (0.05 if size is None else size)
            centres[moved] = self.fresh if shift == "new cluster" else self.centres[self.grown]
        elif shift == "spread":
            own *= 1.3 if size is None else size
        rows = _unit(centres + own)
        if shift == "translation":
            rows = _unit(rows + (0.05 if size is None else size) * self.direction)
        return rows.astype(np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


@dataclass(frozen=True)
class Geometry:
    """How far an image may be turned, moved and zoomed; each is drawn evenly up to the bound.

    Parameters
    ----------
    degrees
        Of rotation, to either side.
    move
        Of each side's length.
    zoom
        Per axis, 0.2 for 0.8 to 1.2 times.
    flip_across, flip_down
        Whether half of the images are mirrored.
    """

    degrees: float
    move: float
    zoom: float
    flip_across: bool = False
    flip_down: bool = False


NOISES = {"small": 1.0, "medium": 10.0, "large": 100.0}
"""Standard deviations of Rabanser et al. (2019), in grey levels of 0 to 255."""
GEOMETRIES = {
    "small": Geometry(10, 0.05, 0.1),
    "medium": Geometry(40, 0.2, 0.2, flip_across=True),
    "large": Geometry(90, 0.4, 0.4, flip_across=True, flip_down=True),
}
"""The same paper's image shifts, without its shear, which is at most 0.3 degrees."""


def noisy(image: NDArray[np.uint8], sigma: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """`image` with Gaussian noise of `sigma` grey levels on each value."""
    changed = image + rng.normal(scale=sigma, size=image.shape)
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def moved(
    image: NDArray[np.uint8], geometry: Geometry, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """`image`, (height, width, 3), turned, moved and zoomed at random; its edge fills what is left bare."""
    from scipy.ndimage import affine_transform

    angle = np.deg2rad(rng.uniform(-geometry.degrees, geometry.degrees))
    zoom = rng.uniform(1 - geometry.zoom, 1 + geometry.zoom, size=2)
    shift = rng.uniform(-geometry.move, geometry.move, size=2) * image.shape[:2]
    mirror = np.where(
        [geometry.flip_down and rng.random() < 0.5, geometry.flip_across and rng.random() < 0.5],
        -1.0,
        1.0,
    )
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn * zoom * mirror
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle - matrix @ (middle + shift)
    channels = [
        affine_transform(image[..., c], matrix, offset, order=1, mode="nearest")
        for c in range(image.shape[2])
    ]
    return np.stack(channels, axis=-1)


def mixed(
    rows: NDArray[np.float32],
    others: NDArray[np.float32],
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """`rows` with a share of them, rounded, replaced by as many of `others`, drawn without replacement."""
    n_others = round(share * len(rows))
    if n_others > len(others):
        raise ValueError(
            f"{n_others} rows are to be replaced, but there are only {len(others)} others"
        )
    result = rows.copy()
    taken = rng.choice(len(others), n_others, replace=False)
    result[rng.choice(len(rows), n_others, replace=False)] = others[taken]
    return result
