"""A baseline ─► one safetensors file, and back. Nothing is unpickled, and nothing is believed unread."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline import RAW, STANDARD, UNIT, Baseline, Example, Scaling
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.quality_sketch import QualityReference, QualitySketch
from monitor.clusters.sketch import N_DISTANCE_BINS, WindowSketch
from monitor.clusters.value_table import ValueTable
from monitor.clusters.variation import Movement, Overdispersion, Variation
from monitor.errors import BaselineError
from monitor.files import replacing

FORMAT: Final = "monitor.baseline/3"
_BROKEN = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError,
)  # fmt: skip


def identity(baseline: Baseline) -> str:
    """16 hexadecimal digits over everything that a verdict depends on."""
    digest = hashlib.sha256()
    for name, array in sorted(_arrays(baseline).items()):
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    decisive = [
        baseline.name,
        baseline.fingerprint,
        float(baseline.novelty_radius),
        float(baseline.quantum),
        baseline.scaling.kind,
        baseline.segment_column,
        list(baseline.segments),
        list(baseline.columns),
        [
            [
                part.sketch.n_novel,
                part.n_held_out,
                part.n_held_out_novel,
                part.variation and part.variation.every,
            ]
            for part in _references(baseline).values()
        ],
    ]
    digest.update(json.dumps(decisive).encode())
    return digest.hexdigest()[:16]


def write(baseline: Baseline, path: Path) -> Path:
    """Write `baseline` to `path`; a reader never sees half a file."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in _arrays(baseline).items()}
    with replacing(path) as partial:
        partial.write_bytes(save(arrays, metadata={"monitor": json.dumps(_description(baseline))}))
    return path


def read(path: Path) -> Baseline:
    """The baseline in the file `path`.

    Raises
    ------
    BaselineError
        If there is no such file, or it is no baseline of ours, or it was changed since.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise BaselineError(
            f"there is no baseline at {path}; fit one with monitor.fit_baseline(...).save(path) or "
            "`monitor baseline fit`"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            saved = json.loads((file.metadata() or {}).get("monitor", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = saved.get("format")
        if found != FORMAT:
            raise BaselineError(
                f"{path} is not a baseline of this version: its format is {found!r}, expected "
                f"{FORMAT!r}; fit the baseline again"
            )
        baseline = _from_parts(arrays, saved)
        _check(baseline)
        is_as_saved = baseline.id == saved["id"]
    except BaselineError:
        raise
    except (SafetensorError, *_BROKEN) as error:
        raise BaselineError(
            f"{path} cannot be read as a baseline ({type(error).__name__}: {error}); fit the baseline "
            "again"
        ) from error
    if not is_as_saved:
        raise BaselineError(
            f"{path} was changed after it was written: its numbers no longer give its id "
            f"{saved['id']!r}; fit the baseline again, or restore the file"
        )
    return baseline


def _references(baseline: Baseline) -> dict[str, BaselineStatistics]:
    segments = {f"segment{i}": part for i, part in enumerate(baseline.segments.values())}
    seasons = {f"season{i}": part for i, part in enumerate(baseline.seasons)}
    return {"reference": baseline.statistics, **segments, **seasons}


def _arrays(baseline: Baseline) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "centroids": baseline.centroids,
        "whitener": baseline.whitener,
        "scaling.center": baseline.scaling.center,
        "scaling.scale": baseline.scaling.scale,
        "distance_edges": baseline.distance_edges,
    }
    for name, reference in _references(baseline).items():
        sketch, variation = reference.sketch, reference.variation
        arrays[f"{name}.counts"] = sketch.histogram.counts
        arrays[f"{name}.cluster_units"] = sketch.cluster_units
        arrays[f"{name}.distance_counts"] = sketch.distance_counts
        arrays[f"{name}.mean_moments"] = reference.mean_moments
        arrays[f"{name}.whitened_moments"] = reference.whitened_moments
        arrays[f"{name}.window_counts"] = reference.window_counts
        arrays[f"{name}.sample"] = reference.sample
        arrays[f"{name}.fit_sample"] = reference.fit_sample
        if variation is not None:
            arrays[f"{name}.windows.counts"] = variation.counts
            for kind, counted in (("mix", variation.mix), ("novelty", variation.novelty)):
                arrays[f"{name}.windows.{kind}"] = np.array([counted.effects, counted.freedoms])
                arrays[f"{name}.windows.{kind}_all"] = np.array(
                    [counted.correlation, counted.design_effect, counted.freedom, counted.mean_rows]
                )
            for kind, moved in (("plain", variation.plain), ("whitened", variation.whitened)):
                arrays[f"{name}.windows.{kind}_moments"] = np.array([moved.rows, moved.windows])
                arrays[f"{name}.windows.{kind}"] = np.array([moved.mean_size, moved.freedom])
    for i, column in enumerate(baseline.columns.values()):
        arrays[f"column{i}.counts"] = column.counts
    if baseline.quality is not None:
        sketch_of_pixels = baseline.quality.sketch
        arrays["quality.edges"] = baseline.quality.edges
        arrays["quality.counts"] = sketch_of_pixels.counts
        arrays["quality.missing_counts"] = sketch_of_pixels.n_missing
        arrays["quality.least"] = sketch_of_pixels.least
        arrays["quality.greatest"] = sketch_of_pixels.greatest
    return arrays


def _description(baseline: Baseline) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": baseline.id,
        "feature": dict(baseline.feature),
        "fingerprint": baseline.fingerprint,
        "novelty_radius": baseline.novelty_radius,
        "quantum": baseline.quantum,
        "n_fit": baseline.n_fit,
        "random_state": baseline.random_state,
        "scaling": baseline.scaling.kind,
        "most_repeated": baseline.most_repeated,
        "examples": [[dataclasses.asdict(e) for e in cluster] for cluster in baseline.examples],
        "choice": baseline.choice,
        "time_range": baseline.time_range,
        "segment_column": baseline.segment_column,
        "segments": list(baseline.segments),
        "n_seasons": len(baseline.seasons),
        "columns": [
            [name, list(table.known), None if table.rest is None else sorted(table.rest)]
            for name, table in baseline.columns.items()
        ],
        "quality_fields": baseline.quality and list(baseline.quality.fields),
        "references": {
            name: {
                "failures": dict(reference.sketch.histogram.failures),
                "n_novel": reference.sketch.n_novel,
                "n_held_out": reference.n_held_out,
                "n_held_out_novel": reference.n_held_out_novel,
                "every": reference.variation and reference.variation.every,
            }
            for name, reference in _references(baseline).items()
        },
    }


def _from_parts(arrays: Mapping[str, NDArray[Any]], saved: Mapping[str, Any]) -> Baseline:
    def overdispersion(name: str) -> Overdispersion:
        correlation, design_effect, freedom, mean_rows = arrays[f"{name}_all"].tolist()
        effects, freedoms = arrays[name]
        return Overdispersion(correlation, design_effect, freedom, effects, freedoms, mean_rows)

    def movement(name: str) -> Movement:
        return Movement(*arrays[f"{name}_moments"], *arrays[name].tolist())

    def reference(name: str) -> BaselineStatistics:
        scalars = saved["references"][name]
        sketch = WindowSketch(
            histogram=ClusterHistogram(arrays[f"{name}.counts"], scalars["failures"]),
            cluster_units=arrays[f"{name}.cluster_units"],
            quantum=saved["quantum"],
            n_novel=scalars["n_novel"],
            distance_counts=arrays[f"{name}.distance_counts"],
            rows=None,  # a reference keeps a sample instead
        )
        variation = None
        if scalars["every"] is not None:
            variation = Variation(
                every=scalars["every"],
                counts=arrays[f"{name}.windows.counts"],
                mix=overdispersion(f"{name}.windows.mix"),
                novelty=overdispersion(f"{name}.windows.novelty"),
                plain=movement(f"{name}.windows.plain"),
                whitened=movement(f"{name}.windows.whitened"),
            )
        return BaselineStatistics(
            sketch=sketch,
            n_held_out=scalars["n_held_out"],
            n_held_out_novel=scalars["n_held_out_novel"],
            mean_moments=arrays[f"{name}.mean_moments"],
            whitened_moments=arrays[f"{name}.whitened_moments"],
            sample=arrays[f"{name}.sample"],
            fit_sample=arrays[f"{name}.fit_sample"],
            window_counts=arrays[f"{name}.window_counts"],
            variation=variation,
        )

    k = len(arrays["centroids"])
    quality = None
    if saved["quality_fields"] is not None:
        pixels = QualitySketch(
            arrays["quality.counts"],
            arrays["quality.missing_counts"],
            arrays["quality.least"],
            arrays["quality.greatest"],
        )
        quality = QualityReference(tuple(saved["quality_fields"]), arrays["quality.edges"], pixels)
    return Baseline(
        feature=saved["feature"],
        fingerprint=saved["fingerprint"],
        centroids=arrays["centroids"],
        whitener=arrays["whitener"],
        novelty_radius=saved["novelty_radius"],
        distance_edges=arrays["distance_edges"],
        quantum=saved["quantum"],
        statistics=reference("reference"),
        n_fit=saved["n_fit"],
        random_state=saved["random_state"],
        scaling=Scaling(saved["scaling"], arrays["scaling.center"], arrays["scaling.scale"]),
        most_repeated=saved["most_repeated"],
        examples=tuple(tuple(Example(**e) for e in cluster) for cluster in saved["examples"]),
        choice=saved["choice"],
        time_range=tuple(saved["time_range"]) if saved["time_range"] else None,
        segment_column=saved["segment_column"],
        segments={value: reference(f"segment{i}") for i, value in enumerate(saved["segments"])},
        seasons=tuple(reference(f"season{i}") for i in range(saved["n_seasons"])),
        columns={
            name: ValueTable(
                tuple(known),
                arrays[f"column{i}.counts"],
                (),
                np.empty((0, k), dtype=np.int64),
                None if rest is None else frozenset(rest),
            )
            for i, (name, known, rest) in enumerate(saved["columns"])
        },
        quality=quality,
    )


def _check(baseline: Baseline) -> None:
    """Refuse numbers that cannot be a baseline's: a wrong one would give verdicts, not errors."""
    k, width = baseline.centroids.shape
    shapes: dict[str, tuple[int, ...]] = {"centroids": (k, width), "whitener": (width, width)}
    scaled = (width,) if baseline.scaling.kind == STANDARD else (0,)
    shapes |= {"scaling.center": scaled, "scaling.scale": scaled}
    shapes["distance_edges"] = (N_DISTANCE_BINS - 1,)
    for name, part in _references(baseline).items():
        shapes |= {
            f"{name}.counts": (k,),
            f"{name}.cluster_units": (k, width),
            f"{name}.distance_counts": (N_DISTANCE_BINS,),
            f"{name}.mean_moments": (3,),
            f"{name}.whitened_moments": (3,),
            f"{name}.sample": (len(part.sample), width),
            f"{name}.fit_sample": (len(part.fit_sample), width),
            f"{name}.window_counts": (len(part.window_counts), k),
        }
        if part.variation is not None:
            n_windows = len(part.variation.counts)
            shapes |= {
                f"{name}.windows.counts": (n_windows, k),
                f"{name}.windows.mix": (2, k),
                f"{name}.windows.mix_all": (4,),
                f"{name}.windows.novelty": (2, 2),
                f"{name}.windows.novelty_all": (4,),
                f"{name}.windows.plain_moments": (2, 3),
                f"{name}.windows.whitened_moments": (2, 3),
                f"{name}.windows.plain": (2,),
                f"{name}.windows.whitened": (2,),
            }
    for i, table in enumerate(baseline.columns.values()):
        shapes[f"column{i}.counts"] = (len(table.known) + 1, k)
    if (quality := baseline.quality) is not None:
        fields, bins = len(quality.fields), quality.sketch.counts.shape[-1]
        shapes |= {
            "quality.edges": (fields, bins - 1),
            "quality.counts": (fields, bins),
            "quality.missing_counts": (fields,),
            "quality.least": (fields, bins),
            "quality.greatest": (fields, bins),
        }
    for name, array in _arrays(baseline).items():
        if array.shape != shapes[name]:
            raise ValueError(f"{name} has shape {array.shape}, not {shapes[name]}")
        kinds = "i" if name.endswith(("counts", "units")) else "f"
        if array.dtype.kind not in kinds:
            raise ValueError(f"{name} holds {array.dtype}")
        if (
            not name.endswith("moments")
            and not name.startswith("quality")
            and not np.isfinite(array).all()
        ):
            raise ValueError(f"{name} holds NaN or infinity")
    if baseline.scaling.kind not in (UNIT, STANDARD, RAW):
        raise ValueError(f"the scaling {baseline.scaling.kind!r} is not known")
    if not np.isfinite(baseline.novelty_radius):
        raise ValueError(f"the novelty radius is {baseline.novelty_radius}")
    if not (np.isfinite(baseline.quantum) and baseline.quantum > 0):
        raise ValueError(f"the unit of sums is {baseline.quantum}")
    if (np.diff(baseline.distance_edges) <= 0).any():
        raise ValueError("the distance edges do not rise")
    if not isinstance(baseline.feature, dict) or not isinstance(baseline.feature["name"], str):
        raise ValueError("it names no feature")
    for name, reference in _references(baseline).items():
        sketch = reference.sketch
        if sketch.histogram.counts.min() < 0 or not 0 <= sketch.n_novel <= sketch.n:
            raise ValueError(f"the counts of {name} cannot be")
        if (
            sketch.distance_counts.sum() != sketch.n
            or not len(reference.sample) <= reference.n_held_out <= sketch.n
            or len(reference.fit_sample) > sketch.n - reference.n_held_out
            or not 0 <= reference.n_held_out_novel <= reference.n_held_out
        ):
            raise ValueError(f"the counts of {name} do not agree")
        if (windows := reference.variation) is not None and (
            windows.counts.min() < 0 or windows.counts.sum() > sketch.n
        ):
            raise ValueError(f"the windows of {name} cannot be")
        if sketch.n >= 4 and not np.isfinite(reference.mean_moments).all():
            raise ValueError(f"the moments of {name} hold NaN or infinity")
