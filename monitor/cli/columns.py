"""Do the files have the columns that the config names?"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.config import MonitoringConfig
from monitor.errors import MissingColumnError, did_you_mean
from monitor.features import CustomFeature, check_features
from monitor.rules import OF_TIME


def check_columns(
    config: MonitoringConfig,
    source: str,
    columns: Sequence[str],
    features: Sequence[CustomFeature],
    part: str | None,
) -> None:
    """Pass if a file with these columns has all that are needed.

    Parameters
    ----------
    config
        Names the columns of times and segments.
    source
        The file, for messages.
    columns
        Its columns.
    features
        Those that need theirs.
    part
        `"baseline"` or `"production"`; None for a file that is neither, where times and segments do
        not matter.

    Raises
    ------
    MissingColumnError
        If one is missing; the message names close ones.
    """
    try:
        check_features(features, columns)
    except MissingColumnError as error:
        raise MissingColumnError(f"{source}: {error}") from error
    if part is None:
        return
    named = {
        f"data.{part}.timestamp_column": getattr(config.data, part).timestamp_column,
        "drift.segment_column": config.drift.segment_column,
        "drift.group_column": config.drift.group_column if part == "baseline" else None,
    }
    named |= {
        f"drift.context[{at}]": name
        for at, name in enumerate(config.drift.context)
        if name not in OF_TIME
    }
    for key, column in named.items():
        if column is not None and column not in columns:
            raise MissingColumnError(
                f"{source}: {key} names the column {column!r}, which the data does not have; "
                f"{did_you_mean(column, columns)}the data has {', '.join(columns)}"
            )
