"""Names from metadata columns: the value that a group of rows has far more often than the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scipy import stats

from monitor.clusters import Name
from monitor.redaction import redact_url, shorten

_LEAST_SHARE: Final = 0.5
"""A value names a group only if most of its rows have it."""
_LEAST_LIFT: Final = 2.0
_LEVEL: Final = 0.001
"""Of the hypergeometric test, over all values."""
_LEAST_ROWS: Final = 5
_LONGEST: Final = 60


@dataclass(frozen=True)
class ValueCounts:
    """How often each value of a column comes, in a group and outside of it.

    Parameters
    ----------
    inside, outside
        By value, rows.
    """

    inside: Mapping[str, int]
    outside: Mapping[str, int]


def name_by_lift(columns: Mapping[str, ValueCounts], *, ignored: frozenset[str]) -> Name:
    """The value that most rows of a group have and few others, such as "category = receipts".

    Of the values that most of the group's rows have, at least twice as often as others (their lift), and
    more often than chance gives (Fisher's exact test, adjusted by Bonferroni over all values), the one
    whose lift is highest.

    Parameters
    ----------
    columns
        By column, the counts.
    ignored
        Values that name nothing, such as an empty cell.

    Examples
    --------
    >>> counts = ValueCounts(inside={"receipt": 28, "shirt": 2}, outside={"shirt": 70, "receipt": 1})
    >>> name_by_lift({"category": counts}, ignored=frozenset()).text
    'category = receipt'
    """
    n_values = sum(len(counts.inside) for counts in columns.values())
    told: list[tuple[float, str]] = []
    for column, counts in columns.items():
        n, m = sum(counts.inside.values()), sum(counts.outside.values())
        for value, k in counts.inside.items():
            if value in ignored or n < _LEAST_ROWS or m == 0 or k < _LEAST_SHARE * n:
                continue
            others = counts.outside.get(value, 0)
            # One row more outside: a value that was never seen there has a lift, too.
            lift = (k / n) / ((others + 1) / (m + 1))
            p = float(stats.hypergeom.sf(k - 1, n + m, k + others, n)) * n_values
            if lift >= _LEAST_LIFT and p <= _LEVEL:
                told.append((lift, f"{column} = {shorten(redact_url(value), _LONGEST)}"))
    told.sort(key=lambda pair: (-pair[0], pair[1]))
    words = tuple(text for _, text in told[:3])
    return Name(words[0], words) if words else Name()
