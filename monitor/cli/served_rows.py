"""A config's rows with their vectors, as the page's map asks for them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor import frames
from monitor.cli.cache import open_cache
from monitor.cli.embedded import prepare_part
from monitor.cli.project import Project
from monitor.cli.scheduled import source_of
from monitor.cli.tables import find_tables
from monitor.features import ClusteredFeature

if TYPE_CHECKING:
    import pyarrow as pa


class ConfigRows:
    """The rows of a config: vectors that files bring, that were made before, or from the cache.

    Parameters
    ----------
    project
        The opened config.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        # One at a time: embedding is for the pipeline, the page only takes what is missing.
        self._embedding = threading.Lock()

    @property
    def timestamp_column(self) -> str | None:
        """When each row happened; the baseline's column comes under production's name."""
        return self._project.config.data.production.timestamp_column

    def baseline(self, feature: ClusteredFeature) -> Iterator[pa.Table]:
        """The baseline's rows, in pieces."""
        project = self._project
        for file in find_tables(project.config, project.config.data.baseline, "data.baseline"):
            if feature.origin.is_missing_from(file.outline().columns):
                break
            first = 0
            for table in file.tables():
                yield self._named(frames.with_row_labels(table, file.name, first))
                first += table.num_rows
        else:
            return
        (monitored,) = project.features([feature.name])
        with self._embedding:
            for prepared in prepare_part(project, "baseline", [monitored]):
                yield from map(self._named, prepared.tables())

    def window(
        self, feature: ClusteredFeature, start: dt.datetime, end: dt.datetime
    ) -> Iterator[pa.Table]:
        """Production's rows of [start, end), in pieces."""
        source = source_of(self._project)
        for table in source.chunks(start, end, self._columns()):
            if feature.origin.is_missing_from(table.column_names):
                yield self._embedded(table, feature)
            else:
                yield table

    def _columns(self) -> list[str] | None:
        """All columns of production's files, and their rows' labels; None where there are no files."""
        production = self._project.config.data.production
        if production.path is None:
            return None
        files = find_tables(self._project.config, production, "data.production")
        # Of a year of files the first and the last: columns come and go, but rarely in between.
        ends = [files[0], files[-1]]
        names = [name for file in ends for name in file.outline().columns]
        return list(dict.fromkeys([*names, frames.ROW]))

    def _embedded(self, table: pa.Table, feature: ClusteredFeature) -> pa.Table:
        from monitor.pipeline.embed import embed

        config = self._project.config
        with self._embedding, open_cache(config) as cache:
            return embed(
                table,
                feature,
                policy=config.policy,
                executor=self._project.executor,
                cache=cache,
                progress=False,
            )

    def _named(self, table: pa.Table) -> pa.Table:
        """The baseline's time under production's name."""
        data = self._project.config.data
        own, wanted = data.baseline.timestamp_column, data.production.timestamp_column
        if own is None or wanted is None or own == wanted or wanted in table.column_names:
            return table
        return table.rename_columns(
            [wanted if name == own else name for name in table.column_names]
        )
