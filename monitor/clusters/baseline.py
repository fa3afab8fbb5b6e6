"""The baseline: everything a production window is later judged against."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.kmeans import assign, unit_rows
from monitor.clusters.sketch import WindowSketch, sketch_rows
from monitor.errors import BaselineError, FingerprintMismatchError, InvalidInputError

FORMAT: Final = "monitor.baseline/1"
UNIT: Final = "unit"
STANDARD: Final = "standard"


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
        column, as found in the baseline, for columns of different units.
    center, scale
        (width,) float64; empty for `"unit"`.
    """

    kind: str = UNIT
    center: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    scale: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def standard(cls, vectors: NDArray[np.float64]) -> Scaling:
        """Mean and standard deviation of the columns of `vectors`; a constant column is only centred."""
        deviation = vectors.std(axis=0)
        return cls(STANDARD, vectors.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def apply(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """`vectors`, (n, width), in the space of the clusters."""
        if self.kind == UNIT:
            return unit_rows(vectors)
        scaled = (np.asarray(vectors, dtype=np.float64) - self.center) / self.scale
        return np.ascontiguousarray(scaled, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What production is compared with: clusters, and statistics of rows they were not fitted on.

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
    reference
        The sketch of the calibration part, which nothing was fitted on.
    mean_moments, whitened_moments
        (3,) float64: tr Σ, tr Σ², tr Σ³ of the calibration part, plain and whitened.
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
        A metadata column, and the calibration sketch of each of its values.
    """

    feature: Mapping[str, Any]
    fingerprint: str | None
    centroids: NDArray[np.float32]
    whitener: NDArray[np.float32]
    novelty_radius: float
    reference: WindowSketch
    mean_moments: NDArray[np.float64]
    whitened_moments: NDArray[np.float64]
    n_fit: int
    random_state: int
    scaling: Scaling = field(default_factory=Scaling)
    most_repeated: float = 0.0
    examples: tuple[tuple[Example, ...], ...] = ()
    choice: str | None = None
    time_range: tuple[str, str] | None = None
    segment_column: str | None = None
    segments: Mapping[str, WindowSketch] = field(default_factory=dict)

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
        """Rows of the calibration part per cluster: what windows are compared with."""
        return self.reference.histogram

    @property
    def id(self) -> str:
        """16 hexadecimal digits that change whenever a verdict could."""
        digest = hashlib.sha256()
        for name, array in sorted(self._arrays().items()):
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(json.dumps([self.name, self.fingerprint, self.novelty_radius]).encode())
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
    ) -> WindowSketch:
        """The same, of rows that `assign` has already placed."""
        return sketch_rows(
            scaled,
            labels,
            distances,
            n_clusters=self.n_clusters,
            novelty_radius=self.novelty_radius,
            failures=dict(failures),
        )

    def save(self, path: str | Path) -> Path:
        """Write the baseline to one safetensors file and return its path."""
        from safetensors.numpy import save

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in self._arrays().items()}
        content = save(arrays, metadata={"monitor": json.dumps(self._description())})
        # A reader never sees half a file.
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content)
        partial.replace(path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Baseline:
        """Read a baseline that `save` wrote.

        Raises
        ------
        BaselineError
            If there is no such file, or it is no baseline of ours.
        """
        from safetensors import SafetensorError, safe_open

        path = Path(path)
        if not path.is_file():
            raise BaselineError(
                f"there is no baseline at {path}; fit one with monitor.fit_baseline(...).save(path) "
                "or `monitor baseline fit`"
            )
        try:
            with safe_open(path, framework="numpy") as file:
                description = json.loads((file.metadata() or {}).get("monitor", "{}"))
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if description.get("format") != FORMAT:
                raise BaselineError(
                    f"{path} is not a baseline of this version: its format is "
                    f"{description.get('format')!r}, expected {FORMAT!r}; fit the baseline again"
                )
            return cls._from_parts(arrays, description)
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise BaselineError(
                f"{path} cannot be read as a baseline ({error}); fit the baseline again"
            ) from error

    def _sketches(self) -> dict[str, WindowSketch]:
        by_position = {f"segment{i}": s for i, s in enumerate(self.segments.values())}
        return {"reference": self.reference, **by_position}

    def _arrays(self) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {
            "centroids": self.centroids,
            "whitener": self.whitener,
            "mean_moments": self.mean_moments,
            "whitened_moments": self.whitened_moments,
            "scaling.center": self.scaling.center,
            "scaling.scale": self.scaling.scale,
        }
        for name, sketch in self._sketches().items():
            arrays[f"{name}.counts"] = sketch.histogram.counts
            arrays[f"{name}.cluster_totals"] = sketch.cluster_totals
            arrays[f"{name}.total"] = sketch.total
        return arrays

    def _description(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "id": self.id,
            "feature": dict(self.feature),
            "fingerprint": self.fingerprint,
            "novelty_radius": self.novelty_radius,
            "n_fit": self.n_fit,
            "random_state": self.random_state,
            "scaling": self.scaling.kind,
            "most_repeated": self.most_repeated,
            "examples": [[dataclasses.asdict(e) for e in cluster] for cluster in self.examples],
            "choice": self.choice,
            "time_range": self.time_range,
            "segment_column": self.segment_column,
            "segments": list(self.segments),
            "sketches": {
                name: {
                    "failures": dict(sketch.histogram.failures),
                    "n_novel": sketch.n_novel,
                    "distance_total": sketch.distance_total,
                }
                for name, sketch in self._sketches().items()
            },
        }

    @classmethod
    def _from_parts(cls, arrays: Mapping[str, NDArray[Any]], saved: Mapping[str, Any]) -> Baseline:
        def sketch(name: str) -> WindowSketch:
            scalars = saved["sketches"][name]
            return WindowSketch(
                histogram=ClusterHistogram(arrays[f"{name}.counts"], scalars["failures"]),
                total=arrays[f"{name}.total"],
                cluster_totals=arrays[f"{name}.cluster_totals"],
                n_novel=scalars["n_novel"],
                distance_total=scalars["distance_total"],
            )

        return cls(
            feature=saved["feature"],
            fingerprint=saved["fingerprint"],
            centroids=arrays["centroids"],
            whitener=arrays["whitener"],
            novelty_radius=saved["novelty_radius"],
            reference=sketch("reference"),
            mean_moments=arrays["mean_moments"],
            whitened_moments=arrays["whitened_moments"],
            n_fit=saved["n_fit"],
            random_state=saved["random_state"],
            scaling=Scaling(saved["scaling"], arrays["scaling.center"], arrays["scaling.scale"]),
            most_repeated=saved["most_repeated"],
            examples=tuple(tuple(Example(**e) for e in cluster) for cluster in saved["examples"]),
            choice=saved["choice"],
            time_range=tuple(saved["time_range"]) if saved["time_range"] else None,
            segment_column=saved["segment_column"],
            segments={value: sketch(f"segment{i}") for i, value in enumerate(saved["segments"])},
        )
