"""How raw vectors come into the space where distances are measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.kmeans import unit_rows
from monitor.codec import Shape

UNIT: Final = "unit"
STANDARD: Final = "standard"
RAW: Final = "raw"


def _nothing() -> NDArray[np.float64]:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Scaling:
    """How a raw vector is brought into the space where distances are measured.

    Parameters
    ----------
    kind
        `"unit"`: to length 1, for embeddings. `"standard"`: to mean 0 and standard deviation 1 per
        column, as found in the baseline, for columns of different units. `"raw"`: not at all.
    center, scale
        (width,) float64; empty but for `"standard"`.
    """

    kind: Literal["unit", "standard", "raw"] = UNIT
    center: Annotated[NDArray[np.float64], Shape("_columns")] = field(default_factory=_nothing)
    scale: Annotated[NDArray[np.float64], Shape("_columns")] = field(default_factory=_nothing)

    @classmethod
    def standard(cls, vectors: NDArray[np.float64]) -> Scaling:
        """Mean and standard deviation of the columns of `vectors`; a constant column is only centred."""
        center, deviation = vectors.mean(axis=0), vectors.std(axis=0)
        # A deviation in the last digits of the numbers is rounding, not variation.
        is_constant = deviation <= 1e-9 * np.abs(vectors).max(axis=0)
        return cls(STANDARD, center, np.where(is_constant, 1.0, deviation))

    def apply(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """`vectors`, (n, width), in the space of the clusters."""
        if self.kind == UNIT:
            return unit_rows(vectors)
        if self.kind == RAW:
            return np.ascontiguousarray(vectors, dtype=np.float32)
        scaled = (np.asarray(vectors, dtype=np.float64) - self.center) / self.scale
        return np.ascontiguousarray(scaled, dtype=np.float32)

    def undo(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw vectors, (n, width), from scaled ones; their lengths are lost where it is `"unit"`."""
        if self.kind != STANDARD:
            return scaled
        return np.asarray(scaled * self.scale + self.center, dtype=np.float32)
