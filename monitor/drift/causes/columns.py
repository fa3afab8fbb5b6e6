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
"""Values with fewer rows in the window are taken together: alone they could not be told from chance."""


def explain(
    baseline: Mapping[str, ValueTable],
    window: Mapping[str, ValueTable],
    *,
    alpha: float = 0.05,
    random_state: int = 0,
) -> tuple[ColumnExplanation, ...]:
    """Hold a window's shift against its metadata columns.

    `split_shift` takes the shift apart. What it finds is held against chance:

    - *Another mix* is named when two X² tests both see something (Berger 1982): that the values' counts
      changed, and that values go with clusters in the baseline.
    - *A place* is named by `uneven_shift_p_values`: a shift that all values have in common names none.
      A new value has no rows of its own to be compared with; the whole baseline stands in.

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
    >>> held = rng.choice(["FR", "DE", "IT"], 3000), rng.choice(4, 3000)
    >>> country, clusters = rng.choice(["FR", "DE", "IT"], 900), rng.choice(4, 900)
    >>> clusters[(country == "FR") & (rng.random(900) < 0.5)] = 3
    >>> table = fit_values(*held, n_clusters=4)
    >>> explain({"country": table}, {"country": count_values(country, clusters, table)})[0].sentence
    '100 % of the shift sits in country = FR, which has 35 % of the rows'
    """
    columns = [column for column in baseline if column in window]
    found = [
        _explain_column(
            column,
            baseline[column],
            window[column],
            alpha=alpha,
            rng=np.random.default_rng([random_state, row]),
        )
        for row, column in enumerate(columns)
    ]
    adjusted = holm(np.array([[f.mix_p_value, f.place_p_value] for f in found]).ravel())
    explained = [
        ColumnExplanation(
            column=column,
            explained_share=f.explained_share,
            mix_p_value=float(mix_p),
            concentration=f.concentration,
            place_p_value=float(place_p),
            values=f.values,
            alpha=alpha,
        )
        for column, f, (mix_p, place_p) in zip(columns, found, adjusted.reshape(-1, 2), strict=True)
    ]
    return tuple(
        sorted(explained, key=lambda e: (-e.strength, min(e.mix_p_value, e.place_p_value)))
    )


@dataclass(frozen=True)
class _Found:
    explained_share: float
    mix_p_value: float
    concentration: float
    place_p_value: float
    values: tuple[ValueShift, ...]


def _explain_column(
    column: str,
    baseline: ValueTable,
    window: ValueTable,
    *,
    alpha: float,
    rng: np.random.Generator,
) -> _Found:
    if baseline.known != window.known or baseline.counts.shape != window.counts.shape:
        raise ValueError(
            f"the window's table of {column!r} was made for another baseline; "
            "count its values with this baseline's table"
        )
    seen = np.concatenate([window.counts, window.new_counts])
    held = np.concatenate([baseline.counts, np.zeros_like(window.new_counts)])
    if not held.any() or not seen.any():
        return _Found(0.0, 1.0, 0.0, 1.0, ())
    mix_p_value = max(
        _independence_p_value(np.stack([held.sum(axis=1), seen.sum(axis=1)]), rng),
        _independence_p_value(held, rng),
    )
    names, held, seen = _pooled((*window.known, OTHER, *window.new), held, seen)
    stand_in = np.where(held.any(axis=1, keepdims=True), held, held.sum(axis=0))
    in_window = seen.any(axis=1)
    p_values = np.ones(len(names))
    if in_window.sum() > 1:
        p_values[in_window] = uneven_shift_p_values(
            np.stack([stand_in[in_window], seen[in_window]]), rng=rng
        )
    parts = split_shift(held, seen, stand_in)
    before, now = held.sum(axis=1) / held.sum(), seen.sum(axis=1) / seen.sum()
    surplus = parts.own - now * parts.own.sum()
    certain = surplus[p_values <= alpha]
    return _Found(
        explained_share=parts.mix,
        mix_p_value=mix_p_value,
        # What some values have too much of, the others lack: either side may be the one to be sure of.
        concentration=float(max(certain[certain > 0].sum(), -certain[certain < 0].sum())),
        place_p_value=float(p_values.min()),
        values=tuple(
            ValueShift(
                value=names[v],
                is_new=not held[v].any(),
                baseline_share=float(before[v]),
                window_share=float(now[v]),
                shift_share=float(parts.own[v]),
                p_value=float(p_values[v]),
            )
            for v in np.argsort(-surplus, kind="stable")
        ),
    )


def _pooled(
    names: tuple[str, ...], held: NDArray[np.int64], seen: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The same with values of few rows in the window under `OTHER`, and those without any left out."""
    n, n_held = seen.sum(axis=1), held.sum(axis=1)
    few = (n < _LEAST_ROWS) & (n > 0) | (np.array(names) == OTHER)
    alone = ~few & (n + n_held > 0)
    held, seen = (
        np.concatenate([counts[alone], counts[few].sum(axis=0, keepdims=True)])
        for counts in (held, seen)
    )
    kept = [*(name for name, keep in zip(names, alone, strict=True) if keep), OTHER]
    if held[-1].any() or seen[-1].any():
        return kept, held, seen
    return kept[:-1], held[:-1], seen[:-1]


def _independence_p_value(table: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Pearson's X² of a table, held against tables drawn with its row sums and pooled shares."""
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    if min(table.shape) < 2:
        return 1.0
    sizes, pooled = table.sum(axis=1), table.sum(axis=0) / table.sum()
    seen = _chi_square(table)
    # Many draws are only for telling how small a small p-value is (Besag & Clifford 1991).
    for n_draws in (_FEW_DRAWS, _N_DRAWS):
        null = _chi_square(rng.multinomial(sizes, pooled, size=(n_draws, len(sizes))))
        p_value = float(p_values(count_reached(null, seen), n_draws))
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
