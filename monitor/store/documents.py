"""What the store keeps as one piece: a window's sketch and a baseline, as safetensors."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.sketch import WindowSketch
from monitor.errors import StoreError

_COUNTS, _FAILURES = "histogram.counts", "histogram.failures"
_NONE = "none."
"""Stands before the name of a field that is None."""


def sketch_to_bytes(sketch: WindowSketch) -> bytes:
    """A sketch as safetensors: its arrays, and its numbers as arrays without a dimension."""
    from safetensors.numpy import save

    failures = json.dumps(dict(sketch.histogram.failures)).encode()
    arrays: dict[str, NDArray[Any]] = {
        _COUNTS: np.asarray(sketch.histogram.counts, dtype=np.int64),
        _FAILURES: np.frombuffer(failures, dtype=np.uint8),
    }
    for field in dataclasses.fields(WindowSketch):
        value = getattr(sketch, field.name)
        if value is None:
            arrays[_NONE + field.name] = np.empty(0)
        elif field.name != "histogram":
            # `ascontiguousarray` alone would give a number a dimension.
            arrays[field.name] = np.ascontiguousarray(value).reshape(np.shape(value))
    return bytes(save(arrays))


def sketch_from_bytes(content: bytes) -> WindowSketch:
    """The sketch that `sketch_to_bytes` wrote.

    Raises
    ------
    StoreError
        If it is none.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        failures = json.loads(arrays.pop(_FAILURES).tobytes())
        values: dict[str, Any] = dict(_value(name, array) for name, array in arrays.items())
        return WindowSketch(ClusterHistogram(values.pop(_COUNTS), failures), **values)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"a stored sketch cannot be read ({type(error).__name__}: {error}): restore the store from "
            "a copy, or judge its window again"
        ) from error


def baseline_to_bytes(baseline: Baseline) -> bytes:
    """The file that `baseline.save` writes."""
    with tempfile.TemporaryDirectory() as folder:
        return baseline.save(Path(folder) / "baseline.safetensors").read_bytes()


def baseline_from_bytes(content: bytes) -> Baseline:
    """The baseline in such a file.

    Raises
    ------
    BaselineError
        If it is none of ours, or was changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.safetensors"
        path.write_bytes(content)
        return Baseline.load(path)


def _value(name: str, array: NDArray[Any]) -> tuple[str, Any]:
    if name.startswith(_NONE):
        return name.removeprefix(_NONE), None
    return name, array.item() if array.ndim == 0 else array
