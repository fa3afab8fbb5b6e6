"""The shape of a test of the judge. Each has one file, and one place in `monitor.drift.battery.TESTS`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, Protocol

from monitor.drift.comparison import UNKNOWN, Comparison, Ratio
from monitor.drift.judgement import Judgement, ShiftKind

POWER: Final = 0.8
"""With which probability a detectable change would have been seen."""


class NullDistribution(Protocol):
    """The statistic of one comparison, beside what windows without drift give.

    Whatever a test draws, it draws from `comparison.rng`.
    """

    @property
    def statistic(self) -> float:
        """The observed statistic; higher is farther from the baseline. NaN is not allowed."""

    def p_value(self, alpha: float) -> float:
        """How often a window without drift gives such a statistic or a higher one, in (0, 1].

        Parameters
        ----------
        alpha
            The significance level of this test alone: a p-value is as precise as is needed to be held
            against it, so that simulation does not draw more than it has to. 1 where there is nothing
            to compare.
        """

    def effect(self) -> float:
        """How large the shift is beyond what chance gives, as a share of rows, ≥ 0."""

    def detectable(self, alpha: float) -> float:
        """The smallest share of rows whose change this test would have seen in 8 of 10 such windows.

        What change is meant says `SubTest.detectable_change`. NaN where not even all rows would do,
        and of a test that does not say. It hangs on no row of the window, only on how many there are: it is
        asked once for all windows of a size.
        """


@dataclass(frozen=True)
class SubTest(ABC):
    """A test of a window against the baseline: a value without state, one for all windows.

    *What it reads.* A test sees what both sketches carry: rows per cluster, sums of vectors per cluster,
    novel rows, rows per bin of the distance to the nearest centroid, and the rows themselves of small
    windows. A test that needs more adds a field to `WindowSketch`; it must add up, in whole numbers, so
    that pieces in any order give the same bits.

    *How it is calibrated.* `null` holds the statistic against windows without drift: of independent
    rows where `statistics.variation` is None, and otherwise of windows that vary as the baseline's own
    do. p-values of all tests must hold alone; `combine` asks no more of them.

    Parameters
    ----------
    name
        As it is called in reports and in code.
    title, short_title
        As it is called in a table, and in a list of causes.
    sees
        What it is there to see, as the object of "the test sees …".
    detectable_change
        The change that `NullDistribution.detectable` is about, as in "5 % of the rows were …"; empty
        where it is always NaN.
    kind
        What kind of shift it shows, when it alone decides; None when it does not tell.
    """

    name: str
    title: str
    short_title: str
    sees: str
    detectable_change: str = ""
    kind: ShiftKind | None = None

    def applies(self, comparison: Comparison) -> bool:
        """Whether there is anything for this test to see; where not, the others share the level."""
        return True

    @abstractmethod
    def null(self, comparison: Comparison) -> NullDistribution:
        """The statistic of a comparison, beside its null distribution."""

    def ratio(self, comparison: Comparison) -> Ratio:
        """How large the statistic is beside that of independent rows; draws nothing.

        `UNKNOWN` where there is nothing to compare, and of a test that does not hold its statistic against
        the baseline's own windows (`Comparison.calibrated`).
        """
        return UNKNOWN

    @abstractmethod
    def clarity(self, comparison: Comparison) -> float:
        """How many standard deviations the statistic lies above its mean without drift; draws nothing.

        Rows are taken as independent: only comparisons of one baseline are ranked by it. −∞ where
        there is nothing to compare.
        """

    @abstractmethod
    def sentence(self, judgement: Judgement) -> str:
        """What this test saw in a window that drifted, in plain words."""
