"""The vector cache: one SQLite file, shared by any number of processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final

from monitor.cache.database import CacheFile, Statement
from monitor.cache.records import (
    CachedVector,
    KnownFailure,
    KnownSource,
    checksum,
    from_bytes,
    to_bytes,
)

DAY: Final = 86_400.0
UNFINISHED_JOB_SECONDS: Final = 7 * DAY
"""A job that was cut off longer ago begins anew: what it fetched is too old to pass for today's."""
_TOUCH_SECONDS: Final = 3_600.0
"""How exactly the time of a vector's last use is kept; exacter, each hit would be a write."""
_LEFT_AFTER_PRUNE: Final = 0.9
_FORGET_UNUSED: Final = "DELETE FROM vectors WHERE used_at < ?"
_FORGET_OLDEST: Final = (
    "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY used_at LIMIT ?)"
)
_LEFTOVERS: Final[tuple[Statement, ...]] = (
    ("DELETE FROM sources WHERE sha256 NOT IN (SELECT sha256 FROM vectors)", ()),
    ("DELETE FROM makers WHERE id NOT IN (SELECT maker FROM vectors)", ()),
)


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds.

    Parameters
    ----------
    path
        Its file.
    n_bytes
        What its rows take on disk.
    n_vectors, n_sources
        How many vectors and sources are known.
    n_vectors_by_encoder
        Fingerprint to number of vectors.
    """

    path: Path
    n_bytes: int
    n_vectors: int
    n_sources: int
    n_vectors_by_encoder: Mapping[str, int]


class VectorCache:
    """Vectors by the sha256 of an image's bytes and by what made them; thread-safe; `close` it.

    A source (URL, object, file) leads to a sha256 within the time to live, later only if its server
    says that nothing has changed (ETag, Last-Modified), and a local file by its size and times of
    change. A vector comes back with the bits it was stored with; a damaged row counts as absent.
    Addresses are kept as digests, since they can hold secrets.

    Parameters
    ----------
    folder
        Where the file `vectors-1.sqlite` lies or is made. On this machine: SQLite's locks do not hold
        on network drives.
    ttl_seconds
        How long a URL counts as unchanged without asking; 0 asks each time.
    max_bytes
        The file is pruned to this size, by last use, when the cache is closed.
    job
        A name for a piece of work that may be cut off. Until `finish_job`, what it has fetched, and the
        failures that another attempt would not mend, count as done whatever the time to live.
    is_forced
        Take no URL or file as unchanged, except those of the unfinished job.
    clock
        Seconds since 1970.

    Raises
    ------
    CacheError
        If the file is damaged or of another program.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> vector = CachedVector(np.ones(2, np.float32), np.zeros(7, np.float32))
    >>> with tempfile.TemporaryDirectory() as folder, VectorCache(folder) as cache:
    ...     cache.add_vector("an encoder", "00ff", vector)
    ...     cache.commit()
    ...     cache.vector("an encoder", "00ff").vector, cache.vector("another", "00ff")
    (array([1., 1.], dtype=float32), None)
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        ttl_seconds: float = DAY,
        max_bytes: int = 2_000_000_000,
        job: str | None = None,
        is_forced: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = CacheFile(Path(folder))
        self._ttl_seconds = ttl_seconds
        self._max_bytes = max_bytes
        self._job = job
        self._is_forced = is_forced
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: list[Statement] = []

    @property
    def path(self) -> Path:
        """The cache's file."""
        return self._file.path

    def source(self, policy: str, key: str) -> KnownSource | None:
        """What is known of the source `key` under the source policy `policy`, if anything."""
        row = self._file.one(
            "SELECT sha256, place, etag, last_modified, file_state, checked_at, job "
            "FROM sources WHERE key = ?",
            (_digest(policy, key),),
        )
        if row is None:
            return None
        is_of_job = self._job is not None and row[6] == self._job
        if self._is_forced and not is_of_job:
            return None
        age = self._clock() - row[5]
        longest = max(self._ttl_seconds, UNFINISHED_JOB_SECONDS) if is_of_job else self._ttl_seconds
        # A time in the future is of a clock that was wrong.
        place, etag, last_modified, file_state = row[1:5]
        is_fresh = 0 <= age < longest
        return KnownSource(row[0].hex(), place, etag, last_modified, file_state, is_fresh)

    def vector(self, maker: str, sha256: str) -> CachedVector | None:
        """The vector that `maker` gave the image of digest `sha256`, if it is here and whole."""
        sha = bytes.fromhex(sha256)
        row = self._file.one(
            "SELECT vector, quality, crc, used_at, vectors.rowid FROM vectors "
            "JOIN makers ON id = maker WHERE sha256 = ? AND name = ?",
            (sha, maker),
        )
        if row is None or row[2] != checksum(maker, sha, row[0], row[1]):
            return None
        now = self._clock()
        if abs(now - row[3]) > _TOUCH_SECONDS:
            self._later("UPDATE vectors SET used_at = ? WHERE rowid = ?", now, row[4])
        return CachedVector(from_bytes(row[0]), from_bytes(row[1]))

    def failure(self, policy: str, key: str) -> KnownFailure | None:
        """Why the source `key` has no vector, if the unfinished job has found that out."""
        row = self._file.one(
            "SELECT reason, detail FROM failures WHERE job = ? AND key = ? AND failed_at > ?",
            (self._job, _digest(policy, key), self._clock() - UNFINISHED_JOB_SECONDS),
        )
        return None if row is None else KnownFailure(*row)

    def add_vector(self, maker: str, sha256: str, cached: CachedVector) -> None:
        """Remember the vector that `maker` gave an image, with the next `commit`."""
        sha, vector, quality = (
            bytes.fromhex(sha256),
            to_bytes(cached.vector),
            to_bytes(cached.quality),
        )
        crc = checksum(maker, sha, vector, quality)
        self._later("INSERT OR IGNORE INTO makers (name) VALUES (?)", maker)
        self._later(
            "INSERT OR REPLACE INTO vectors (maker, sha256, vector, quality, crc, used_at) "
            "SELECT id, ?, ?, ?, ?, ? FROM makers WHERE name = ?",
            *(sha, vector, quality, crc, self._clock(), maker),
        )

    def add_source(self, policy: str, key: str, source: KnownSource) -> None:
        """Remember which bytes a source has now, with the next `commit`."""
        self._later(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(_digest(policy, key), bytes.fromhex(source.sha256), source.place, source.etag),
            *(source.last_modified, source.file_state, self._clock(), self._job),
        )

    def add_failure(self, policy: str, key: str, failure: KnownFailure) -> None:
        """Remember for the unfinished job why a source has no vector, with the next `commit`."""
        if self._job is not None:
            self._later(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?)",
                *(self._job, _digest(policy, key), failure.reason, failure.detail, self._clock()),
            )

    def commit(self) -> None:
        """Write what was added, all or nothing; it then outlives the process."""
        with self._lock:
            work, self._pending = self._pending, []
        if work:
            self._file.write(work)

    def finish_job(self) -> None:
        """The job is done: its sources follow the time to live from now on, its failures are forgotten."""
        self._later("UPDATE sources SET job = NULL WHERE job = ?", self._job)
        self._later("DELETE FROM failures WHERE job = ?", self._job)
        self.commit()

    def info(self) -> CacheInfo:
        """What the cache holds."""
        by_encoder: dict[str, int] = {}
        for name, count in self._file.all(
            "SELECT name, count(*) FROM vectors JOIN makers ON id = maker GROUP BY id ORDER BY name"
        ):
            encoder = name.partition(" ")[0]
            by_encoder[encoder] = by_encoder.get(encoder, 0) + count
        (n_sources,) = self._file.one("SELECT count(*) FROM sources")
        return CacheInfo(
            self.path, self._file.n_bytes, sum(by_encoder.values()), n_sources, by_encoder
        )

    def prune(
        self, *, max_bytes: int | None = None, unused_for_seconds: float | None = None
    ) -> int:
        """Forget vectors, those first that were not used for longest; how many were forgotten.

        Parameters
        ----------
        max_bytes
            Go on until the rows take no more than this.
        unused_for_seconds
            Forget all that were not used for so long.
        """
        n_before = self._n_vectors()
        if unused_for_seconds is not None:
            self._forget(_FORGET_UNUSED, self._clock() - unused_for_seconds)
        while max_bytes is not None and self._file.n_bytes > max_bytes and self._n_vectors():
            surplus = 1 - _LEFT_AFTER_PRUNE * max_bytes / self._file.n_bytes
            n_oldest = max(1, int(self._n_vectors() * surplus))
            self._forget(_FORGET_OLDEST, n_oldest)
        self._file.shrink()
        return n_before - self._n_vectors()

    def _n_vectors(self) -> int:
        return int(self._file.one("SELECT count(*) FROM vectors")[0])

    def _forget(self, sql: str, value: float) -> None:
        self._file.write([(sql, (value,)), *_LEFTOVERS])

    def _later(self, sql: str, *values: object) -> None:
        with self._lock:
            self._pending.append((sql, values))

    def close(self) -> None:
        """Write what was added, prune to the largest size, and let go of the file."""
        if not self._file.is_open:
            return
        try:
            self.commit()
            if self._file.n_bytes > self._max_bytes:
                self.prune(max_bytes=self._max_bytes)
        finally:
            self._file.close()

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _digest(policy: str, key: str) -> bytes:
    return sha256(f"{policy}\0{key}".encode("utf-8", "surrogatepass")).digest()
