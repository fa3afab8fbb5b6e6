"""Pixel statistics as counts in the baseline's own bins: of fixed size, and merged without rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.pixel_scores import correlations
from monitor.codec import Shape

LEVELS: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Quantiles of the baseline that separate the bins; finer at the ends, where a blurred feed ends up."""
_ATOM: Final = 0.05
"""A value that more than this share of the baseline has, such as a feed's usual width, is a bin of its own:
otherwise values on both sides of it would fall into its bin."""
_N_EDGES: Final = 2 * len(LEVELS)
N_BINS: Final = _N_EDGES + 1


@dataclass(frozen=True, eq=False)
class QualitySketch:
    """How many rows have each field in each bin. Sketches in the same bins add up, to the bit.

    Parameters
    ----------
    counts
        (n_fields, n_bins) int64.
    n_missing
        (n_fields,) int64, rows whose field is not finite.
    least, greatest
        (n_fields, n_bins) float32, the bin's extreme values; +inf and −inf where it is empty. A median
        is interpolated between them, also in the outermost bins, which have no other bounds.
    """

    counts: Annotated[NDArray[np.int64], Shape("fields", _N_EDGES + 1)]
    n_missing: Annotated[NDArray[np.int64], Shape("fields")]
    least: Annotated[NDArray[np.float32], Shape("fields", _N_EDGES + 1, finite=False)]
    greatest: Annotated[NDArray[np.float32], Shape("fields", _N_EDGES + 1, finite=False)]

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.counts[:1].sum() + self.n_missing[:1].sum())

    @property
    def table(self) -> NDArray[np.int64]:
        """(n_fields, n_bins + 1) int64: the counts, those of missing values last."""
        return np.concatenate([self.counts, self.n_missing[:, None]], axis=1)

    @property
    def medians(self) -> NDArray[np.float64]:
        """(n_fields,) the medians, interpolated within their bins; NaN where no row has the field."""
        return np.array(
            [_median(*rows) for rows in zip(self.counts, self.least, self.greatest, strict=True)]
        )

    def scaled(self, factor: float) -> QualitySketch:
        """The same shares of `factor` times as many rows."""
        # Each field's bins and missing rows are rounded so that all fields have as many rows.
        n = round(self.n * factor)
        up_to = np.cumsum(self.table, axis=1) * (n / max(self.n, 1))
        table = np.diff(np.rint(up_to).astype(np.int64), axis=1, prepend=0)
        return replace(self, counts=table[:, :-1], n_missing=table[:, -1])

    def __add__(self, other: QualitySketch) -> QualitySketch:
        if self.counts.shape != other.counts.shape:
            raise ValueError(
                f"sketches of {self.counts.shape} and {other.counts.shape} fields × bins do not add "
                "up; make both with the same QualityReference"
            )
        return QualitySketch(
            counts=self.counts + other.counts,
            n_missing=self.n_missing + other.n_missing,
            least=np.minimum(self.least, other.least),
            greatest=np.maximum(self.greatest, other.greatest),
        )


@dataclass(frozen=True, eq=False)
class QualityReference:
    """The baseline's pixel statistics, and the bins that windows are counted in.

    Parameters
    ----------
    fields
        Their names.
    edges
        (n_fields, n_bins − 1) float32, ascending; bin j holds edges[j − 1] ≤ value < edges[j]. Fields
        with few distinct values have fewer edges: +inf stands for the rest.
    correlations
        (n_fields · N_SCORES, n_fields · N_SCORES) float64, of the rows' pixel scores (see `PixelDifference`).
    sketch
        The baseline's own rows.

    Examples
    --------
    >>> widths = np.array([[32.0]] * 100)
    >>> reference = fit_quality(widths, ["width"])
    >>> window = reference.count([[32.0], [64.0]]) + reference.count([[64.0], [float("nan")]])
    >>> window.n, window.n_missing.tolist(), window.medians.tolist()
    (4, [1], [64.0])
    """

    fields: tuple[str, ...]
    edges: Annotated[NDArray[np.float32], Shape("fields", _N_EDGES, finite=False)]
    correlations: Annotated[NDArray[np.float64], Shape("pixel_scores", "pixel_scores")]
    sketch: QualitySketch

    def count(self, values: object) -> QualitySketch:
        """The sketch of `values`, (n, n_fields), NaN where a field could not be measured."""
        return _count(_checked(values, len(self.fields)), self.edges)

    def bins(self, values: object) -> NDArray[np.int64]:
        """(n, n_fields) the bin of each value; `N_BINS` for missing ones."""
        return _bins(_checked(values, len(self.fields)), self.edges)


def fit_quality(values: object, fields: Sequence[str]) -> QualityReference:
    """The reference of a baseline.

    Parameters
    ----------
    values
        (n, n_fields), a row for each image; NaN where a field could not be measured.
    fields
        The names of the columns.

    Raises
    ------
    ValueError
        If `values` is not a matrix with a column for each field.
    """
    rows = _checked(values, len(fields))
    edges = np.array([_edges(column) for column in rows.T]).reshape(-1, _N_EDGES)
    of_scores = correlations(_bins(rows, edges), N_BINS + 1)
    return QualityReference(tuple(fields), edges, of_scores, _count(rows, edges))


def _checked(values: object, n_fields: int) -> NDArray[np.float32]:
    rows = np.asarray(values, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != n_fields:
        raise ValueError(
            f"the statistics have shape {rows.shape}; a column for each of {n_fields} fields is "
            f"needed, (n, {n_fields})"
        )
    return rows


def _edges(column: NDArray[np.float32]) -> NDArray[np.float32]:
    known = column[np.isfinite(column)]
    edges = np.full(_N_EDGES, np.inf, dtype=np.float32)
    if known.size:
        cuts = np.unique(np.quantile(known, LEVELS, method="inverted_cdf"))
        atoms = cuts[[np.count_nonzero(known == cut) > _ATOM * known.size for cut in cuts]]
        inner = np.unique(np.concatenate([cuts, np.nextafter(atoms, np.float32(np.inf))]))
        edges[: len(inner)] = inner
    return edges


def _bins(rows: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    bins = [
        np.where(np.isfinite(column), np.searchsorted(own, column, side="right"), N_BINS)
        for column, own in zip(rows.T, edges, strict=True)
    ]
    return np.stack(bins, axis=1) if bins else np.empty((len(rows), 0), dtype=np.int64)


def _count(rows: NDArray[np.float32], edges: NDArray[np.float32]) -> QualitySketch:
    shape = len(edges), _N_EDGES + 1
    counts = np.zeros(shape, dtype=np.int64)
    least = np.full(shape, np.inf, dtype=np.float32)
    greatest = np.full(shape, -np.inf, dtype=np.float32)
    for field, column in enumerate(rows.T):
        known = column[np.isfinite(column)]
        bins = np.searchsorted(edges[field], known, side="right")
        counts[field] = np.bincount(bins, minlength=shape[1])
        np.minimum.at(least[field], bins, known)
        np.maximum.at(greatest[field], bins, known)
    return QualitySketch(counts, len(rows) - counts.sum(axis=1), least, greatest)


def _median(
    counts: NDArray[np.int64], least: NDArray[np.float32], greatest: NDArray[np.float32]
) -> float:
    up_to = np.cumsum(counts)
    if up_to[-1] == 0:
        return np.nan
    half = up_to[-1] / 2
    bin_ = int(np.searchsorted(up_to, half))
    within = (half - (up_to[bin_] - counts[bin_])) / counts[bin_]
    return float(least[bin_] + within * (greatest[bin_] - least[bin_]))
