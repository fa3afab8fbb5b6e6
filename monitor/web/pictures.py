"""Pictures of rows, re-encoded: small ones kept on disk, large ones made when they are asked for.

A browser asks for an id of ours and never for a stranger's address. An id means something only after the
page has named it, and only pixels that we encoded leave the house.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, SourcePolicy
from monitor.redaction import full_url

SMALL: Final = 224
"""Pixels of a thumbnail's side: the size that most encoders see, sharp on screens of two pixels a point."""
LARGE: Final = 1_600
_QUALITY: Final = 78
_FILE: Final = "pictures-1.sqlite"
"""The number is that of the layout."""
_MOST_SOURCES: Final = 400_000
_MOST_LARGE: Final = 48
_MOST_BYTES: Final = 1_000_000_000
_AT_ONCE: Final = 8
_FAILURE_SECONDS: Final = 600.0
"""For how long a failure is not tried again: somebody who scrolls must not ask a dead server each time."""
_DEADLINE_SECONDS: Final = 10.0


class Pictures:
    """Pictures by id; thread-safe; `close` it.

    Parameters
    ----------
    folder
        Where small pictures are kept.
    policy
        From where images may be fetched.
    """

    def __init__(self, folder: Path, policy: SourcePolicy) -> None:
        deadline = min(policy.deadline_seconds, _DEADLINE_SECONDS)
        connect = min(policy.connect_timeout_seconds, deadline)
        self._policy = policy.model_copy(
            update={"deadline_seconds": deadline, "connect_timeout_seconds": connect}
        )
        self._reader = ImageReader(self._policy)
        # What one policy allowed another may not.
        self._salt = hashlib.sha256(policy.model_dump_json().encode()).digest()
        self._sources: OrderedDict[str, str] = OrderedDict()
        self._large: OrderedDict[str, bytes] = OrderedDict()
        self._failures: dict[str, tuple[float, Failure]] = {}
        self._running: dict[tuple[str, int], Future[bytes | Failure]] = {}
        self._lock = threading.Lock()
        self._places = threading.Semaphore(_AT_ONCE)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(folder / _FILE, check_same_thread=False, timeout=30)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS pictures (id TEXT PRIMARY KEY, webp BLOB NOT NULL, made_at REAL)"
        )
        self._prune()

    def id_of(self, source: str) -> str:
        """The id of a source cell; from now on it can be asked for."""
        source = full_url(source)
        text = source.encode("utf-8", "surrogatepass")
        key = hashlib.sha256(self._salt + text).hexdigest()[:32]
        with self._lock:
            self._sources[key] = source
            self._sources.move_to_end(key)
            while len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
        return key

    def small(self, key: str) -> bytes | Failure | None:
        """The thumbnail as WebP, why there is none, or None for an id that nobody named."""
        with self._lock:
            row = self._file.execute("SELECT webp FROM pictures WHERE id = ?", (key,)).fetchone()
        if row is not None:
            return bytes(row[0])
        picture = self._made(key, SMALL)
        if isinstance(picture, bytes):
            with self._lock:
                self._file.execute(
                    "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", (key, picture, time.time())
                )
                self._file.commit()
        return picture

    def large(self, key: str) -> bytes | Failure | None:
        """The whole picture as WebP, no side longer than 1,600 pixels."""
        with self._lock:
            kept = self._large.get(key)
        if kept is not None:
            return kept
        picture = self._made(key, LARGE)
        if isinstance(picture, bytes):
            with self._lock:
                self._large[key] = picture
                while len(self._large) > _MOST_LARGE:
                    self._large.popitem(last=False)
        return picture

    def whole(self, key: str) -> DecodedImage | Failure | None:
        """The picture as pixels, read anew; None for an id that nobody named."""
        with self._lock:
            source = self._sources.get(key)
        if source is None:
            return None
        with self._places:
            return self._reader.read(source)

    def decode(self, file: bytes) -> DecodedImage | Failure:
        """An uploaded file as pixels, decoded with all care that a stranger's file gets."""
        return self._reader.read(file)

    def close(self) -> None:
        """Let go of the file and of all connections."""
        self._reader.cancel()
        self._reader.close()
        with self._lock:
            self._file.close()

    def _made(self, key: str, side: int) -> bytes | Failure | None:
        with self._lock:
            source = self._sources.get(key)
            if source is None:
                return None
            failed = self._failures.get(key)
            if failed is not None and failed[0] > time.monotonic():
                return failed[1]
            running = self._running.get((key, side))
            is_ours = running is None
            if running is None:
                running = self._running[key, side] = Future()
        if not is_ours:
            return running.result()
        try:
            picture = self._make(source, side)
        except BaseException as error:
            running.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[key, side]
        running.set_result(picture)
        if isinstance(picture, Failure):
            with self._lock:
                if len(self._failures) > _MOST_SOURCES:
                    self._failures.clear()
                self._failures[key] = (time.monotonic() + _FAILURE_SECONDS, picture)
        return picture

    def _make(self, source: str, side: int) -> bytes | Failure:
        with self._places:
            decoded = self._reader.read(source)
        if isinstance(decoded, Failure):
            return decoded
        image = decoded.image
        if side == SMALL:
            image = ImageOps.fit(image, (SMALL, SMALL), Image.Resampling.LANCZOS)
        elif max(image.size) > side:
            image = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=_QUALITY, method=2)
        return buffer.getvalue()

    def _prune(self) -> None:
        (n_bytes,) = self._file.execute(
            "SELECT coalesce(sum(length(webp)), 0) FROM pictures"
        ).fetchone()
        if n_bytes > _MOST_BYTES:
            self._file.execute(
                "DELETE FROM pictures WHERE rowid IN (SELECT rowid FROM pictures ORDER BY made_at "
                "LIMIT (SELECT count(*) / 2 FROM pictures))"
            )
            self._file.commit()
