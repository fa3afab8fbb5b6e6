"""A Python function that gives the rows of a window."""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor import frames
from monitor.errors import InvalidInputError
from monitor.frames import ReadOptions
from monitor.sources.source import within

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CallableSource:
    """The rows that `function(start, end)` returns.

    Parameters
    ----------
    name
        `"package.module:function"`. It takes two aware datetimes in UTC and returns a data frame
        (pandas, polars or Arrow), or yields several; rows outside of the window are left out.
    timestamp_column
        Of the rows it gives.
    folder
        Where modules are looked for beside the usual places.
    options
        The types of its columns.

    Raises
    ------
    InvalidInputError
        If there is no such function.
    """

    name: str
    timestamp_column: str
    folder: str | None = None
    options: ReadOptions = field(default_factory=ReadOptions)

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        return within(self._tables(start, end, columns), self.timestamp_column, start, end)

    def _tables(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None
    ) -> Iterator[pa.Table]:
        frame_or_frames = self.function()(start.astimezone(dt.UTC), end.astimezone(dt.UTC))
        is_several = isinstance(frame_or_frames, Iterator | list | tuple)
        is_empty = True
        for frame in frame_or_frames if is_several else [frame_or_frames]:
            table = frames.as_arrow(frame)
            if columns is not None:
                kept = {*columns, self.timestamp_column}
                table = table.select([name for name in table.column_names if name in kept])
            is_empty = False
            yield self.options.declared(table)
        if is_empty:
            raise InvalidInputError(
                f"{self.name} gave no frame from {start.isoformat()} to {end.isoformat()}: give an "
                "empty one with its columns when there are no rows"
            )

    def function(self) -> Callable[[dt.datetime, dt.datetime], Any]:
        """What `name` names.

        Raises
        ------
        InvalidInputError
            If there is no such function.
        """
        module_name, _, function_name = self.name.partition(":")
        if self.folder is not None and self.folder not in sys.path:
            sys.path.append(self.folder)
        try:
            module = importlib.import_module(module_name)
            function = getattr(module, function_name)
        except (ImportError, ValueError, AttributeError) as error:
            raise InvalidInputError(
                f"{self.name!r} names no function ({error}): write package.module:function"
            ) from error
        if not callable(function):
            raise InvalidInputError(f"{self.name!r} is {type(function).__name__}, not a function")
        typed: Callable[[dt.datetime, dt.datetime], Any] = function
        return typed
