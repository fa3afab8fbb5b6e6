"""What the page stands on: a store, features, their rows, and where pictures may come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from monitor.features import ClusteredFeature
from monitor.images import SourcePolicy
from monitor.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.clusters import Baseline


class RowSource(Protocol):
    """The rows of features, with their vectors."""

    def baseline(self, feature: ClusteredFeature) -> Iterator[pa.Table]:
        """The baseline's rows, in pieces.

        Raises
        ------
        MonitorError
            If they cannot be read.
        """

    def window(
        self, feature: ClusteredFeature, start: dt.datetime, end: dt.datetime
    ) -> Iterator[pa.Table]:
        """Production's rows of [start, end), in pieces.

        Raises
        ------
        MonitorError
            If they cannot be read.
        """

    @property
    def timestamp_column(self) -> str | None:
        """When each row happened."""


Accept = Callable[[str, dt.datetime, dt.datetime], "Baseline"]
"""Feature, start and end ─► the baseline that holds from now on."""


@dataclass(frozen=True, eq=False)
class Site:
    """What the page stands on.

    Parameters
    ----------
    store
        What was found.
    features
        By name, as the config has them now, located.
    policy
        From where pictures may be fetched.
    rows
        The embedded rows; None where only the store is known.
    folder
        Where thumbnails and the map's index are kept.
    max_points
        How many rows the map shows at most.
    accept
        Takes windows as the new baseline; None where that cannot be done from the page.
    now
        The time.
    """

    store: Store
    features: Mapping[str, ClusteredFeature]
    policy: SourcePolicy
    rows: RowSource | None
    folder: Path
    max_points: int = 1_000_000
    accept: Accept | None = None
    now: Callable[[], dt.datetime] = field(default=lambda: dt.datetime.now(dt.UTC))
