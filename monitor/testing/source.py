"""What every source keeps to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from monitor.sources import Source, read_window, rows_seen

if TYPE_CHECKING:
    import pyarrow as pa

MakeSource = Callable[[pd.DataFrame], Source]
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class SourceContract:
    """Subclass with a fixture `make_source`, which gives a source that holds the rows of a data frame.

    The frame has the columns `ts` (instants in UTC, every 10 minutes from `START` on), `number` and `text`.
    Times are in the column `ts` of the source too.
    """

    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        """A day of rows."""
        return pd.DataFrame(
            {
                "ts": pd.date_range(START, periods=144, freq="10min"),
                "number": range(144),
                "text": [f"row {i}" for i in range(144)],
            }
        )

    @pytest.fixture
    def source(self, make_source: MakeSource, rows: pd.DataFrame) -> Source:
        """The source that holds `rows`."""
        return make_source(rows)

    def numbers(self, table: pa.Table) -> list[int]:
        """Which rows these are."""
        return sorted(int(number) for number in table["number"].to_pylist())

    def test_is_a_source(self, source: Source) -> None:
        assert isinstance(source, Source)
        assert source.timestamp_column == "ts"

    def test_windows_are_half_open(self, source: Source) -> None:
        table = read_window(source, START + HOUR, START + 2 * HOUR)
        assert self.numbers(table) == list(range(6, 12))

    def test_windows_side_by_side_hold_each_row_once(self, source: Source) -> None:
        hours = [START + i * HOUR for i in range(25)]
        tables = [read_window(source, *span) for span in pairwise(hours)]
        assert [i for table in tables for i in self.numbers(table)] == list(range(144))

    def test_bounds_may_be_in_any_zone(self, source: Source) -> None:
        there = dt.timezone(dt.timedelta(hours=-5))
        table = read_window(
            source, (START + HOUR).astimezone(there), (START + 2 * HOUR).astimezone(there)
        )
        assert self.numbers(table) == list(range(6, 12))

    def test_a_window_without_rows_has_its_columns(self, source: Source) -> None:
        before = START - 10 * HOUR
        chunks = list(source.chunks(before, before + HOUR))
        assert chunks, "one table at least, be it empty"
        assert sum(len(chunk) for chunk in chunks) == 0
        assert {"ts", "number", "text"} <= set(chunks[0].column_names)

    def test_only_the_columns_that_are_asked_for(self, source: Source) -> None:
        # Of which some may not exist.
        table = read_window(source, START, START + HOUR, ["ts", "number", "no_such_column"])
        assert {"ts", "number"} <= set(table.column_names)
        assert "no_such_column" not in table.column_names
        assert len(table) == 6

    def test_reading_again_gives_the_same(self, source: Source) -> None:
        spans = (START, START + 24 * HOUR)
        first, second = read_window(source, *spans), read_window(source, *spans)
        assert self.numbers(first) == self.numbers(second) == list(range(144))
        assert rows_seen(source, *spans) == rows_seen(source, *spans)
        assert rows_seen(source, *spans).n == 144
