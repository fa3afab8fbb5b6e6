"""Which metadata columns carry a shift of the clusters: by another mix of values, or by few of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.value_table import OTHER, ValueTable
from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.log_linear import uneven_shift_p_values
from monitor.drift.causes.shift_parts import split_shift
from monitor.drift.monte_carlo import count_reached, p_values
from monitor.drift.significance import holm

_FEW_DRAWS: Final = 99
_N_DRAWS: Final = 999
_CLEARLY_CHANCE: Final = 0.15
_LEAST_ROWS: Final = 5
"""Values with fewer rows in the window are taken together: alone they could not be significant."""


def explain(
    baseline: Mapping[str, ValueTable],
    window: Mapping[str, ValueTable],
    *,
    alpha: float = 0.05,
    random_state: int = 0,
) -> tuple[ColumnExplanation, ...]:
    """Explain a window's shift by its metadata columns.

    `split_shift` takes the shift apart. What it finds is held against chance:

    - *Another mix* is named when two X² tests are both significant (Berger 1982): that the values'
      counts changed, and that values go with clusters in the baseline.
    - *A concentration* in some values is named by `uneven_shift_p_values`: a shift that all values have
      in common names none. A new value has no rows of its own in the baseline; the whole of it stands in.

    Rows are taken to be independent.

    Parameters
    ----------
    baseline, window
        The tables of each column (see `fit_values` and `count_values`); columns that only one of the
        two has are left out.
    alpha
        A column that has nothing to do with the shift is named at most this often, over all of them.
    random_state
        Seed of the drawn tables.

    Returns
    -------
    One `ColumnExplanation` per column, the strongest first.

    Examples
    --------
    >>> from monitor.clusters.value_table import count_values, fit_values
    >>> rng = np.random.default_rng(0)
    >>> before = rng.choice(["FR", "DE", "IT"], 3000), rng.choice(4, 3000)
    >>> country, clusters = rng.choice(["FR", "DE", "IT"], 900), rng.choice(4, 900)
    >>> clusters[(country == "FR") & (rng.random(900) < 0.5)] = 3
    >>> table = fit_values(*before, n_clusters=4)
    >>> explain({"country": table}, {"country": count_values(country, clusters, table)})[0].sentence
    '100 % of the shift sits in country = FR, which has 35 % of the rows'
    """
    columns = [column for column in baseline if column in window]
    unadjusted = [
        _explain_column(
            column,
            baseline[column],
            window[column],
            alpha=alpha,
            rng=np.random.default_rng([random_state, row]),
        )
        for row, column in enumerate(columns)
    ]
    adjusted = holm(
        np.array([[f.mix_p_value, f.concentration_p_value] for f in unadjusted]).ravel()
    )
    explained = [
        ColumnExplanation(
            column=column,
            explained_share=f.explained_share,
            mix_p_value=float(mix_p),
            concentration=f.concentration,
            concentration_p_value=float(concentration_p),
            values=f.values,
            alpha=alpha,
        )
        for column, f, (mix_p, concentration_p) in zip(
            columns, unadjusted, adjusted.reshape(-1, 2), strict=True
        )
    ]
    return tuple(
        sorted(explained, key=lambda e: (-e.strength, min(e.mix_p_value, e.concentration_p_value)))
    )


@dataclass(frozen=True)
class _Unadjusted:
    explained_share: float
    mix_p_value: float
    concentration: float
    concentration_p_value: float
    values: tuple[ValueShift, ...]


def _explain_column(
    column: str,
    baseline: ValueTable,
    window: ValueTable,
    *,
    alpha: float,
    rng: np.random.Generator,
) -> _Unadjusted:
    if baseline.known != window.known or baseline.counts.shape != window.counts.shape:
        raise ValueError(
            f"the window's table of {column!r} was made for another baseline; "
            "count its values with this baseline's table"
        )
    after = np.concatenate([window.counts, window.new_counts])
    before = np.concatenate([baseline.counts, np.zeros_like(window.new_counts)])
    if not before.any() or not after.any():
        return _Unadjusted(0.0, 1.0, 0.0, 1.0, ())
    mix_p_value = max(
        _independence_p_value(np.stack([before.sum(axis=1), after.sum(axis=1)]), rng),
        _independence_p_value(before, rng),
    )
    names, before, after = _pooled((*window.known, OTHER, *window.new), before, after)
    stand_in = np.where(before.any(axis=1, keepdims=True), before, before.sum(axis=0))
    in_window = after.any(axis=1)
    p_values = np.ones(len(names))
    if in_window.sum() > 1:
        p_values[in_window] = uneven_shift_p_values(
            np.stack([stand_in[in_window], after[in_window]]), rng=rng
        )
    parts = split_shift(before, after, stand_in)
    share_before, share_after = before.sum(axis=1) / before.sum(), after.sum(axis=1) / after.sum()
    surplus = parts.own - share_after * parts.own.sum()
    certain = surplus[p_values <= alpha]
    return _Unadjusted(
        explained_share=parts.mix,
        mix_p_value=mix_p_value,
        # What some values have too much of, the others lack: either side may be the significant one.
        concentration=float(max(certain[certain > 0].sum(), -certain[certain < 0].sum())),
        concentration_p_value=float(p_values.min()),
        values=tuple(
            ValueShift(
                value=names[v],
                is_new=not before[v].any(),
                baseline_share=float(share_before[v]),
                window_share=float(share_after[v]),
                shift_share=float(parts.own[v]),
                p_value=float(p_values[v]),
            )
            for v in np.argsort(-surplus, kind="stable")
        ),
    )


def _pooled(
    names: tuple[str, ...], before: NDArray[np.int64], after: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The same with values of few rows in the window under `OTHER`, and those without any left out."""
    n, n_before = after.sum(axis=1), before.sum(axis=1)
    few = (n < _LEAST_ROWS) & (n > 0) | (np.array(names) == OTHER)
    alone = ~few & (n + n_before > 0)
    before, after = (
        np.concatenate([counts[alone], counts[few].sum(axis=0, keepdims=True)])
        for counts in (before, after)
    )
    kept = [*(name for name, keep in zip(names, alone, strict=True) if keep), OTHER]
    if before[-1].any() or after[-1].any():
        return kept, before, after
    return kept[:-1], before[:-1], after[:-1]


def _independence_p_value(table: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Pearson's X² of a table, held against tables drawn with its row sums and pooled shares."""
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    if min(table.shape) < 2:
        return 1.0
    sizes, pooled = table.sum(axis=1), table.sum(axis=0) / table.sum()
    observed = _chi_square(table)
    # Many draws are only needed to resolve a small p-value (Besag & Clifford 1991).
    for n_draws in (_FEW_DRAWS, _N_DRAWS):
        null = _chi_square(rng.multinomial(sizes, pooled, size=(n_draws, len(sizes))))
        p_value = float(p_values(count_reached(null, observed), n_draws))
        if p_value > _CLEARLY_CHANCE:
            break
    return p_value


def _chi_square(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    rows, columns = tables.sum(axis=-1, keepdims=True), tables.sum(axis=-2, keepdims=True)
    expected = rows * columns / tables.sum(axis=(-2, -1), keepdims=True)
    terms = np.divide(
        (tables - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0
    )
    return np.asarray(terms.sum(axis=(-2, -1)))
