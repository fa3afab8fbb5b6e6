"""Vectors that were computed before, found by the bytes of their image and by their encoder.

::

    source ─► sha256 of its bytes   within a time to live, or when its server says that it is unchanged
    sha256, encoder ─► vector       for good
"""

from monitor.cache.carried import CarriedCache
from monitor.cache.database import remove
from monitor.cache.records import CachedVector, KnownFailure, KnownSource
from monitor.cache.store import CacheInfo, VectorCache

__all__ = [
    "CacheInfo",
    "CachedVector",
    "CarriedCache",
    "KnownFailure",
    "KnownSource",
    "VectorCache",
    "remove",
]
