"""Thresholds that users set themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from monitor.clusters import BaselineStatistics
from monitor.drift.distances import DISTANCES, Distance, registry
from monitor.errors import InvalidInputError


def resolve_thresholds(
    thresholds: Mapping[str, float | str],
    reference: BaselineStatistics,
    distances: Sequence[Distance] = DISTANCES,
    *,
    minimum_rows: int = 1,
) -> dict[str, float]:
    """Thresholds as numbers.

    Parameters
    ----------
    thresholds
        By distance: a number ≥ 0, or text such as "3 sd": so many standard deviations above the mean that the
        distance has over the baseline's own windows, each held against all others.
    reference
        The baseline's, whose windows are taken.
    distances
        Those that are known.
    minimum_rows
        Windows of the baseline with fewer rows are left out.

    Raises
    ------
    InvalidInputError
        If a distance is not known, a threshold is neither of the two, or standard deviations are asked for
        and the baseline has no windows, or the distance is not over clusters.

    Examples
    --------
    >>> import monitor, numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(200, 4))
    >>> clusters = monitor.clusters
    >>> baseline = clusters.fit(rows, {"name": "points"}, clusters.Clustering(2))
    >>> resolve_thresholds({"jsd": 0.1}, baseline.statistics)
    {'jsd': 0.1}
    """
    known = {distance.name: distance for distance in distances}
    return {
        name: _in_deviations(known[name], number, reference, minimum_rows)
        if in_deviations
        else number
        for name, (number, in_deviations) in check_thresholds(thresholds, distances).items()
    }


def check_thresholds(
    thresholds: Mapping[str, float | str], distances: Sequence[Distance] = DISTANCES
) -> dict[str, tuple[float, bool]]:
    """Each threshold as a number, and whether that counts standard deviations.

    Raises
    ------
    InvalidInputError
        If a distance is not known, or a threshold is neither a number ≥ 0 nor such as "3 sd".

    Examples
    --------
    >>> check_thresholds({"jsd": 0.1, "psi": "3 sd"})
    {'jsd': (0.1, False), 'psi': (3.0, True)}
    """
    known = dict.fromkeys([*(distance.name for distance in distances), *registry.names()])
    for name in thresholds:
        if name not in known:
            raise InvalidInputError(
                f"thresholds name the distance {name!r}; known are {', '.join(known)}"
            )
    numbers = {}
    for name, threshold in thresholds.items():
        try:
            numbers[name] = parse_threshold(threshold)
        except ValueError as error:
            raise InvalidInputError(f"the threshold of {name!r}: {error}") from error
    return numbers


def parse_threshold(threshold: float | str) -> tuple[float, bool]:
    """A threshold as a number, and whether that counts standard deviations.

    Raises
    ------
    ValueError
        If it is neither a number ≥ 0 nor such as "3 sd".
    """
    text = str(threshold).strip()
    try:
        number = float(text.removesuffix("sd"))
    except ValueError:
        number = -1.0
    if isinstance(threshold, bool) or not 0 <= number < float("inf"):
        raise ValueError(
            f"{threshold!r} is neither a number of 0 or more, such as 0.1, nor standard deviations above the "
            'mean of the baseline\'s windows, such as "3 sd"'
        )
    return number, text.endswith("sd")


def _in_deviations(
    distance: Distance, number: float, reference: BaselineStatistics, minimum_rows: int
) -> float:
    if distance.over != "clusters":
        raise InvalidInputError(
            f"a threshold in standard deviations needs a distance over clusters, and {distance.name!r} is "
            "not: give a number"
        )
    counts = reference.window_counts
    counts = counts[counts.sum(axis=1) >= minimum_rows]
    if len(counts) < 2:
        raise InvalidInputError(
            f"the threshold of {distance.name!r} is in standard deviations over the baseline's windows, "
            "and the baseline has no windows with enough rows: fit it with timestamp_column, or give a "
            "number"
        )
    values = distance.measured(counts.sum(axis=0) - counts, counts)
    return float(np.mean(values) + number * np.std(values, ddof=1))
