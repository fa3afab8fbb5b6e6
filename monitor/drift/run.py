"""Windows in a row, and runs of them pooled: beside the baseline in the mix of their own days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from monitor.clusters import Baseline, BaselineStatistics, ReplayedWindows, WindowSketch, mixed
from monitor.drift.comparison import Comparison


@dataclass(frozen=True)
class Shift:
    """Which windows a shift covers, as it was found after one of them or after a later one.

    Parameters
    ----------
    since
        How many windows before that one it began.
    until
        How many before it the last window of the shift is; 0 where the shift goes on.
    """

    since: int
    until: int = 0


@dataclass(frozen=True, eq=False)
class SequenceWindow:
    """A window in a row of windows.

    Parameters
    ----------
    sketch
        Its rows; there may be none.
    statistics
        What it is compared with by itself: the baseline's own, or those of its day of the week.
    number
        Its number, one more than that of the window before; None where windows are in no row.
    is_drift
        Whether it is known to have drifted by itself.
    shift
        The shift that was found after this window; None where there was none.
    """

    sketch: WindowSketch
    statistics: BaselineStatistics
    number: int | None
    is_drift: bool = False
    shift: Shift | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """Windows pooled.

    Parameters
    ----------
    sketch
        All their rows.
    sizes
        The rows of each.
    parts, rows
        What they are compared with, each once, and the run's rows of each.
    """

    sketch: WindowSketch
    sizes: tuple[int, ...]
    parts: tuple[BaselineStatistics, ...]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, windows: Sequence[SequenceWindow]) -> Self:
        """These windows, at least one of which has rows."""
        filled = [window for window in windows if window.sketch.n]
        run = cls(
            filled[0].sketch, (filled[0].sketch.n,), (filled[0].statistics,), (filled[0].sketch.n,)
        )
        for window in filled[1:]:
            run = run.plus(window)
        return run

    def plus(self, window: SequenceWindow) -> Self:
        """With one more window."""
        n, parts, rows = window.sketch.n, self.parts, self.rows
        at = next((i for i, part in enumerate(parts) if part is window.statistics), len(parts))
        if at == len(parts):
            parts, rows = (*parts, window.statistics), (*rows, 0)
        rows = tuple(m + n if i == at else m for i, m in enumerate(rows))
        return replace(
            self, sketch=self.sketch + window.sketch, sizes=(*self.sizes, n), parts=parts, rows=rows
        )

    @property
    def unevenness(self) -> float:
        """Σ n² / (Σ n)²: 1 over the number of windows when all have the same size."""
        sizes = np.array(self.sizes, dtype=np.float64)
        return float((sizes**2).sum() / sizes.sum() ** 2)

    def comparison(
        self, baseline: Baseline, rng: np.random.Generator, lessons: ReplayedWindows | None = None
    ) -> Comparison:
        """The run beside what its windows are compared with, in the mix of its own days or contexts."""
        if baseline.context is None:
            statistics = mixed(self.parts, self.rows)
        else:
            statistics = baseline.statistics_in(self.sketch.contexts)
        return Comparison(self.sketch, baseline, statistics, rng, self.unevenness, lessons)
