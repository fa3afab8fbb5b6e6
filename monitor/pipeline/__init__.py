"""The three verbs, wired: embed a frame, fit a baseline on it, judge another against it."""

from monitor.pipeline.detect import detect_drift
from monitor.pipeline.embed import embed
from monitor.pipeline.fit import fit_baseline

__all__ = ["detect_drift", "embed", "fit_baseline"]
