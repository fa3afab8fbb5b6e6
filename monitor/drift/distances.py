"""Distances between the histograms of a baseline and of a window, and the door for one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.contingency import chi_square
from monitor.errors import InvalidInputError
from monitor.registry import Registry

_ROUNDING: Final = 1e-9
Counts = NDArray[np.integer]
DistanceFunction = Callable[..., NDArray[np.float64]]
PSI_ADDED_COUNT: Final = 1
"""PSI adds this to every count, as the reference system does: an empty cluster would make it infinite."""


@dataclass(frozen=True)
class Distance:
    """A distance between a baseline and a window.

    Every distance gets a noise floor, a ceiling and an interval by simulation, so it must take many
    windows at once.

    Parameters
    ----------
    name
        As it is called in reports, configs and thresholds.
    function
        Takes (..., bins) counts of the baseline and of windows and gives (...) float64 ≥ 0; higher is
        more drift.
    over
        `"clusters"`: rows per cluster. `"distances"`: rows per bin of the distance to the nearest
        centroid; the function then takes the bins' positions, (bins,) float64, as a third argument.
    power
        2 for a distance whose square is an average over rows, such as `jsd`; else 1. Intervals are
        made of value ** power, which is closer to normal.
    title
        As it is called in tables for people; the name by default.

    Examples
    --------
    >>> def total_variation(baseline, window):
    ...     p = baseline / baseline.sum(axis=-1, keepdims=True)
    ...     q = window / window.sum(axis=-1, keepdims=True)
    ...     return abs(p - q).sum(axis=-1) / 2
    >>> float(Distance("tv", total_variation).function(np.array([1, 1]), np.array([1, 3])))
    0.25
    """

    name: str
    function: DistanceFunction
    over: Literal["clusters", "distances"] = "clusters"
    power: Literal[1, 2] = 1
    title: str = ""

    def measured(self, baseline: Counts, window: Counts, *positions: NDArray[np.float64]) -> Any:
        """What `function` gives, (...) float64, if it is a distance for each window.

        Raises
        ------
        InvalidInputError
            If the function fails, or gives something else.
        """
        try:
            values = np.asarray(self.function(baseline, window, *positions), dtype=np.float64)
        except Exception as error:  # the function is not ours
            raise InvalidInputError(
                f"the distance {self.name!r} fails on counts of shape {window.shape}: "
                f"{type(error).__name__}: {error}"
            ) from error
        n_rows = np.minimum(baseline.sum(axis=-1), window.sum(axis=-1))
        if values.shape != n_rows.shape:
            raise InvalidInputError(
                f"the distance {self.name!r} gives shape {values.shape} for counts of shape {window.shape}, "
                f"not {n_rows.shape}: a number for each window, such as abs(p - q).sum(axis=-1)"
            )
        is_wrong = (n_rows > 0) & ~(values >= -_ROUNDING)
        if is_wrong.any() or np.isinf(values).any():
            wrong = values[is_wrong | np.isinf(values)].flat[0]
            raise InvalidInputError(
                f"the distance {self.name!r} gives {wrong}: distances are numbers from 0 on"
            )
        return values


def _divergence_terms(baseline: Counts, window: Counts) -> NDArray[np.float64]:
    p = baseline / baseline.sum(axis=-1, keepdims=True)
    q = window / window.sum(axis=-1, keepdims=True)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(p > 0, p * np.log2(p / middle), 0.0)
        right = np.where(q > 0, q * np.log2(q / middle), 0.0)
    # Each term is ≥ 0 in exact arithmetic.
    return np.maximum((left + right) / 2, 0.0)


def jsd(baseline: Counts, window: Counts) -> NDArray[np.float64]:
    """Jensen–Shannon distance in base 2: the square root of the divergence (Lin 1991; Endres &
    Schindelin 2003).

    Parameters
    ----------
    baseline, window
        (..., n_clusters) counts ≥ 0, each row with at least one.

    Returns
    -------
    (...) float64 in [0, 1]: 0 for equal shares, 1 for disjoint ones; higher is more drift.

    Examples
    --------
    >>> float(jsd(np.array([10, 10]), np.array([5, 5]))), float(jsd(np.array([3, 0]), np.array([0, 4])))
    (0.0, 1.0)
    """
    return np.asarray(np.sqrt(np.minimum(_divergence_terms(baseline, window).sum(axis=-1), 1.0)))


def psi(baseline: Counts, window: Counts) -> NDArray[np.float64]:
    """Population stability index, natural logarithm, with 1 added to every count.

    Parameters
    ----------
    baseline, window
        (..., n_clusters) counts ≥ 0.

    Returns
    -------
    (...) float64 ≥ 0: 0 for equal shares; higher is more drift.

    Examples
    --------
    >>> round(float(psi(np.array([89, 9]), np.array([9, 89]))), 4)
    3.5156
    """
    p = baseline + PSI_ADDED_COUNT
    q = window + PSI_ADDED_COUNT
    p = p / p.sum(axis=-1, keepdims=True)
    q = q / q.sum(axis=-1, keepdims=True)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def hellinger(baseline: Counts, window: Counts) -> NDArray[np.float64]:
    """Hellinger distance, in [0, 1]; 0 for equal shares, 1 for disjoint ones.

    Examples
    --------
    >>> float(hellinger(np.array([3, 0]), np.array([0, 4])))
    1.0
    """
    p = np.sqrt(baseline / baseline.sum(axis=-1, keepdims=True))
    q = np.sqrt(window / window.sum(axis=-1, keepdims=True))
    return np.asarray(np.sqrt(np.minimum(((p - q) ** 2).sum(axis=-1) / 2, 1.0)))


def contributions(baseline: Counts, window: Counts) -> NDArray[np.float64]:
    """Each cluster's share of the Jensen–Shannon divergence.

    Returns
    -------
    (n_clusters,) float64 in [0, 1], summing to 1; all 0 when the divergence is 0.

    Examples
    --------
    >>> contributions(np.array([5, 5, 90]), np.array([10, 0, 90])).round(2).tolist()
    [0.2, 0.8, 0.0]
    """
    terms = _divergence_terms(baseline, window)
    total = terms.sum()
    return np.asarray(terms / total) if total > 0 else np.zeros_like(terms)


def wasserstein(
    baseline: Counts, window: Counts, positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Wasserstein-1 (earth mover's) distance between two binned distributions on a line: ∫ |F − G|.

    Parameters
    ----------
    baseline, window
        (..., bins) counts ≥ 0.
    positions
        (bins,) float64, rising: where the rows of a bin are taken to lie.

    Returns
    -------
    (...) float64 ≥ 0, in the unit of `positions`.

    Examples
    --------
    >>> float(wasserstein(np.array([4, 0]), np.array([1, 3]), np.array([0.5, 2.5])))
    1.5
    """
    p = np.cumsum(baseline, axis=-1) / baseline.sum(axis=-1, keepdims=True)
    q = np.cumsum(window, axis=-1) / window.sum(axis=-1, keepdims=True)
    return np.asarray((np.abs(p - q)[..., :-1] * np.diff(positions)).sum(axis=-1))


DISTANCES: Final[tuple[Distance, ...]] = (
    Distance("jsd", jsd, power=2, title="JSD"),
    Distance("psi", psi, title="PSI"),
    Distance("hellinger", hellinger, power=2, title="Hellinger"),
    Distance("chi2", chi_square, title="χ²"),
    Distance("wasserstein", wasserstein, over="distances", title="Wasserstein"),
)
"""What every window gets."""


def _check(name: str, value: object) -> None:
    if not isinstance(value, Distance):
        raise TypeError(f"it is a {type(value).__name__}, not a monitor.drift.Distance")
    if value.name != name:
        raise ValueError(f"the distance calls itself {value.name!r}: use one name")


registry: Final = Registry[Distance](
    "monitor.distances", "distance", {distance.name: distance for distance in DISTANCES}, _check
)
"""The distances by name, those of plug-ins among them."""


def own_distances(own: Iterable[Distance | str], named: Iterable[str]) -> tuple[Distance, ...]:
    """What is computed for each window beside the built-in distances: `own`, and what rules name.

    Raises
    ------
    UnknownNameError
        If there is no distance of a name in `own`; unknown names in rules are left to those.

    Examples
    --------
    >>> own_distances([], ["psi"])
    ()
    """
    beside = [registry[item] if isinstance(item, str) else item for item in own]
    names = {distance.name for distance in (*DISTANCES, *beside)}
    beside += [registry[name] for name in named if name not in names and name in registry]
    return tuple(beside)
