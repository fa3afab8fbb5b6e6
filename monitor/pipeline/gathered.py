"""What is kept of rows that come in pieces: counts and sums by window, and which rows are drawn.

Each of these is a value that takes in another one, whose rows come after its own: (a + b) + c is a + (b + c),
and the same as all rows in one pass, to the bit. So pieces may be gathered by several workers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from monitor.frames import Times
from monitor.pipeline.facts import GatheredWindow
from monitor.pipeline.notes import time_notes
from monitor.pipeline.row_sample import RowSample
from monitor.pipeline.rows import MOST_SEGMENTS
from monitor.pipeline.windowed import cut_rows
from monitor.windows import Cut, Grid, Window

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SHOWN: Final = 20_000
"""So many rows of a window are kept whole to tell which of them changed: twenty for each of the baseline's
known rows, which they are told apart from. 40 MB of vectors 512 wide."""
MOST_HELD: Final = 100_000
"""So many rows of all windows together are kept whole, but `LEAST_SHOWN` of each at least."""
LEAST_SHOWN: Final = 1_000
"""As many as the baseline's known rows."""
_KEYS_OF_SEGMENT: Final = 2**14


@dataclass
class GatheredTimes:
    """When rows happened, eight bytes for each; nothing is kept where all are in one window.

    Parameters
    ----------
    is_cut
        Whether rows lie in windows by their time.
    n
        How many rows there are.
    """

    is_cut: bool
    n: int = 0
    instants: list[NDArray[np.datetime64]] = field(default_factory=list)
    n_undated: int = 0
    note: str | None = None

    def add(self, n_rows: int, times: Times | None) -> None:
        """Note the times of further rows."""
        self.n += n_rows
        if times is None:
            return
        self.note = self.note or times.note
        if self.is_cut:
            self.instants.append(times.values)
        else:
            self.n_undated += int(np.isnat(times.values).sum())

    def merge(self, other: GatheredTimes) -> None:
        """Take the rows of `other`, which come after these."""
        self.n += other.n
        self.instants += other.instants
        self.n_undated += other.n_undated
        self.note = self.note or other.note

    def spans(
        self, grid: Grid | None, window: Window | None
    ) -> tuple[list[tuple[int, Window | None]], tuple[str, ...]]:
        """The windows in the order of time, each with its number, and what must be known of them.

        Parameters
        ----------
        grid, window
            How rows were cut, or the window that all are in.
        """
        if not self.is_cut:
            undated = Times(np.full(self.n_undated, np.datetime64("NaT", "us")), self.note)
            return [(0, window)], tuple(time_notes(undated, Cut([], np.empty(0, int), 0)))
        times = Times(np.concatenate(self.instants), self.note)
        in_time = cut_rows(np.arange(self.n), times, grid)
        windows = [span.window for span in in_time.windows]
        numbers = [
            0 if grid is None or window is None else grid.number(window.start) for window in windows
        ]
        return list(zip(numbers, windows, strict=True)), tuple(time_notes(times, in_time))


@dataclass
class GatheredFeature:
    """The rows of one feature.

    Parameters
    ----------
    n_clusters, random_state
        Of the baseline.
    known
        The segments that baselines know.
    windows, samples
        By the number of each window, its statistics, and the rows that are drawn of it.
    parts
        The statistics of each segment: of a column with very many values not of all.
    present
        Which columns there were.
    no_rows
        The columns of the last piece.
    is_complete
        Whether no segment was left out. What is merged should be: after what comes before, others might be
        left out.
    """

    n_clusters: int
    random_state: int
    known: frozenset[str]
    windows: dict[int, GatheredWindow] = field(default_factory=dict)
    samples: dict[int, RowSample] = field(default_factory=dict)
    parts: dict[str, GatheredWindow] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    no_rows: pa.Table = None
    is_complete: bool = True

    def window(self, number: int) -> tuple[GatheredWindow, RowSample]:
        """Those of the window of this number."""
        if number not in self.windows:
            self.windows[number] = GatheredWindow(self.n_clusters)
            self.samples[number] = RowSample(self._most, self.random_state)
        return self.windows[number], self.samples[number]

    def part(self, value: str) -> GatheredWindow | None:
        """The segment; None where there are so many that this one will not be judged."""
        if value not in self.parts:
            n_others = len(self.parts.keys() - self.known)
            if value not in self.known and n_others >= MOST_SEGMENTS:
                self.is_complete = False
                return None
            self.parts[value] = GatheredWindow(self.n_clusters, _KEYS_OF_SEGMENT)
        return self.parts[value]

    def merge(self, other: GatheredFeature) -> None:
        """Take the rows of `other`, which come after these."""
        for number, theirs in other.windows.items():
            window, sample = self.window(number)
            window.merge(theirs)
            sample.merge(other.samples[number])
        for value, of_value in other.parts.items():
            if (part := self.part(value)) is not None:
                part.merge(of_value)
        self.present |= other.present
        self.no_rows = self.no_rows if other.no_rows is None else other.no_rows
        self.lower_if_many()

    def lower_if_many(self) -> None:
        """Let go of rows when there are too many of all windows together."""
        if sum(map(len, self.samples.values())) > 2 * MOST_HELD:
            self.lower()

    def lower(self) -> None:
        """As there are more windows, fewer rows of each are kept."""
        for sample in self.samples.values():
            sample.lower(self._most)

    @property
    def _most(self) -> int:
        """How many rows of each window are kept whole."""
        return min(MOST_SHOWN, max(MOST_HELD // max(len(self.samples), 1), LEAST_SHOWN))


@dataclass
class Gathered:
    """All that is kept of rows.

    Parameters
    ----------
    segments
        How many rows each value of the segment column has.
    features
        By name.
    """

    times: GatheredTimes
    features: dict[str, GatheredFeature]
    segments: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Gathered) -> None:
        """Take the rows of `other`, which come after these; it is used up."""
        self.times.merge(other.times)
        self.segments.update(other.segments)
        for name, theirs in other.features.items():
            self.features[name].merge(theirs)
