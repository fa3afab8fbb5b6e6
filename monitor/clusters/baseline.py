"""The baseline: everything a production window is later judged against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.kmeans import assign, unit_rows
from monitor.clusters.quality_sketch import QualityReference
from monitor.clusters.sketch import WindowSketch, sketch_rows
from monitor.clusters.value_table import ValueTable
from monitor.errors import FingerprintMismatchError, InvalidInputError

UNIT: Final = "unit"
STANDARD: Final = "standard"
RAW: Final = "raw"


@dataclass(frozen=True)
class Example:
    """One row that stands for a cluster.

    Parameters
    ----------
    row
        The row's index label, as text.
    source
        The text of its source cell (a URL or a path), or None when the cell is no text.
    distance
        How far its vector is from the centroid, ≥ 0.
    timestamp
        ISO 8601, or None.
    """

    row: str
    source: str | None
    distance: float
    timestamp: str | None = None


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

    kind: str = UNIT
    center: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    scale: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

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


@dataclass(frozen=True, eq=False)
class Baseline:
    """What production is compared with: clusters, and statistics of rows as they fall into these.

    Plain numbers only. `save` and `load` use one safetensors file: nothing is ever unpickled.

    Parameters
    ----------
    feature
        The feature's own description, as `CustomFeature.to_dict` gives it, without centroids.
    fingerprint
        The encoder that made the vectors, or None when that is not known.
    centroids
        (n_clusters, width) float32.
    whitener
        (width, width) float32: coordinates of equal weight, V (λ + mean λ)^(−1/2), from the fit part.
    novelty_radius
        The 99 % quantile of the fit part's distances to the nearest centroid.
    distance_edges
        (N_DISTANCE_BINS − 1,) float64, rising: the inner edges of the bins of that distance.
    quantum
        The unit of a sketch's sums (see `WindowSketch`).
    statistics
        The rows in numbers.
    n_fit
        Rows that the centroids were fitted on.
    random_state
        Seed of the split and of k-means.
    scaling
        How raw vectors are brought into the clusters' space.
    most_repeated
        The largest share of rows that hold one and the same vector, in [0, 1].
    examples
        Per cluster, the rows nearest to its centroid.
    choice
        Why this number of clusters, when it was chosen from the data.
    time_range
        First and last timestamp, ISO 8601, when the rows had any.
    segment_column, segments
        A metadata column, and the statistics of each of its values.
    seasons
        For each day of the week, Thursday first as 1 January 1970 was, the statistics that windows of
        that day are compared with; empty where the days of the week do not differ, or are not known.
    columns
        Further metadata columns, each with its values counted against the clusters.
    quality
        The images' pixel statistics, when the rows had any.
    """

    feature: Mapping[str, Any]
    fingerprint: str | None
    centroids: NDArray[np.float32]
    whitener: NDArray[np.float32]
    novelty_radius: float
    distance_edges: NDArray[np.float64]
    quantum: float
    statistics: BaselineStatistics
    n_fit: int
    random_state: int
    scaling: Scaling = field(default_factory=Scaling)
    most_repeated: float = 0.0
    examples: tuple[tuple[Example, ...], ...] = ()
    choice: str | None = None
    time_range: tuple[str, str] | None = None
    segment_column: str | None = None
    segments: Mapping[str, BaselineStatistics] = field(default_factory=dict)
    seasons: tuple[BaselineStatistics, ...] = ()
    columns: Mapping[str, ValueTable] = field(default_factory=dict)
    quality: QualityReference | None = None

    @property
    def name(self) -> str:
        """The feature's name."""
        return str(self.feature["name"])

    @property
    def n_clusters(self) -> int:
        """How many clusters there are."""
        return len(self.centroids)

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self.centroids.shape[1])

    @property
    def histogram(self) -> ClusterHistogram:
        """Rows per cluster: what windows are compared with."""
        return self.statistics.sketch.histogram

    @property
    def n_rows(self) -> int:
        """All rows with a vector, also where those that the clusters were fitted on do not count."""
        return self.n_fit + self.statistics.n_held_out

    def statistics_of(self, window: int | None) -> BaselineStatistics:
        """What window number `window` is compared with: its day of the week, where days differ."""
        if window is None or not self.seasons:
            return self.statistics
        return self.seasons[window % len(self.seasons)]

    @property
    def distance_positions(self) -> NDArray[np.float64]:
        """(N_DISTANCE_BINS,) float64: where the rows of a bin are taken to lie; the last at its edge."""
        edges = np.concatenate([[0.0], self.distance_edges])
        return np.append((edges[1:] + edges[:-1]) / 2, edges[-1])

    @property
    def id(self) -> str:
        """16 hexadecimal digits that change whenever a verdict could."""
        from monitor.clusters.storage import identity

        return identity(self)

    def check_fingerprint(self, fingerprint: str | None) -> None:
        """Refuse vectors of another encoder; an unknown one passes.

        Raises
        ------
        FingerprintMismatchError
            If both encoders are known and differ.
        """
        if fingerprint and self.fingerprint and fingerprint != self.fingerprint:
            raise FingerprintMismatchError(
                f"the vectors of feature {self.name!r} come from the encoder {fingerprint}, its "
                f"baseline from {self.fingerprint}; distances between the two mean nothing: embed "
                "these rows again with the baseline's model, or fit a new baseline"
            )

    def assign(
        self, vectors: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Scaled vectors, cluster labels and distances of the rows of `vectors`, (n, width)."""
        if vectors.shape[1] != self.width:
            raise InvalidInputError(
                f"the vectors of feature {self.name!r} are {vectors.shape[1]} wide, its baseline "
                f"{self.width}: embed these rows with the baseline's model, or fit a new baseline"
            )
        scaled = self.scaling.apply(vectors)
        return (scaled, *assign(scaled, self.centroids))

    def sketch(self, vectors: NDArray[np.floating], failures: Mapping[str, int]) -> WindowSketch:
        """The mergeable statistics of a window's usable vectors, (n, width)."""
        scaled, labels, distances = self.assign(vectors)
        return self.sketch_assigned(scaled, labels, distances, failures)

    def sketch_assigned(
        self,
        scaled: NDArray[np.float32],
        labels: NDArray[np.int64],
        distances: NDArray[np.float32],
        failures: Mapping[str, int],
    ) -> WindowSketch:
        """The same, of rows that `assign` has already placed."""
        return sketch_rows(
            scaled,
            labels,
            distances,
            n_clusters=self.n_clusters,
            quantum=self.quantum,
            novelty_radius=self.novelty_radius,
            distance_edges=self.distance_edges,
            failures=dict(failures),
        )

    def save(self, path: str | Path) -> Path:
        """Write the baseline to one safetensors file and return its path."""
        from monitor.clusters.storage import write

        return write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Baseline:
        """Read a baseline that `save` wrote.

        Raises
        ------
        BaselineError
            If there is no such file, or it is no baseline of ours, or it was changed since.
        """
        from monitor.clusters.storage import read

        return read(Path(path))
