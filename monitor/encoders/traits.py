"""What an encoder may say of itself; a process that only reads knows no more of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.geometry import Geometry


@dataclass(frozen=True)
class EncoderTraits:
    """What an encoder may say of itself, in an attribute `traits`, to be used faster.

    Parameters
    ----------
    is_parallel
        Whether `encode_batch` may run in several threads at once, each with its share of torch's threads.
    least_side
        No side of a picture need be longer in pixels, so that a decoder may scale it down; None where
        `preprocess` wants it in full.
    enough
        So many images at once are encoded as fast, each, as more would be: batches need be no larger. Small
        ones keep all threads busy to the end. None where it is not known.
    at_once
        Where batches are not `is_parallel`: in how many threads `encode_batch` may run, so that one batch is
        brought to the device while another is encoded there.
    geometry
        What `preprocess` does, where that is known: then processes that only read may do it in its place, and
        `encode_batch` also takes uint8 arrays (side, side, 3), as `Geometry.pixels` gives them.
    """

    is_parallel: bool = False
    least_side: int | None = None
    enough: int | None = None
    at_once: int = 1
    geometry: Geometry | None = None


def traits_of(encoder: object) -> EncoderTraits:
    """What `encoder` says of itself; nothing, if it has no `traits`."""
    traits: EncoderTraits = getattr(encoder, "traits", EncoderTraits())
    return traits
