"""A window of many rows is left where it lies, for the workers of an executor to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.errors import TimestampError
from monitor.features import CustomFeature
from monitor.frames import CHUNK_ROWS
from monitor.sources import RowsSeen, Source, WindowRange, ranges_of
from monitor.windows import Window

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding import Executor, SpreadingExecutor


@dataclass(frozen=True)
class SpreadWindow:
    """A window's rows in pieces.

    Parameters
    ----------
    pieces
        In their order.
    seen
        What the rows are.
    """

    pieces: Sequence[WindowRange]
    seen: RowsSeen

    @classmethod
    def of(
        cls,
        source: Source,
        window: Window,
        feature: CustomFeature,
        columns: Sequence[str],
        executor: SpreadingExecutor,
    ) -> SpreadWindow | None:
        """That of a window; None where its rows had better be read by this process.

        That is: they are not in Parquet files, lack vectors (which a cache of this process keeps), are not
        worth cutting, or a worker does not see them.
        """

        def size(n_rows: int) -> int:
            return executor.piece_rows(n_rows, CHUNK_ROWS)

        pieces = ranges_of(source, window.start, window.end, columns, size)
        if len(pieces) < 2:
            return None
        files = {piece.file.path: piece.file for piece in pieces}.values()
        if any(feature.origin.is_missing_from(file.outline().columns) for file in files):
            return None
        return cls._counted(pieces, executor)

    @classmethod
    def _counted(
        cls, pieces: Sequence[WindowRange], executor: SpreadingExecutor
    ) -> SpreadWindow | None:
        """With the place of each piece among the window's rows, by which some are drawn."""
        try:
            seen = dict(executor.spread(_seen, pieces))
        except TimestampError:
            return None  # in all of its rows, or in some: who reads them all knows
        total, counted = RowsSeen(), []
        for number, piece in enumerate(pieces):
            of_piece = seen[number]
            if of_piece is None:
                return None
            counted.append(replace(piece, first=total.n))
            total += of_piece
        return cls(counted, total)


def _seen(piece: WindowRange, executor: Executor, cache: VectorCache | None) -> RowsSeen | None:
    return piece.seen() if piece.is_here else None
