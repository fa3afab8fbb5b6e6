"""A Parquet file is embedded where the workers are: they read it and write it; rows pass through nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor import frames
from monitor.cli.failed_rows import FailedRow, list_failures
from monitor.cli.parts import Manifest, Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.cache import VectorCache
    from monitor.embedding import Executor, SpreadingExecutor
    from monitor.features import CustomFeature
    from monitor.images import SourcePolicy
    from monitor.sources import DataFile


@dataclass(frozen=True)
class EmbedPiece:
    """What a worker does with a piece: read it, embed it, write it.

    Parameters
    ----------
    source
        The file that the rows are in.
    features
        Whose vectors are made.
    policy
        From where images may be fetched.
    """

    source: DataFile
    features: tuple[CustomFeature, ...]
    policy: SourcePolicy

    def __call__(
        self, piece: Piece, executor: Executor, cache: VectorCache | None
    ) -> list[FailedRow] | None:
        """The rows without a vector; None if the folder of the parts is not to be seen here."""
        from monitor.pipeline.embed import embed

        if not piece.part.parent.is_dir():
            return None
        if piece.part.is_file():
            # Of a command that was killed before it could note it.
            table = frames.read_table(piece.part)
        else:
            rows = range(piece.start, piece.stop)
            table = frames.join(list(self.source.tables(rows=rows)))
            for feature in self.features:
                table = embed(
                    table,
                    feature,
                    policy=self.policy,
                    executor=executor,
                    cache=cache,
                    progress=False,
                    details=True,
                )
            frames.write_file(table, piece.part)
        return [
            replace(row, row=piece.start + row.row)
            for feature in self.features
            for row in list_failures(table, feature)
        ]


@dataclass(frozen=True)
class JoinParts:
    """What one worker does at the end: write the rows of all parts to one file.

    Parameters
    ----------
    parts
        In the order of the rows.
    about
        See `frames.write_file`.
    """

    parts: Sequence[Path]
    about: Mapping[str, Any]

    def __call__(self, target: Path, executor: Executor, cache: VectorCache | None) -> None:
        """Write `target`."""
        frames.join_files(self.parts, target, about=dict(self.about))


def embed_pieces(
    manifest: Manifest,
    work: EmbedPiece,
    executor: SpreadingExecutor,
    *,
    cache: VectorCache | None,
    on_progress: Callable[[int], object],
) -> list[FailedRow] | None:
    """Do what is left of `manifest`; the rows without a vector, or None if a worker cannot see its folder."""
    left = manifest.left
    on_progress(sum(p.stop - p.start for p in manifest.pieces) - _n_rows(manifest, left))
    pieces = [manifest.pieces[number] for number in left]
    for at, failed in executor.spread(work, pieces, cache=cache):
        if failed is None:
            return None
        manifest.add(left[at], failed)
        on_progress(_n_rows(manifest, [left[at]]))
    # Feature by feature, as a file that is embedded whole lists them.
    columns = [feature.origin.column for feature in work.features]
    rows = [row for number in sorted(manifest.failed) for row in manifest.failed[number]]
    return sorted(rows, key=lambda row: columns.index(row.column))


def _n_rows(manifest: Manifest, numbers: Sequence[int]) -> int:
    return sum(manifest.pieces[number].stop - manifest.pieces[number].start for number in numbers)
