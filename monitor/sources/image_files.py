"""A folder of images is a table: a row for each, with its path, its time and its size."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from monitor import frames
from monitor.errors import InvalidInputError
from monitor.frames import CHUNK_ROWS
from monitor.sources.files import Outline, partition_of
from monitor.sources.listing import Listing, is_local, list_files
from monitor.sources.source import within

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PATH: Final = "path"
TIME: Final = "time"
SIZE: Final = "size"
IMAGES: Final = (
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".ico", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm",
    ".tif", ".tiff", ".webp",
)  # fmt: skip
"""What the names of the images of a folder end in."""
ImageTime: TypeAlias = Literal["path", "mtime", "exif"]
_CHANGED: Final = ("mtime", "LastModified", "last_modified", "updated", "created")
_PARTITION_KEY: Final = re.compile(r"[^/=]+=")
_DATE: Final = re.compile(
    r"""
    (?<!\d)(?P<year>(?:19|20)\d\d)(?P<sign>[-_./]?)(?P<month>\d\d)(?P=sign)(?P<day>\d\d)
    (?:
        (?:T|[ _-])(?P<hour>\d\d)(?P<colon>[-_.:]?)(?P<minute>\d\d)(?P=colon)(?P<second>\d\d)
        (?P<zone>Z|[+-]\d\d:?\d\d)?
    )?
    (?!\d)
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True)
class ImageFiles:
    """Images as rows: `path`, `time` and `size`, and a column for each folder such as `country=de`.

    Parameters
    ----------
    pattern
        A folder, which stands for all images in it and below, or a pattern such as `"photos/**/*.jpg"`, of
        this machine or behind an fsspec scheme.
    timestamp
        Where an image's time is: `"path"`, a date in it such as `2026-03-01` or `20260301_120000`, the last
        one if there are several; `"mtime"`, when the file was last changed; `"exif"`, when the camera
        says that it was taken. What says no zone is taken as UTC. None: images have no time.
    exclude
        A folder of this machine that is never searched.
    chunk_rows
        Rows in memory at a time.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = pathlib.Path(folder.name, "2026-03-01_a.png").write_bytes(b"...")
    >>> table = ImageFiles(folder.name, "path").read()
    >>> table["time"].to_pylist(), table["size"].to_pylist()
    ([datetime.datetime(2026, 3, 1, 0, 0, tzinfo=...)], [3])
    >>> folder.cleanup()
    """

    pattern: str
    timestamp: ImageTime | None = None
    exclude: str | None = None
    chunk_rows: int = CHUNK_ROWS

    def __str__(self) -> str:
        return self.pattern

    @property
    def timestamp_column(self) -> str:
        """`time`."""
        return TIME

    @property
    def name(self) -> str:
        """The pattern."""
        return self.pattern

    @property
    def stem(self) -> str:
        """The pattern without what file names cannot hold."""
        words = re.findall(r"[A-Za-z0-9]+", PurePath(self.pattern).with_suffix("").as_posix())
        return "-".join(words[-3:]) or "images"

    @property
    def path(self) -> str:
        """The pattern, whatever the working folder."""
        return self.pattern if "://" in self.pattern else os.path.abspath(self.pattern)

    def state(self) -> list[str]:
        """What changes when an image comes, goes or changes."""
        listing = self._listed()
        return [
            self.path,
            _hashed(f"{path}:{_entry(listing.store, path)}" for path in listing.paths),
        ]

    def digest(self) -> str:
        """What changes with the name or the size of an image."""
        listing = self._listed()
        below = len(listing.root)
        return _hashed(f"{path[below:]}:{_size(listing.store, path)}" for path in listing.paths)

    def outline(self) -> Outline:
        """The columns and how many images there are."""
        table = self.read()
        notes = []
        if self.timestamp is not None and (n_undated := table[TIME].null_count):
            where = {"path": "path", "mtime": "file's state", "exif": "EXIF"}[self.timestamp]
            undated = table.filter(table[TIME].is_null())[PATH][0].as_py()
            notes.append(
                f"{n_undated:,} of {len(table):,} images have no time in their {where}, such as {undated}"
            )
        columns = (name for name in table.column_names if name != frames.ROW)
        return Outline(tuple(columns), len(table), tuple(notes))

    def read(self) -> pa.Table:
        """All images as one table."""
        return frames.join(list(self.tables()))

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        wanted = None if columns is None else {*columns, TIME}
        return within(self.tables(wanted), TIME, start, end)

    def _listed(self) -> Listing:
        return list_files(self.pattern, exclude=self.exclude, suffixes=IMAGES)

    def tables(
        self, columns: Collection[str] | None = None, *, chunk_rows: int | None = None
    ) -> Iterator[pa.Table]:
        """The rows with the `columns` that there are of these, in pieces."""
        listing = self._listed()
        n = chunk_rows or self.chunk_rows
        for first in range(0, len(listing.paths), n):
            paths = listing.paths[first : first + n]
            table = self._table(listing, paths)
            names = [name for name in table.column_names if columns is None or name in columns]
            yield table.select(names)

    def _table(self, listing: Listing, paths: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        store = listing.store
        shown = [
            frames.text_of(path if is_local(store) else store.unstrip_protocol(path))
            for path in paths
        ]
        below = len(listing.root.rstrip("/")) + 1
        partitions = [partition_of(path[below:]) for path in paths]
        table = pa.table(
            {
                frames.ROW: pa.array(
                    [frames.text_of(path[below:] or path) for path in paths], pa.string()
                ),
                PATH: pa.array(shown, pa.string()),
                TIME: pa.array(
                    [self._time(store, path, below) for path in paths], pa.timestamp("us", "UTC")
                ),
                SIZE: pa.array([_size(store, path) for path in paths], pa.int64()),
            }
        )
        for name in dict.fromkeys(name for partition in partitions for name in partition):
            if name not in table.column_names:
                cells = [partition.get(name) for partition in partitions]
                table = table.append_column(name, pa.array(cells, pa.string()))
        return table

    def _time(self, store: Any, path: str, below: int) -> dt.datetime | None:
        if self.timestamp == "path":
            return time_in(path[below:]) or time_in(path)
        if self.timestamp == "mtime":
            return _changed(store, path)
        if self.timestamp == "exif":
            from monitor.images.taken import HEAD_BYTES, taken_at

            try:
                with store.open(path, "rb") as file:
                    return taken_at(file.read(HEAD_BYTES))
            except OSError:
                return None
        return None


def images_frame(pattern: str, *, timestamp: ImageTime | None = "mtime") -> pd.DataFrame:
    """A folder of images as a table: `path`, `time` and `size` of each.

    Parameters
    ----------
    pattern
        A folder or a pattern such as `"photos/**/*.jpg"`, of this machine or behind an fsspec scheme such as
        `"s3://bucket/photos"`. A folder `country=de` gives its images a column `country`.
    timestamp
        Where an image's time is: `"mtime"`, when the file was last changed; `"path"`, a date in the path;
        `"exif"`, when it was taken. None leaves `time` empty.

    Returns
    -------
    A pandas DataFrame, by path. To embed images of this machine, name their folder in the policy:
    `monitor.embed(frame, feature, policy=monitor.SourcePolicy(roots=["photos"]))`.

    Raises
    ------
    InvalidInputError
        If there is no image.

    Examples
    --------
    >>> import tempfile, pathlib, monitor
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = pathlib.Path(folder.name, "a.png").write_bytes(b"...")
    >>> list(monitor.images_frame(folder.name))
    ['path', 'time', 'size']
    >>> folder.cleanup()
    """
    if timestamp not in {None, "path", "mtime", "exif"}:
        raise InvalidInputError(
            f"timestamp={timestamp!r} is no place for a time: allowed are 'path', 'mtime', 'exif' and None"
        )
    table = ImageFiles(pattern, timestamp).read().drop_columns([frames.ROW])
    frame: pd.DataFrame = table.to_pandas()
    return frame


def time_in(path: str) -> dt.datetime | None:
    """The last date in a path, with its time of the day if there is one; in UTC if it names no zone.

    >>> str(time_in("year=2026/month=03/day=01/IMG_0001.jpg"))
    '2026-03-01 00:00:00+00:00'
    >>> str(time_in("2026-03-01/cam1_20260302T101112+0200.jpg")), time_in("IMG_12345678.jpg")
    ('2026-03-02 08:11:12+00:00', None)
    """
    for match in reversed(list(_DATE.finditer(_PARTITION_KEY.sub("", path)))):
        hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
        zone = (match["zone"] or "Z").replace("Z", "+0000")
        try:
            year, month, day = (int(match[name]) for name in ("year", "month", "day"))
            offset = dt.datetime.strptime(zone, "%z").tzinfo
            return dt.datetime(year, month, day, hour, minute, second, tzinfo=offset).astimezone(
                dt.UTC
            )
        except (ValueError, OverflowError):
            continue  # digits that are no date
    return None


def _hashed(marks: Iterable[str]) -> str:
    text = "\n".join(marks).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()


def _entry(store: Any, path: str) -> str:
    state = _state(path) if is_local(store) else None
    if state is not None:
        return f"{state.st_size}:{state.st_mtime_ns}"
    return f"{_size(store, path)}:{_changed(store, path)}"


def _state(path: str) -> os.stat_result | None:
    """None for a file that has gone since it was listed, which is one row without an image."""
    try:
        return os.stat(path)
    except OSError:
        return None


def _size(store: Any, path: str) -> int | None:
    if not is_local(store):
        return int(store.info(path)["size"])
    state = _state(path)
    return None if state is None else state.st_size


def _changed(store: Any, path: str) -> dt.datetime | None:
    if is_local(store):
        state = _state(path)
        return None if state is None else dt.datetime.fromtimestamp(state.st_mtime, dt.UTC)
    entry = store.info(path)
    when = next((entry[key] for key in _CHANGED if entry.get(key)), None)
    if isinstance(when, int | float):
        return dt.datetime.fromtimestamp(when, dt.UTC)
    if isinstance(when, str):
        when = dt.datetime.fromisoformat(when)
    if not isinstance(when, dt.datetime):
        return None
    return when.replace(tzinfo=when.tzinfo or dt.UTC).astimezone(dt.UTC)
