"""Some rows of the baseline, kept whole: what a window's rows are told apart from, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.example import Example
from monitor.codec import Shape

MAX_KNOWN: Final = 1_000


@dataclass(frozen=True, eq=False)
class KnownRows:
    """Rows drawn at random from the baseline.

    No verdict depends on them: they serve to say which rows of a drifted window changed, and how.

    Parameters
    ----------
    vectors
        (n, width) float32, as `Baseline.assign` scales them.
    quality
        (n, fields) float32, the images' pixel statistics; NaN where there are none, no field at all where
        they were not measured.
    examples
        (n,) where each row is found.
    """

    vectors: Annotated[NDArray[np.float32], Shape("known_rows", "width")]
    quality: Annotated[NDArray[np.float32], Shape("known_rows", None, finite=False)]
    examples: tuple[Example, ...] = ()

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Movements:
    """How changes of the pipeline that are often at fault move the vectors of this baseline's images.

    Parameters
    ----------
    names
        What is done to an image, in words: "red and blue swapped".
    vectors
        (len(names), width) float32, the mean movement of images' vectors by each.
    n_images
        Images that were changed to learn this.
    """

    names: tuple[str, ...]
    vectors: Annotated[NDArray[np.float32], Shape("movements", "width")]
    n_images: int


def draw_rows(n: int, random_state: int) -> NDArray[np.int64]:
    """(m,) which of n rows are kept, rising, at most `MAX_KNOWN`."""
    rng = np.random.default_rng([random_state, 0x6B6E6F77])
    return np.sort(rng.permutation(n)[:MAX_KNOWN])
