"""What clusters and groups are called, and the vocabulary that their names come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape


@dataclass(frozen=True)
class Name:
    """What rows that are alike show.

    Parameters
    ----------
    text
        A few words, such as "shoes", or "country = FR" where they come from a metadata column; "" where
        nothing fits well enough.
    words
        The best three words, the likeliest first, also where none fits well enough for `text`.

    Examples
    --------
    >>> bool(Name()), str(Name("shoes", ("shoes", "sneakers", "boots")))
    (False, 'shoes')
    """

    text: str = ""
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Words:
    """A vocabulary in the space of the images' vectors, and how well each word fits the baseline.

    Parameters
    ----------
    names
        The words that the encoder knows.
    vectors
        (words, width) float16, what its text tower makes of them, of length 1.
    sharpness
        What a difference of similarities is multiplied by before it becomes a probability.
    usual
        (words,) float32, how likely each word fits a row of the baseline; they add up to 1.
    """

    names: tuple[str, ...]
    vectors: Annotated[NDArray[np.float16], Shape("words", "width")]
    sharpness: float
    usual: Annotated[NDArray[np.float32], Shape("words")]

    def __len__(self) -> int:
        return len(self.names)
