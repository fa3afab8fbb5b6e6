"""What every adapter shares: read cases, judge each window, write scores.

Adapters run inside another tool's own environment, so this file needs numpy alone:

    python evidently_peer.py jobs.json

`jobs.json` is a list of `{"method", "case", "out", "n_default"}`: the judge, the case's file, where the
result goes, and for how many of the first windows the tool's own, slow p-value is computed too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A baseline and windows: (N, width), (W, n, width), and their cluster labels (N,), (W, n)."""

    baseline: np.ndarray
    windows: np.ndarray
    baseline_labels: np.ndarray
    window_labels: np.ndarray
    n_clusters: int
    n_default: int


@dataclass(frozen=True)
class Found:
    """One window's score (higher means more drift), the tool's p-value, and its own verdict, if any."""

    score: float
    p_value: float | None = None
    alarm: bool | None = None


Method = Callable[[Case], Iterable[Found]]


def main(methods: dict[str, Method], packages: tuple[str, ...]) -> None:
    """Do the jobs of the file named on the command line; results that exist are kept."""
    versions = {package: version(package) for package in packages}
    for job in json.loads(Path(sys.argv[1]).read_text()):
        out = Path(job["out"])
        if not out.exists():
            result = _judged(methods[job["method"]], Path(job["case"]), job["n_default"])
            _write(out, result | {"method": job["method"], "versions": versions})


def _judged(method: Method, path: Path, n_default: int) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        case = Case(
            baseline=arrays["baseline"],
            windows=arrays["windows"],
            baseline_labels=arrays["baseline_labels"],
            window_labels=arrays["window_labels"],
            n_clusters=int(arrays["n_clusters"]),
            n_default=n_default,
        )
        kinds = arrays["kinds"].tolist()
    np.random.seed(int(path.stem))
    began = time.perf_counter()
    found = list(method(case))
    seconds = (time.perf_counter() - began) / len(found)
    if len(found) != len(kinds):
        raise RuntimeError(f"{len(kinds)} windows, but {len(found)} scores")
    return {
        "kinds": kinds,
        "scores": [_number(one.score) for one in found],
        "p_values": [None if one.p_value is None else _number(one.p_value) for one in found],
        "alarms": [None if one.alarm is None else bool(one.alarm) for one in found],
        "seconds_per_window": seconds,
    }


def _number(value: float) -> float | str:
    # JSON knows no infinity.
    value = float(value)
    return value if np.isfinite(value) else str(value)


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(result))
    part.replace(path)
