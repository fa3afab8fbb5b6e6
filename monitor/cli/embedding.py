"""How a config has images embedded: by which executor, and a file whole or where the workers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from monitor import __version__, frames
from monitor.cli.failed_rows import list_failures, read_failures, retry, write_failures
from monitor.cli.in_pieces import EmbedPiece, JoinParts, embed_pieces
from monitor.cli.parts import Manifest
from monitor.cli.project import Project
from monitor.cli.tables import check_writable
from monitor.cli.terminal import counted
from monitor.features import CustomFeature
from monitor.sources import DataFile, DataTable

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cache import VectorCache
    from monitor.config import MonitoringConfig

_Feature = TypeVar("_Feature", bound=CustomFeature)


def located(config: MonitoringConfig, feature: _Feature) -> _Feature:
    """`feature` with the folders of its model seen from the working folder."""
    return feature.located(config.resolve, config.model_cache_dir)


@dataclass(frozen=True)
class FileWork:
    """Embeds a file.

    Parameters
    ----------
    source
        The file.
    target
        The table that is made; beside it stands the list of rows without a vector.
    about
        What is written down in the table.
    cache
        Vectors of earlier images.
    """

    project: Project
    source: DataTable
    target: Path
    about: Mapping[str, Any]
    cache: VectorCache

    def whole(
        self,
        frame: pa.Table,
        features: Sequence[CustomFeature],
        again: Sequence[tuple[CustomFeature, Sequence[int]]],
    ) -> None:
        """Embed the rows `frame` for `features`, and `again` some of them for others."""
        # Before the work, which may take long, to find out now if the table cannot be written.
        check_writable(frame, self.target, self.source)
        listed = read_failures(self.target)
        tried = {feature.origin.column for feature in (*features, *(of for of, _ in again))}
        failed = [
            row for row in listed if row.column not in tried and row.column in frame.column_names
        ]
        for feature in features:
            frame = self._embedded(feature, frame)
            failed += list_failures(frame, feature, before=listed)
        for feature, rows in again:
            frame = retry(frame, feature, rows, partial(self._embedded, feature))
            failed += list_failures(frame, feature, before=listed, tried=rows)
        write_failures(self.target, failed)
        frames.write_file(frame, self.target, about=dict(self.about))

    def in_pieces(self, features: Sequence[CustomFeature], n_rows: int, job: str) -> bool:
        """Have workers read the file, embed it for `features` and write it, if they can; whether they did.

        Parameters
        ----------
        n_rows
            Of the file.
        job
            What names this very work.
        """
        from monitor.embedding import progress_bar, spreading

        config = self.project.config
        here = tuple(located(config, feature) for feature in features)
        executor = spreading(self.project.executor)
        batch_sizes = [f.origin.encoder.batch_size for f in here if f.origin.encoder is not None]
        piece_rows = executor.piece_rows(n_rows, max(batch_sizes))
        if (
            not (isinstance(self.source, DataFile) and self.source.is_parquet)
            or piece_rows >= n_rows
        ):
            return False
        check_writable(next(self.source.tables(chunk_rows=1)), self.target, self.source)
        for feature in features:
            self._say(feature, n_rows)
        manifest = Manifest.open(
            self.target, f"{__version__} {job}", n_rows=n_rows, piece_rows=piece_rows
        )
        label = f"embed {', '.join(feature.name for feature in features)}"
        with progress_bar(n_rows, label, self._is_shown) as bar:
            failed = embed_pieces(
                manifest,
                EmbedPiece(self.source, here, config.policy),
                executor,
                cache=self.cache,
                on_progress=bar.update,
            )
        if failed is None:
            self.project.terminal.say(
                f"note: not all workers see {manifest.folder.parent}, so that rows and vectors pass through "
                "this command: let `output` be a folder that all of them share"
            )
            manifest.remove()
            return False
        write_failures(self.target, failed)
        join = JoinParts([piece.part for piece in manifest.pieces], self.about)
        list(executor.spread(join, [self.target.absolute()]))
        manifest.remove()
        return True

    def _embedded(self, feature: CustomFeature, frame: pa.Table) -> pa.Table:
        from monitor.pipeline.embed import embed

        self._say(feature, frame.num_rows)
        return embed(
            frame,
            located(self.project.config, feature),
            policy=self.project.config.policy,
            executor=self.project.executor,
            cache=self.cache,
            progress=self._is_shown,
            details=True,
        )

    def _say(self, feature: CustomFeature, n_rows: int) -> None:
        model = feature.origin.encoder.model if feature.origin.encoder else None
        self.project.terminal.say(
            f"embedding {counted(n_rows, 'row')} of {self.source} for {feature.name} ({model})"
        )

    @property
    def _is_shown(self) -> bool | None:
        return False if self.project.terminal.as_json else None
