"""What must be known of a baseline's rows before its verdicts are trusted, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, RowContexts
from monitor.clusters.replay import LEAST_WINDOWS
from monitor.clusters.scaling import UNIT
from monitor.pipeline.contexts import OTHERS

MUCH_LONGER: Final = 100
"""A vector so many times as long as most hides what the others do from means and scales."""


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The rows of a baseline, those with vectors.

    Parameters
    ----------
    group_column
        What the groups are values of.
    groups
        (n,) the group of each row, and whether that has one; None where none are given.
    numbers
        (n,) the window of each row, negative for none; None where no times are given.
    contexts
        The context of each row.
    vectors
        (n, width) as they came.
    """

    group_column: str | None
    groups: tuple[NDArray[np.int64], NDArray[np.bool_]] | None
    numbers: NDArray[np.int64] | None
    contexts: RowContexts | None
    vectors: NDArray[np.float32]

    def notes(self, baseline: Baseline) -> tuple[str, ...]:
        """Of the baseline that was fitted on them."""
        return (
            *self._of_times(baseline.name),
            *self._of_groups(baseline),
            *self._of_contexts(baseline.name),
            *self._of_lengths(baseline),
        )

    def _of_times(self, name: str) -> Iterator[str]:
        if self.numbers is None:
            return
        n, n_undated = len(self.numbers), int((self.numbers < 0).sum())
        if n_undated:
            yield (
                f"{n_undated:,} of {n:,} rows of the baseline of feature {name!r} are in no window of it: "
                "they have no readable time, or one far from all others. Windows are compared with them too, "
                "but they do not tell how much windows differ"
            )

    def _of_groups(self, baseline: Baseline) -> Iterator[str]:
        if self.groups is None:
            return
        of_feature = f"of the baseline of feature {baseline.name!r}"
        groups, has_group = self.groups
        if n_alone := int((~has_group).sum()):
            yield (
                f"{n_alone:,} of {len(groups):,} rows {of_feature} have no value of group_column "
                f"{self.group_column!r}: each counts as a group of its own, and if they are alike, quiet "
                "windows may be called drifted"
            )
        statistics = baseline.statistics
        if statistics.grouped is None and statistics.variation is None:
            yield (
                f"the {len(np.unique(groups)):,} groups {of_feature} by {self.group_column!r} are "
                f"too few to tell how much samples of them differ, {2 * LEAST_WINDOWS} are needed: rows are "
                "taken as independent, and quiet windows may be called drifted"
            )

    def _of_contexts(self, name: str) -> Iterator[str]:
        if self.contexts is None or (OTHERS,) * len(self.contexts.names) not in self.contexts.keys:
            return
        strata, n_told = self.contexts.strata, len(self.contexts.keys) - 1
        yield (
            f"rows of feature {name!r} are of too many contexts ({', '.join(self.contexts.names)}): the "
            f"{n_told} with most rows are told apart, and {int((strata == n_told).sum()):,} of "
            f"{len(strata):,} rows of the baseline are of all others together; fewer or coarser columns tell "
            "them apart"
        )

    def _of_lengths(self, baseline: Baseline) -> Iterator[str]:
        if baseline.scaling.kind == UNIT:
            return  # directions alone have no length
        lengths = np.sqrt(np.einsum("nd,nd->n", self.vectors, self.vectors, dtype=np.float64))
        usual = float(np.median(lengths))
        if n_long := int((lengths > MUCH_LONGER * usual).sum()):
            longest = lengths.max() / usual
            yield (
                f"{n_long:,} of {len(lengths):,} vectors of the baseline of feature {baseline.name!r} "
                f"are more than {MUCH_LONGER} times as long as most, the longest {longest:,.0f} times: is "
                "their scale wrong? Beside them other changes look small"
            )
