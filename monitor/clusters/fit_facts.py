"""What is known of how a baseline was fitted, beside its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FitFacts:
    """What a report says of the fit.

    Parameters
    ----------
    group_column
        The column whose values rows were grouped by.
    notes
        What must be known of the rows, in sentences.
    """

    group_column: str | None = None
    notes: tuple[str, ...] = ()
