"""Windows of rows that workers read where they lie: sums come back, and then the rows that were drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.pipeline.gathered import Gathered
from monitor.pipeline.pieces import PLACE, Drawn, Gatherer
from monitor.pipeline.windowed import WindowedRows

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cache import VectorCache
    from monitor.embedding import Executor, SpreadingExecutor


class RowsSomewhere(Protocol):
    """Rows that a worker can read; picklable and small."""

    @property
    def first(self) -> int:
        """How many rows come before these."""

    @property
    def is_here(self) -> bool:
        """Whether this process can read them."""

    def tables(self) -> Iterator[pa.Table]:
        """The rows with all columns that are asked for, in plain tables, one at least."""


@dataclass(frozen=True, eq=False)
class _Gather:
    gatherer: Gatherer

    def __call__(
        self, piece: RowsSomewhere, executor: Executor, cache: VectorCache | None
    ) -> Gathered | None:
        """What is kept of a piece, without its rows; None if these must be read with all others."""
        if not piece.is_here:
            return None
        gathered = self.gatherer.gathered(piece.tables(), piece.first)
        is_complete = all(feature.is_complete for feature in gathered.features.values())
        return gathered if is_complete else None


@dataclass(frozen=True, eq=False)
class _Take:
    gatherer: Gatherer

    def __call__(
        self,
        piece: tuple[RowsSomewhere, Mapping[str, NDArray[np.int64]]],
        executor: Executor,
        cache: VectorCache | None,
    ) -> dict[str, pa.Table]:
        """By feature, the rows of a piece that were drawn."""
        rows, places = piece
        return self.gatherer.at(rows.tables(), rows.first, places)


def gathered_by_workers(
    pieces: Sequence[RowsSomewhere], gatherer: Gatherer, executor: SpreadingExecutor
) -> WindowedRows | None:
    """What `gathered` gives of the rows of all pieces, to the bit.

    None if a worker does not see one, or one alone has more segments than are counted.
    """
    total = gatherer.nothing()
    waiting: dict[int, Gathered] = {}
    n_merged = 0
    for number, of_piece in executor.spread(_Gather(gatherer), pieces):
        if of_piece is None:
            return None
        waiting[number] = of_piece
        while n_merged in waiting:
            total.merge(waiting.pop(n_merged))
            n_merged += 1
    places = {
        name: {window: _column(rows) for window, rows in gatherer.drawn(feature).items()}
        for name, feature in total.features.items()
    }
    every = {
        name: np.sort(np.concatenate([*of_windows.values(), np.empty(0, np.int64)]))
        for name, of_windows in places.items()
    }
    asked = []
    for piece, after in zip(pieces, [*pieces[1:], None], strict=True):
        stop = total.times.n if after is None else after.first
        here = {
            name: at[np.searchsorted(at, piece.first) : np.searchsorted(at, stop)]
            for name, at in every.items()
        }
        if any(len(at) for at in here.values()):
            asked.append((piece, here))
    came = dict(executor.spread(_Take(gatherer), asked))
    drawn: dict[str, Drawn] = {}
    for name, feature in total.features.items():
        of_pieces = [came[number][name] for number in range(len(asked))]
        table = frames.join([*of_pieces, feature.no_rows])
        drawn[name] = {
            window: table.take(np.searchsorted(every[name], at))
            for window, at in places[name].items()
        }
    return gatherer.rows(total, drawn)


def _column(rows: pa.Table) -> NDArray[np.int64]:
    column: NDArray[np.int64] = rows.column(PLACE).to_numpy()
    return column
