"""The clouds of a site: their parts made in the background, the clouds kept while they are looked at."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.clusters import Baseline
from monitor.errors import InvalidInputError
from monitor.store import lines
from monitor.store.lines import FeatureLine, WindowLine
from monitor.web import index
from monitor.web.cloud import Cloud, assemble
from monitor.web.index import Part
from monitor.web.site import Site

MAX_WINDOWS: Final = 400
"""Windows on one map: a year of days and a month."""
_KEPT: Final = 3
"""Clouds in memory at a time: about 40 bytes a point."""


class Building(Exception):
    """The index is being made."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total}")
        self.done, self.total = done, total


class Clouds:
    """The clouds of a site: made in the background, kept while they are looked at."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = site.folder / "index"
        self._pool = ThreadPoolExecutor(1, "map-index")
        self._lock = threading.Lock()
        self._clouds: OrderedDict[str, Cloud] = OrderedDict()
        self._work: dict[str, _Work] = {}
        index.prune(self._folder)

    def close(self) -> None:
        """End the work after the part that is being made."""
        for work in list(self._work.values()):
            work.is_stopped = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def get(
        self, feature: FeatureLine, since: dt.datetime, until: dt.datetime, *, patience: float = 2.0
    ) -> Cloud:
        """The baseline and the windows that start in [since, until).

        Raises
        ------
        Building
            If it is not ready after `patience` seconds.
        MonitorError
            If the rows cannot be read.
        """
        site = self._site
        if site.rows is None or feature.name not in site.features:
            raise InvalidInputError(
                f"the config has no rows of feature {feature.name!r}: the map needs embedded tables"
            )
        with site.store.reading() as connection:
            windows = lines.between(connection, feature.id, since, until, MAX_WINDOWS)
            stored = lines.latest_baseline(connection, feature.id)
        if stored is None:
            raise InvalidInputError(f"feature {feature.name!r} has no window yet")
        baseline_id, content = stored
        names = [f"{w.start:%Y%m%dT%H%M%SZ}-{w.end:%Y%m%dT%H%M%SZ}-{w.revision}" for w in windows]
        key = hashlib.sha256(
            "\n".join([str(feature.id), baseline_id, *names]).encode()
        ).hexdigest()[:32]
        with self._lock:
            if key in self._clouds:
                self._clouds.move_to_end(key)
                return self._clouds[key]
            work = self._work.get(key)
            if work is None:
                work = _Work(len(windows) + 1)
                folder = self._folder / f"{feature.id}-{_safe(baseline_id)}"
                # A baseline that cannot be read ends it here, with nothing left behind.
                make = _Maker(site, feature.name, folder, content, work)
                work.future = self._pool.submit(self._make, key, make, windows, names)
                self._work[key] = work
        try:
            assert work.future is not None
            return work.future.result(timeout=patience)
        except TimeoutError:
            raise Building(work.done, work.total) from None

    def _make(
        self, key: str, make: _Maker, windows: Sequence[WindowLine], names: Sequence[str]
    ) -> Cloud:
        try:
            parts = [make.baseline_part()]
            parts += [make.window_part(w, name) for w, name in zip(windows, names, strict=True)]
            cloud = assemble(key, parts, windows, make.baseline, self._site.max_points)
            with self._lock:
                self._clouds[key] = cloud
                while len(self._clouds) > _KEPT:
                    self._clouds.popitem(last=False)
            return cloud
        finally:
            with self._lock:
                self._work.pop(key, None)


@dataclass
class _Work:
    total: int
    done: int = 0
    is_stopped: bool = False
    future: Future[Cloud] | None = None


class _Maker:
    """Makes the parts of one feature, or finds them made."""

    def __init__(self, site: Site, name: str, folder: Path, content: bytes, work: _Work) -> None:
        self._site, self._folder, self._work = site, folder, work
        self._feature = site.features[name]
        self.baseline = Baseline.from_bytes(content)

    def baseline_part(self) -> Part:
        rows = self._site.rows
        assert rows is not None
        return self._part("baseline", lambda: rows.baseline(self._feature))

    def window_part(self, window: WindowLine, name: str) -> Part:
        rows = self._site.rows
        assert rows is not None
        return self._part(name, lambda: rows.window(self._feature, window.start, window.end))

    def _part(self, name: str, tables: Callable[[], Any]) -> Part:
        if self._work.is_stopped:
            raise InvalidInputError("the page is being stopped")
        folder = self._folder / name
        part = Part.open(folder)
        if part is None:
            assert self._site.rows is not None
            part = index.build(
                folder, tables(), self._feature, self.baseline, self._site.rows.timestamp_column
            )
        self._work.done += 1
        return part


def _safe(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
