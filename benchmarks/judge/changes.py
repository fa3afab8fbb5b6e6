"""Windows of real images that were changed in a known way, for `judge.causes`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from judge.image_sets import ImageSet
from monitor.drift import ShiftKind

PARTIAL = ("blur σ 1", "box blur 3", "channels swapped")
SHARES = (0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Window:
    """A window whose change is known.

    Parameters
    ----------
    frame
        Its rows, numbered from 0.
    kind
        The right first word.
    share
        The share of rows that was changed; NaN where rows were only drawn with other weights.
    is_changed
        (n,) which rows these are.
    """

    frame: pd.DataFrame
    kind: str
    share: float
    is_changed: NDArray[np.bool_]


def windows(images: ImageSet, others: NDArray[np.int64], seed: int) -> dict[str, Window]:
    """One window of each kind; `others` are rows of the monitored domain that the baseline does not have."""
    rng = np.random.default_rng([seed, 0x77696E])
    frame = images.frame.drop(columns="image")
    n_changed = len(next(iter(images.changed.values())))
    n_window = images.n_window
    drawn: dict[str, Window] = {}

    def calm(n: int) -> pd.DataFrame:
        return frame.iloc[rng.permutation(others)[:n]]

    def add(label: str, changed: pd.DataFrame, kind: str, share: float) -> None:
        rest = calm(n_window - len(changed))
        both = pd.concat([changed, rest], ignore_index=True)
        drawn[label] = Window(both, kind, share, np.arange(len(both)) < len(changed))

    add("none", calm(0), "–", 0.0)
    for name, changed in images.changed.items():
        for share in (1.0, 0.2) if name in PARTIAL else (1.0,):
            rows = changed.iloc[rng.permutation(n_changed)[: round(n_window * share)]]
            label = name if share == 1 else f"{name}, {share:.0%}"
            add(label, rows, ShiftKind.TECHNICAL, share)
    for domain in images.others:
        members = images.members(domain)
        for share in SHARES:
            if len(members) < round(n_window * share):
                continue
            rows = frame.iloc[rng.permutation(members)[: round(n_window * share)]]
            add(f"{domain}, {share:.0%}", rows, ShiftKind.NEW_CONTENT, share)
    for share in (0.1, 0.3):
        placeholder = calm(1)
        same = pd.concat([placeholder] * round(n_window * share), ignore_index=True)
        add(f"placeholder, {share:.0%}", same, ShiftKind.BROKEN_FEED, share)
    for share in (0.15, 0.6):
        missing = calm(round(n_window * share)).copy()
        missing["vector"] = None
        missing["vector_quality"] = None
        missing["vector_failure"] = "not_found"
        add(f"missing, {share:.0%}", missing, ShiftKind.BROKEN_FEED, share)
    labels = frame["label"].to_numpy()[others]
    if len(set(labels.tolist())) < 6:
        return drawn
    common = pd.Series(labels).value_counts().index[:6].to_numpy()
    weights = np.where(labels == rng.choice(common), 4.0, 1.0)
    rows = rng.choice(others, n_window, replace=False, p=weights / weights.sum())
    drawn["one class ×4"] = _drawn(frame.iloc[rows], ShiftKind.NEW_MIX)
    kept = others[~np.isin(labels, rng.choice(common, 3, replace=False))]
    rows = rng.permutation(kept)[:n_window]
    drawn["three classes gone"] = _drawn(frame.iloc[rows], ShiftKind.CONTENT_LOST)
    return drawn


def _drawn(rows: pd.DataFrame, kind: str) -> Window:
    rows = rows.reset_index(drop=True)
    return Window(rows, kind, float("nan"), np.zeros(len(rows), dtype=bool))
