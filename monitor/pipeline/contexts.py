"""Contexts of a frame's rows: hours and days of the week from their times, other ones from columns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters import RowContexts, Strata
from monitor.clusters.strata import MOST_STRATA
from monitor.errors import InvalidInputError
from monitor.frames import Times
from monitor.pipeline.rows import EMPTY, segment_values
from monitor.rules import HOUR, OF_TIME

OTHERS: Final = "(others)"
LEAST_CHANGE: Final = 0.1
"""A context's mix is told to have changed from this share of rows on."""
CLEAR: Final = 0.001
_QUARTER: Final = np.timedelta64(15, "m")  # zones differ by quarters of an hour
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Key = tuple[str, ...]


def context_keys(
    frame: Any, names: Sequence[str], times: Times | None, zone: ZoneInfo
) -> list[Key]:
    """Of each row of the frame, the value of each context.

    Parameters
    ----------
    frame
        The rows.
    names
        "hour", "weekday", and metadata columns.
    times
        When each row happened.
    zone
        Whose hours and days these are.

    Raises
    ------
    InvalidInputError
        If an hour or weekday is asked for and rows have no times, or a context is named twice.
    MissingColumnError
        If there is no such column.
    """
    if len(set(names)) < len(names):
        raise InvalidInputError(f"context names {', '.join(names)}: name each one once")
    values = []
    for name in names:
        if name not in OF_TIME:
            values.append(segment_values(frame, name).tolist())
        elif times is None:
            raise InvalidInputError(
                f"context={name!r} needs to know when each row happened: give timestamp_column too"
            )
        else:
            values.append(_of_time(name, times.values, zone))
    return list(zip(*values, strict=True))


def fitted_contexts(names: Sequence[str], keys: Sequence[Key]) -> RowContexts:
    """The strata of a baseline's rows: those with most rows, and one for all others if they are too many."""
    counts = Counter(keys)
    known = sorted(counts, key=lambda key: (-counts[key], key))
    if len(known) > MOST_STRATA:
        known = [*known[: MOST_STRATA - 1], (OTHERS,) * len(names)]
    number = {key: at for at, key in enumerate(known)}
    last = len(known) - 1
    return RowContexts(
        tuple(names),
        tuple(known),
        np.array([number.get(key, last) for key in keys], dtype=np.int64),
    )


def strata_of(keys: Sequence[Key], context: Strata) -> NDArray[np.int64]:
    """(n,) which of a baseline's strata each row is in; one more than the last for none of them."""
    number = {key: at for at, key in enumerate(context.keys)}
    none = number.get((OTHERS,) * len(context.names), len(context.keys))
    return np.array([number.get(key, none) for key in keys], dtype=np.int64)


def context_notes(contexts: NDArray[np.int64], context: Strata) -> list[str]:
    """What must be known of a window's contexts, in sentences.

    Parameters
    ----------
    contexts
        (strata + 1,) how many of its rows are in each stratum, and in none.
    context
        Those of the baseline.
    """
    n = int(contexts.sum())
    if n == 0:
        return []
    notes = []
    if n_unknown := int(contexts[-1]):
        notes.append(
            f"{n_unknown:,} of {n:,} rows are of a context ({', '.join(context.names)}) that the baseline "
            "has no rows of, and are compared with all of it"
        )
    before = np.array([part.sketch.n for part in context.parts])
    notes += _of_others(before, contexts[:-1], context)
    for at, name in enumerate(context.names):
        if name in OF_TIME or not contexts[:-1].sum():
            continue
        values, which = np.unique([key[at] for key in context.keys], return_inverse=True)
        table = np.array([np.bincount(which, counts) for counts in (before, contexts[:-1])])
        # What the rare ones and those that are new have together is no value.
        values, table = values[values != OTHERS], table[:, values != OTHERS]
        if not table.sum(axis=1).all():
            continue
        shares = table / table.sum(axis=1, keepdims=True)
        change = shares[1] - shares[0]
        is_clear = len(values) > 1 and stats.chi2_contingency(table).pvalue <= CLEAR
        if is_clear and np.abs(change).sum() / 2 >= LEAST_CHANGE:
            most = np.argsort(-np.abs(change), kind="stable")[:3]
            changes = ", ".join(
                f"{values[i]} {shares[0, i]:.0%} to {shares[1, i]:.0%}" for i in most
            )
            notes.append(
                f"the mix of {name} changed ({changes}); that is no drift of the images, which are compared "
                "at the window's own mix"
            )
    return notes


def _of_others(before: NDArray[np.int64], now: NDArray[np.int64], context: Strata) -> list[str]:
    """That more rows than in the baseline are of contexts which are not told apart there."""
    is_others = np.array([OTHERS in key for key in context.keys])
    table = np.array([[part[is_others].sum(), part[~is_others].sum()] for part in (before, now)])
    if not (table.sum(axis=0).all() and table.sum(axis=1).all()):
        return []
    was, share = table[:, 0] / table.sum(axis=1)
    if stats.chi2_contingency(table).pvalue > CLEAR or share - was < LEAST_CHANGE:
        return []
    told = (
        f"{table[1, 0]:,} of {now.sum():,} rows are of a context ({', '.join(context.names)}) that the "
        f"baseline has few rows of or none, in the baseline {was:.0%}: they are compared with all such rows "
        "together"
    )
    return [told]


def _of_time(name: str, instants: NDArray[np.datetime64], zone: ZoneInfo) -> list[str]:
    words = np.full(len(instants), EMPTY, dtype=object)
    is_dated = ~np.isnat(instants)
    quarters, index = np.unique(
        (instants[is_dated] - np.datetime64(0, "us")) // _QUARTER, return_inverse=True
    )
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    local = [(start + dt.timedelta(minutes=15 * int(at))).astimezone(zone) for at in quarters]
    of_quarters = [f"{at.hour:02d} h" if name == HOUR else _DAYS[at.weekday()] for at in local]
    words[is_dated] = np.array(of_quarters, dtype=object)[index]
    return words.tolist()
