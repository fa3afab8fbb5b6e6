"""What the rows of a drifted window show beside rows of the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, KnownRows
from monitor.drift.causes.changed import ChangedRows, changed_rows
from monitor.drift.causes.matched import MatchedShift, matched_shifts
from monitor.drift.causes.movement import MovementParts, movement_parts
from monitor.drift.causes.plausibility import Sides, is_plausible

LEAST_ROWS: Final = 20
"""On either side; of fewer rows nothing can be learned."""
_LEAST_MATCHED: Final = 0.05
"""A row that lies farther from the known rows than all but so many of them do has no match among them."""


@dataclass(frozen=True, eq=False)
class RowEvidence:
    """Which rows changed, what their mean's movement is made of, and what their pixels did.

    Parameters
    ----------
    changed
        The rows, told apart from the baseline's.
    parts
        Of the mean's movement; without the changes that pixels and sides of the images speak against.
    pixels
        Pixel statistics within matched content, the largest effect first; none where most rows have no
        match, or nothing was measured.
    """

    changed: ChangedRows
    parts: MovementParts
    pixels: tuple[MatchedShift, ...]


def row_evidence(
    vectors: NDArray[np.float32],
    quality: NDArray[np.float32] | None,
    baseline: Baseline,
    fields: Sequence[str] = (),
) -> RowEvidence | None:
    """Of a window's rows; None where these, or the baseline's known rows, are too few.

    Parameters
    ----------
    vectors
        (n, width) float32, scaled as `Baseline.assign` does.
    quality
        (n, fields) what `embed` measured; None where it did not.
    baseline
        With its known rows.
    fields
        The names of the pixel statistics.
    """
    known = baseline.known
    if min(len(known), len(vectors)) < LEAST_ROWS:
        return None
    changed = changed_rows(vectors, known, random_state=baseline.random_state)
    parts = movement_parts(
        vectors,
        known,
        baseline.whitener,
        baseline.movements,
        changed=changed.likely,
        random_state=baseline.random_state,
    )
    pixels = _pixels(changed, quality, baseline, fields)
    sides = _sides(known, fields) if pixels else None
    allowed = tuple(each for each in parts.likenesses if is_plausible(each, pixels, sides))
    return RowEvidence(changed, replace(parts, likenesses=allowed), pixels)


def _sides(known: KnownRows, fields: Sequence[str]) -> Sides | None:
    if not {"width", "height"} <= set(fields):
        return None
    sides = known.quality[:, [fields.index("width"), fields.index("height")]]
    return Sides(sides, sides[known.own_neighbours[1]])


def _pixels(
    changed: ChangedRows,
    quality: NDArray[np.float32] | None,
    baseline: Baseline,
    fields: Sequence[str],
) -> tuple[MatchedShift, ...]:
    known = baseline.known
    is_matched = changed.ranks > _LEAST_MATCHED
    if quality is None or known.quality.shape[1] != len(fields):
        return ()
    if is_matched.mean() < 0.5:
        return ()
    return matched_shifts(
        fields,
        quality[is_matched],
        known.quality,
        nearest=changed.nearest[is_matched],
        nearest_of_known=known.own_neighbours[1],
    )
