"""Rows without a vector: listed beside the embedded table, and tried again alone."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from monitor import frames
from monitor.failures import may_pass
from monitor.files import replacing
from monitor.images.quality import QUALITY_FIELDS
from monitor.redaction import redact_url

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.features import CustomFeature

TRANSIENT: Final = "transient"
ALL: Final = "all"
_BEFORE_A_FORMULA: Final = re.compile(r"(?:^(?=[\t\r])|(?:^|[;\t\r\n])\s*(?=[=+\-@＝＋－＠]))")
"""Where a spreadsheet would begin to run a cell: at its start, and behind what may separate cells there."""


@dataclass(frozen=True)
class FailedRow:
    """One row of the failures table.

    Parameters
    ----------
    row
        Its position in the file, from 0.
    column
        The column of vectors that has none for it.
    source
        What its cell names, without credentials and query; empty where the cell is not text.
    reason, detail
        As in `monitor.failures.Failure`.
    attempts
        How many times it was embedded in vain, by `monitor embed` and `monitor embed --retry-failed`.
    failed_at
        When the last of them ended, UTC.
    """

    row: int
    column: str
    source: str
    reason: str
    detail: str
    attempts: int
    failed_at: str


def failures_path(target: Path) -> Path:
    """Where the failures of the embedded table `target` are listed.

    >>> failures_path(Path("day1.parquet")).name
    'day1.failures.csv'
    """
    return target.with_name(f"{target.stem}.failures.csv")


def read_failures(target: Path) -> list[FailedRow]:
    """The failures that were listed beside `target`; none if there is no list, or no such one."""
    path = failures_path(target)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(row.keys() != {field.name for field in fields(FailedRow)} for row in rows):
        return []
    return [
        FailedRow(**{**row, "row": int(row["row"]), "attempts": int(row["attempts"])})  # type: ignore[arg-type]
        for row in rows
    ]


def list_failures(
    frame: pa.Table,
    feature: CustomFeature,
    *,
    before: Sequence[FailedRow] = (),
    tried: Sequence[int] | None = None,
) -> list[FailedRow]:
    """The rows of `frame` that have no vector of `feature`, in their order.

    Parameters
    ----------
    before
        What was listed of them earlier.
    tried
        The rows that were embedded just now, None for all; what was listed of the others stays.
    """
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    earlier = {row.row: row for row in before if row.column == feature.origin.column}
    just_tried = set(range(frame.num_rows) if tried is None else tried)
    sources = frames.cells(frame, str(feature.origin.source_column))
    reasons = frames.cells(frame, feature.origin.failure_column)
    details = frames.cells(frame, feature.origin.failure_detail_column)
    listed = []
    for row, reason in enumerate(reasons):
        if not isinstance(reason, str):
            continue
        known = earlier.get(row)
        if known is not None and row not in just_tried:
            listed.append(known)
            continue
        attempts = 1 if known is None or tried is None else known.attempts + 1
        facts = (_shown(sources[row]), reason, str(details[row] or ""))
        listed.append(FailedRow(row, feature.origin.column, *facts, attempts, now))
    return listed


def write_failures(target: Path, failed: Sequence[FailedRow]) -> None:
    """List `failed` beside `target`; no list stays where nothing failed."""
    path = failures_path(target)
    if not failed:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(FailedRow)])
        for row in failed:
            table.writerow([harmless_cell(cell) for cell in astuple(row)])


def failed_rows(frame: pa.Table, feature: CustomFeature, which: str) -> list[int]:
    """The positions of the rows without a vector that are worth another attempt.

    Parameters
    ----------
    which
        `"transient"`: those that failed by the network or their server. `"all"`: every one.
    """
    reasons = frames.cells(frame, feature.origin.failure_column)
    return [
        row
        for row, reason in enumerate(reasons)
        if isinstance(reason, str) and (which == ALL or may_pass(reason))
    ]


def retry(
    frame: pa.Table,
    feature: CustomFeature,
    rows: Sequence[int],
    embed: Callable[[pa.Table], pa.Table],
) -> pa.Table:
    """`frame` with the given rows embedded anew; the other rows keep their vectors bit for bit."""
    tried = embed(frame.take(list(rows)))
    old = frames.read_vectors(frame, feature.origin.column)
    new = frames.read_vectors(tried, feature.origin.column)
    # The width of a column of nothing but failures is not known.
    width = max(old.matrix.shape[1], new.matrix.shape[1], 1)
    vectors = np.zeros((frame.num_rows, width), dtype=np.float32)
    at = np.array(rows, dtype=np.int64)
    for read, where in ((old, np.arange(frame.num_rows)), (new, at)):
        if read.usable.any():
            vectors[where[read.usable]] = read.matrix
    quality = np.full((frame.num_rows, len(QUALITY_FIELDS)), np.nan, dtype=np.float32)
    for row, numbers in enumerate(frames.cells(frame, feature.origin.quality_column)):
        if not frames.is_missing(numbers):
            quality[row] = numbers
    for row, numbers in zip(rows, frames.cells(tried, feature.origin.quality_column), strict=True):
        if not frames.is_missing(numbers):
            quality[row] = numbers
    failure = feature.origin.failure_column
    texts: dict[str, list[str | None]] = {}
    for name in (failure, f"{failure}_detail"):
        values = [v if isinstance(v, str) else None for v in frames.cells(frame, name)]
        for row, value in zip(rows, frames.cells(tried, name), strict=True):
            values[row] = value if isinstance(value, str) else None
        texts[name] = values
    return frames.with_columns(
        frame,
        {feature.origin.column: vectors, **texts, feature.origin.quality_column: quality},
        failed=np.array([reason is not None for reason in texts[failure]], dtype=bool),
        fingerprints={feature.origin.column: str(new.fingerprint)},
    )


def _shown(cell: Any) -> str:
    return redact_url(str(cell)) if isinstance(cell, str | PurePath) else ""


def harmless_cell(cell: object) -> object:
    """A cell that no spreadsheet runs, whatever it takes for a separator.

    >>> harmless_cell("=1+1"), harmless_cell("a;=1+1"), harmless_cell("＠SUM(A1)")
    ("'=1+1", "a;'=1+1", "'＠SUM(A1)")
    """
    return _BEFORE_A_FORMULA.sub(lambda m: f"{m[0]}'", cell) if isinstance(cell, str) else cell
