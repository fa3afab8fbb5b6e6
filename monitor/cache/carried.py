"""What a cache knows of some cells, small enough to travel to another process, and what that one adds."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.cache.records import CachedVector, KnownFailure, KnownSource
from monitor.cache.store import VectorCache

_Key = tuple[str, str]


@dataclass
class CarriedCache:
    """Stands for a `VectorCache` where its file is out of reach; picklable.

    `take_source` and `take_vector` what the cache knows and send it along; what was added there,
    `give_added` gives to the cache here.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> vector = CachedVector(np.ones(2, np.float32), np.zeros(8, np.float32))
    >>> carried = CarriedCache()
    >>> carried.add_vector("an encoder", "00ff", vector)
    >>> with tempfile.TemporaryDirectory() as folder, VectorCache(folder) as cache:
    ...     carried.give_added(cache)
    ...     cache.commit()
    ...     cache.vector("an encoder", "00ff").vector
    array([1., 1.], dtype=float32)
    """

    sources: dict[_Key, KnownSource] = field(default_factory=dict)
    vectors: dict[_Key, CachedVector] = field(default_factory=dict)
    failures: dict[_Key, KnownFailure] = field(default_factory=dict)
    added_sources: dict[_Key, KnownSource] = field(default_factory=dict)
    added_vectors: dict[_Key, CachedVector] = field(default_factory=dict)
    added_failures: dict[_Key, KnownFailure] = field(default_factory=dict)

    def take_source(self, cache: VectorCache, policy: str, maker: str, key: str) -> None:
        """Take along what `cache` knows of the source `key`."""
        if (failure := cache.failure(policy, key)) is not None:
            self.failures[policy, key] = failure
        if (source := cache.source(policy, key)) is not None:
            self.sources[policy, key] = source
            self.take_vector(cache, maker, source.sha256)

    def take_vector(self, cache: VectorCache, maker: str, sha256: str) -> None:
        """Take along the vector that `cache` has of the bytes `sha256`, if it has one."""
        if (vector := cache.vector(maker, sha256)) is not None:
            self.vectors[maker, sha256] = vector

    def give_added(self, cache: VectorCache) -> None:
        """Add to `cache` what was added here, with its next commit."""
        for (maker, sha256), vector in self.added_vectors.items():
            cache.add_vector(maker, sha256, vector)
        for (policy, key), source in self.added_sources.items():
            cache.add_source(policy, key, source)
        for (policy, key), failure in self.added_failures.items():
            cache.add_failure(policy, key, failure)

    def without_known(self) -> CarriedCache:
        """What was added alone, for the way back."""
        return CarriedCache(
            added_sources=self.added_sources,
            added_vectors=self.added_vectors,
            added_failures=self.added_failures,
        )

    def source(self, policy: str, key: str) -> KnownSource | None:
        """As `VectorCache.source`."""
        return self.sources.get((policy, key))

    def vector(self, maker: str, sha256: str) -> CachedVector | None:
        """As `VectorCache.vector`."""
        return self.vectors.get((maker, sha256))

    def failure(self, policy: str, key: str) -> KnownFailure | None:
        """As `VectorCache.failure`."""
        return self.failures.get((policy, key))

    def add_vector(self, maker: str, sha256: str, cached: CachedVector) -> None:
        """As `VectorCache.add_vector`."""
        self.added_vectors[maker, sha256] = cached

    def add_source(self, policy: str, key: str, source: KnownSource) -> None:
        """As `VectorCache.add_source`."""
        self.added_sources[policy, key] = source

    def add_failure(self, policy: str, key: str, failure: KnownFailure) -> None:
        """As `VectorCache.add_failure`."""
        self.added_failures[policy, key] = failure

    def commit(self) -> None:
        """Nothing: what was added travels back."""
