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
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.reference import Reference
from monitor.clusters.sketch import WindowSketch
from monitor.errors import BaselineError

FORMAT: Final = "monitor.baseline/1"
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
        baseline.scaling.kind,
        baseline.segment_column,
        list(baseline.segments),
        [reference.sketch.n_novel for reference in _references(baseline).values()],
    ]
    digest.update(json.dumps(decisive).encode())
    return digest.hexdigest()[:16]


def write(baseline: Baseline, path: Path) -> Path:
    """Write `baseline` to `path`; a reader never sees half a file."""
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in _arrays(baseline).items()}
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(arrays, metadata={"monitor": json.dumps(_description(baseline))}))
    partial.replace(path)
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


def _references(baseline: Baseline) -> dict[str, Reference]:
    segments = {f"segment{i}": part for i, part in enumerate(baseline.segments.values())}
    return {"reference": baseline.reference, **segments}


def _arrays(baseline: Baseline) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "centroids": baseline.centroids,
        "whitener": baseline.whitener,
        "scaling.center": baseline.scaling.center,
        "scaling.scale": baseline.scaling.scale,
    }
    for name, reference in _references(baseline).items():
        arrays[f"{name}.counts"] = reference.sketch.histogram.counts
        arrays[f"{name}.cluster_totals"] = reference.sketch.cluster_totals
        arrays[f"{name}.total"] = reference.sketch.total
        arrays[f"{name}.mean_moments"] = reference.mean_moments
        arrays[f"{name}.whitened_moments"] = reference.whitened_moments
    return arrays


def _description(baseline: Baseline) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": baseline.id,
        "feature": dict(baseline.feature),
        "fingerprint": baseline.fingerprint,
        "novelty_radius": baseline.novelty_radius,
        "n_fit": baseline.n_fit,
        "random_state": baseline.random_state,
        "scaling": baseline.scaling.kind,
        "most_repeated": baseline.most_repeated,
        "examples": [[dataclasses.asdict(e) for e in cluster] for cluster in baseline.examples],
        "choice": baseline.choice,
        "time_range": baseline.time_range,
        "segment_column": baseline.segment_column,
        "segments": list(baseline.segments),
        "references": {
            name: {
                "failures": dict(reference.sketch.histogram.failures),
                "n_novel": reference.sketch.n_novel,
                "distance_total": reference.sketch.distance_total,
            }
            for name, reference in _references(baseline).items()
        },
    }


def _from_parts(arrays: Mapping[str, NDArray[Any]], saved: Mapping[str, Any]) -> Baseline:
    def reference(name: str) -> Reference:
        scalars = saved["references"][name]
        sketch = WindowSketch(
            histogram=ClusterHistogram(arrays[f"{name}.counts"], scalars["failures"]),
            total=arrays[f"{name}.total"],
            cluster_totals=arrays[f"{name}.cluster_totals"],
            n_novel=scalars["n_novel"],
            distance_total=scalars["distance_total"],
        )
        return Reference(sketch, arrays[f"{name}.mean_moments"], arrays[f"{name}.whitened_moments"])

    return Baseline(
        feature=saved["feature"],
        fingerprint=saved["fingerprint"],
        centroids=arrays["centroids"],
        whitener=arrays["whitener"],
        novelty_radius=saved["novelty_radius"],
        reference=reference("reference"),
        n_fit=saved["n_fit"],
        random_state=saved["random_state"],
        scaling=Scaling(saved["scaling"], arrays["scaling.center"], arrays["scaling.scale"]),
        most_repeated=saved["most_repeated"],
        examples=tuple(tuple(Example(**e) for e in cluster) for cluster in saved["examples"]),
        choice=saved["choice"],
        time_range=tuple(saved["time_range"]) if saved["time_range"] else None,
        segment_column=saved["segment_column"],
        segments={value: reference(f"segment{i}") for i, value in enumerate(saved["segments"])},
    )


def _check(baseline: Baseline) -> None:
    """Refuse numbers that cannot be a baseline's: a wrong one would give verdicts, not errors."""
    k, width = baseline.centroids.shape
    shapes: dict[str, tuple[int, ...]] = {"centroids": (k, width), "whitener": (width, width)}
    scaled = (width,) if baseline.scaling.kind == STANDARD else (0,)
    shapes |= {"scaling.center": scaled, "scaling.scale": scaled}
    for name in _references(baseline):
        shapes |= {
            f"{name}.counts": (k,),
            f"{name}.cluster_totals": (k, width),
            f"{name}.total": (width,),
            f"{name}.mean_moments": (3,),
            f"{name}.whitened_moments": (3,),
        }
    for name, array in _arrays(baseline).items():
        if array.shape != shapes[name]:
            raise ValueError(f"{name} has shape {array.shape}, not {shapes[name]}")
        kinds = "i" if name.endswith("counts") else "f"
        if array.dtype.kind not in kinds:
            raise ValueError(f"{name} holds {array.dtype}")
        if not name.endswith("moments") and not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
    if baseline.scaling.kind not in (UNIT, STANDARD, RAW):
        raise ValueError(f"the scaling {baseline.scaling.kind!r} is not known")
    if not np.isfinite(baseline.novelty_radius):
        raise ValueError(f"the novelty radius is {baseline.novelty_radius}")
    if not isinstance(baseline.feature, dict) or not isinstance(baseline.feature["name"], str):
        raise ValueError("it names no feature")
    for name, reference in _references(baseline).items():
        sketch = reference.sketch
        if sketch.histogram.counts.min() < 0 or not 0 <= sketch.n_novel <= sketch.n:
            raise ValueError(f"the counts of {name} cannot be")
        if sketch.n >= 4 and not np.isfinite(reference.mean_moments).all():
            raise ValueError(f"the moments of {name} hold NaN or infinity")
