"""One row of a table, as a person can look it up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One row that stands for others.

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
