"""The baseline: everything a production window is later judged against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_check import check
from monitor.clusters.baseline_html import as_html, in_short
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.example import Example
from monitor.clusters.fit_facts import FitFacts
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.kmeans import assign
from monitor.clusters.known_rows import KnownRows, Movements
from monitor.clusters.quality_sketch import QualityReference
from monitor.clusters.row_measures import N_NEARNESS_BINS, NOVEL_FROM, Kernels, RowMeasures
from monitor.clusters.scaling import Scaling
from monitor.clusters.sketch import N_DISTANCE_BINS, Sketcher, WindowSketch
from monitor.clusters.strata import Strata
from monitor.clusters.value_table import ValueTable
from monitor.clusters.variation import Variation
from monitor.clusters.words import Name, Words
from monitor.codec import FormatMismatch, Shape, from_safetensors, to_parts, to_safetensors
from monitor.errors import BaselineError, FingerprintMismatchError, InvalidInputError
from monitor.files import replacing
from monitor.terminals import fitting

FORMAT: Final = "monitor.baseline/6"


@dataclass(frozen=True, eq=False)
class Baseline:
    """What production is compared with: clusters, and statistics of rows as they fall into these.

    Plain numbers only. A field is declared here and nowhere else: `monitor.codec` writes and reads them.

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
    distance_edges
        (N_DISTANCE_BINS − 1,) float64, rising: the inner edges of the bins of that distance.
    quantum
        The unit of a sketch's sums (see `WindowSketch`).
    known
        Some of the rows, kept whole: they tell which rows are novel, and which of a window changed.
    nearness_edges
        (N_NEARNESS_BINS − 1,) float64, rising: of a row's mean distance to the nearest known rows.
    kernels
        What gives rows their kernel features.
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
    twins
        The share of rows with a twin (see `twin_share`); 0 where groups are given.
    examples
        Per cluster, the rows nearest to its centroid.
    choice
        Why this number of clusters, when it was chosen.
    time_range
        First and last timestamp, ISO 8601, when the rows had any.
    timezone
        Whose days its windows are.
    windows_per_week, closed
        How many windows a week has, 0 where no whole number; and which of these never had a row, as Sundays.
    segment_column, segments
        A metadata column, and the statistics of each of its values.
    seasons
        What windows of each day of the week, Thursday first, are compared with; empty where they are alike.
    finer
        How much shorter windows differ, by their length.
    context
        The rows by context; None where windows are compared with rows of any.
    columns
        Further metadata columns, each with its values counted against the clusters.
    quality
        The images' pixel statistics, when the rows had any.
    movements
        How frequent changes of the pipeline move vectors; None where the images could not be read.
    names
        Per cluster, what its rows show; empty where nothing names them.
    words
        What groups of rows are named by; None where the vectors' encoder is not known, or knows no words.
    facts
        What a report says of the fit.
    """

    feature: Mapping[str, Any]
    fingerprint: str | None
    centroids: Annotated[NDArray[np.float32], Shape("clusters", "width")]
    whitener: Annotated[NDArray[np.float32], Shape("width", "width")]
    distance_edges: Annotated[NDArray[np.float64], Shape(N_DISTANCE_BINS - 1)]
    quantum: float
    known: KnownRows
    nearness_edges: Annotated[NDArray[np.float64], Shape(N_NEARNESS_BINS - 1)]
    kernels: Kernels
    statistics: BaselineStatistics
    n_fit: int
    random_state: int
    scaling: Scaling = field(default_factory=Scaling)
    most_repeated: float = 0.0
    twins: float = 0.0
    examples: tuple[tuple[Example, ...], ...] = ()
    choice: str | None = None
    time_range: tuple[str, str] | None = None
    timezone: str = "UTC"
    windows_per_week: int = 0
    closed: tuple[int, ...] = ()
    segment_column: str | None = None
    segments: Mapping[str, BaselineStatistics] = field(default_factory=dict)
    seasons: tuple[BaselineStatistics, ...] = ()
    finer: Mapping[str, Variation] = field(default_factory=dict)
    context: Strata | None = None
    columns: Mapping[str, ValueTable] = field(default_factory=dict)
    quality: QualityReference | None = None
    movements: Movements | None = None
    names: tuple[Name, ...] = ()
    words: Words | None = None
    facts: FitFacts = field(default_factory=FitFacts)

    def __repr__(self) -> str:
        return fitting(in_short(self))

    def _repr_html_(self) -> str:
        return as_html(self)

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

    def is_closed(self, window: int) -> bool:
        """Whether window number `window` is at a time of the week at which the baseline never had rows."""
        return self.windows_per_week > 0 and window % self.windows_per_week in self.closed

    def statistics_of(self, window: int | None, every: str) -> BaselineStatistics:
        """What window number `window` of length `every` is compared with.

        Where days of the week differ, it is its own; shorter windows than the baseline's know how much such
        differ.
        """
        if every in self.finer:
            return self._of_finer[every]
        variation = self.statistics.variation
        if window is None or not self.seasons or variation is None or every != variation.every:
            return self.statistics
        return self.seasons[window % len(self.seasons)]

    @cached_property
    def _of_finer(self) -> dict[str, BaselineStatistics]:
        return {
            every: replace(self.statistics, variation=variation)
            for every, variation in self.finer.items()
        }

    def statistics_in(self, contexts: NDArray[np.int64]) -> BaselineStatistics:
        """What rows with these contexts are compared with; see `WindowSketch.contexts`."""
        if self.context is None:
            return self.statistics
        return self.context.statistics(contexts, self.statistics)

    @property
    def distance_positions(self) -> NDArray[np.float64]:
        """(N_DISTANCE_BINS,) float64: where the rows of a bin are taken to lie; the last at its edge."""
        edges = np.concatenate([[0.0], self.distance_edges])
        return np.append((edges[1:] + edges[:-1]) / 2, edges[-1])

    @property
    def measures(self) -> RowMeasures:
        """What rows are measured by beside their cluster."""
        return RowMeasures(self.known.vectors, self.nearness_edges, self.kernels)

    @property
    def novelty_radius(self) -> float:
        """Rows whose nearest known rows are farther are novel: the 99 % quantile of the baseline's own."""
        return float(self.nearness_edges[NOVEL_FROM - 1])

    @property
    def distance_radius(self) -> float:
        """The distance to a centroid that one in a hundred of the baseline's rows passes, to a bin."""
        counts = self.statistics.sketch.distance_counts
        up_to = np.cumsum(counts) / max(int(counts.sum()), 1)
        at = min(int(np.searchsorted(up_to, 0.99)), len(self.distance_edges) - 1)
        return float(self.distance_edges[at])

    @property
    def id(self) -> str:
        """16 hexadecimal digits that change with every value but examples, names and words."""
        known = replace(self.known, examples=())
        said = replace(self, examples=(), choice=None, known=known, names=(), words=None)
        plain, arrays = to_parts(said)
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True, allow_nan=False).encode())
        for name, array in sorted(arrays.items()):
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]

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
        strata: NDArray[np.int64] | None = None,
        quality: NDArray[np.float32] | None = None,
        *,
        nearness: NDArray[np.float64] | None = None,
    ) -> WindowSketch:
        """The same, of rows that `assign` has already assigned.

        `strata` are those of contexts that rows are in, `quality` their images' pixel statistics, `nearness`
        how far the nearest known rows are from each, where that was measured before (see `neighbours`).
        """
        sketcher = Sketcher(self.n_clusters, self.quantum, self.distance_edges, self.measures)
        sketch = sketcher.sketch(scaled, labels, distances, failures, nearness)
        if quality is not None and self.quality is not None:
            sketch = replace(sketch, quality=self.quality.count(quality))
        if self.context is None:
            return sketch
        n_strata = len(self.context.keys)
        none = np.full(len(labels), n_strata) if strata is None else strata
        return replace(sketch, contexts=np.bincount(none, minlength=n_strata + 1))

    def to_bytes(self) -> bytes:
        """The baseline as one safetensors file: nothing is ever unpickled."""
        return to_safetensors(self, {"format": FORMAT, "id": self.id})

    @classmethod
    def from_bytes(cls, file: bytes, source: str = "a stored baseline") -> Baseline:
        """The baseline that `to_bytes` wrote; `source` says in errors where it comes from.

        Raises
        ------
        BaselineError
            If it is no baseline of ours, or was changed since.
        """
        try:
            baseline, header = from_safetensors(file, cls, FORMAT)
            check(baseline)
            is_as_saved = baseline.id == header.get("id")
        except FormatMismatch as error:
            raise BaselineError(
                f"{source} is not a baseline of this version: {error}; fit the baseline again"
            ) from error
        except ValueError as error:
            raise BaselineError(
                f"{source} cannot be read as a baseline: {error}; fit the baseline again"
            ) from error
        if not is_as_saved:
            raise BaselineError(
                f"{source} was changed after it was written: its numbers no longer give its id "
                f"{header.get('id')!r}; fit the baseline again, or restore the file"
            )
        return baseline

    def save(self, path: str | Path) -> Path:
        """Write the baseline to one safetensors file and return its path."""
        with replacing(Path(path)) as partial:
            partial.write_bytes(self.to_bytes())
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Baseline:
        """Read a baseline that `save` wrote.

        Raises
        ------
        BaselineError
            If there is no such file, or it is no baseline of ours, or it was changed since.
        """
        if not Path(path).is_file():
            raise BaselineError(
                f"there is no baseline at {path}; fit one with monitor.fit_baseline(...).save(path) or "
                "`monitor baseline fit`"
            )
        return cls.from_bytes(Path(path).read_bytes(), str(path))
