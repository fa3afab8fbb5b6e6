"""A metadata column of many rows ─► categories that can have colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CATEGORIES: Final = 40
"""Values of a column that have a colour of their own; all others share one."""


@dataclass(frozen=True, eq=False)
class Codes:
    """A column as categories.

    Parameters
    ----------
    names
        The categories, the most frequent first; of numbers, ranges in their order. The last is "other"
        where there were too many, and "(empty)" is one like any other.
    values
        (n,) uint8.
    """

    names: tuple[str, ...]
    values: NDArray[np.uint8]


def coded(pieces: Sequence[pa.ChunkedArray]) -> Codes:
    """The categories of a column that comes in pieces of texts or numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = {piece.type for piece in pieces if not pa.types.is_null(piece.type)}
    if any(pa.types.is_floating(kind) for kind in kinds):
        numbers = [np.asarray(_numbers(piece), dtype=np.float64) for piece in pieces]
        return _ranges(np.concatenate(numbers))
    texts = pa.chunked_array(
        [chunk for piece in pieces for chunk in piece.cast(pa.string()).chunks], pa.string()
    )
    filled = pc.fill_null(texts, "(empty)")
    encoded = filled.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = np.asarray(encoded.indices, dtype=np.int64)
    names = encoded.dictionary.to_pylist()
    counts = np.bincount(values, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    shown = [names[i] for i in order[:MAX_CATEGORIES]]
    if len(names) > MAX_CATEGORIES:
        shown.append("other")
    return Codes(tuple(shown), np.minimum(rank[values], MAX_CATEGORIES).astype(np.uint8))


def _numbers(piece: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(piece.type):
        return pc.fill_null(piece, float("nan")).to_numpy()
    return np.full(len(piece), np.nan)


def _ranges(values: NDArray[np.float64]) -> Codes:
    """Numbers as fifths of their values, or as they are where there are few."""
    is_known = np.isfinite(values)
    known = np.unique(values[is_known])
    if len(known) <= MAX_CATEGORIES // 4:
        codes = np.searchsorted(known, np.where(is_known, values, known[0] if len(known) else 0))
        names = [f"{value:g}" for value in known]
    else:
        edges = np.unique(np.quantile(values[is_known], [0.2, 0.4, 0.6, 0.8]))
        codes = np.searchsorted(edges, np.where(is_known, values, 0), side="right")
        ends = [float(known[0]), *edges.tolist(), float(known[-1])]
        names = [f"{a:.4g} to {b:.4g}" for a, b in pairwise(ends)]
    if not is_known.all():
        codes = np.where(is_known, codes, len(names))
        names.append("(empty)")
    return Codes(tuple(names), codes.astype(np.uint8))
