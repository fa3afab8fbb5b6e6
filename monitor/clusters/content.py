"""Rows by their content: which are copies, and a split in two that copies do not straddle."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def content_keys(vectors: NDArray[np.float32], random_state: int = 0) -> NDArray[np.uint64]:
    """(n,) a number for each row that depends on its bytes only: equal for copies, else at random."""
    key = f"monitor:{random_state}".encode()[:64]
    digests = b"".join(
        hashlib.blake2b(row.data, digest_size=8, key=key).digest()
        for row in np.ascontiguousarray(vectors)
    )
    return np.frombuffer(digests, dtype=np.uint64)


def keys_of_blocks(keys: NDArray[np.uint64], blocks: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(n,) keys that only copies in one block share.

    A picture that comes again weeks later will come again in production: there, too, windows hold copies of
    rows that clusters were fitted on. Copies of one visit or burst tell nothing of that.

    Parameters
    ----------
    keys, blocks
        (n,) from `content_keys`, and from `block_of_rows`.

    Returns
    -------
    (n,) as `keys` for rows of the first block that holds a copy.
    """
    _, which = np.unique(keys, return_inverse=True)
    first = np.full(len(keys), blocks.max(initial=-1))
    np.minimum.at(first, which, blocks)
    again = scrambled(keys, (blocks + 1).astype(np.uint64))
    return np.where(blocks > first[which], again, keys)


def largest_share(keys: NDArray[np.uint64]) -> float:
    """The share of rows, in [0, 1], that are copies of the most frequent one; 0 when all differ."""
    if len(keys) == 0:
        return 0.0
    most = int(np.unique(keys, return_counts=True)[1].max())
    return most / len(keys) if most > 1 else 0.0


def most_repeated(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) which rows hold the most frequent vector."""
    keys, which, counts = np.unique(content_keys(vectors), return_inverse=True, return_counts=True)
    return np.asarray(which == counts.argmax()) if len(keys) else np.zeros(0, dtype=bool)


def n_distinct(vectors: NDArray[np.float32]) -> int:
    """How many different rows there are."""
    return len(np.unique(content_keys(vectors)))


def portion_of(n_rows: int) -> int:
    """How many copies of one row stay together when so many rows are split."""
    return max(2, n_rows // 200)


def split_by_content(
    keys: NDArray[np.uint64], n_first: int, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows in two at random, by their content alone, not by where they stand.

    Copies of a row stay on one side, so that neither side knows the other's rows. But a row that is
    copied very often, such as a placeholder image, is dealt in portions of half a percent of all rows:
    whole, it would be missing on one side and doubled on the other.

    Parameters
    ----------
    keys
        (n,) from `content_keys`; of 2 rows or more.
    n_first
        About how many rows the first side gets; the nearest number that no portion straddles.
    groups
        (n,) numbers from 0 on: rows of one group stay together, instead of copies.

    Returns
    -------
    Positions of the rows on each side, in an order that depends on their content only. The second is
    empty when one portion holds all rows.
    """
    by_key = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[by_key], prepend=~keys[by_key[0]]))
    n_copies = np.diff(starts, append=len(keys))
    copy = np.empty(len(keys), dtype=np.int64)
    copy[by_key] = np.arange(len(keys)) - np.repeat(starts, n_copies)
    portion = (copy // portion_of(len(keys))).astype(np.uint64)
    dealt = scrambled(keys, portion)
    if groups is not None:
        of_groups = np.full(int(groups.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(of_groups, groups, dealt)
        dealt = of_groups[groups]
    order = np.argsort(dealt, kind="stable")
    edges = 1 + np.flatnonzero(np.diff(dealt[order]) != 0)
    if len(edges) == 0:
        return order, order[:0]
    cut = int(edges[np.abs(edges - n_first).argmin()])
    return order[:cut], order[cut:]


def scrambled(
    numbers: NDArray[np.uint64], stream: NDArray[np.uint64] | np.uint64
) -> NDArray[np.uint64]:
    """Numbers that are as good as independent of the ones given (SplitMix64; Steele, Lea & Flood 2014).

    `stream`, for each or for all: with another one other numbers come out.
    """
    # Of arrays, which wrap round in silence.
    numbers = numbers + np.atleast_1d(stream) * _GOLDEN
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX_1
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX_2
    return numbers ^ (numbers >> np.uint64(31))
