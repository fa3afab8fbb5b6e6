"""Texts that stand beside images, added to the images' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.failures import Failure

if TYPE_CHECKING:
    from monitor.encoders import Encoder


def add_descriptions(
    vectors: NDArray[np.float32],
    failures: Sequence[Failure | None],
    descriptions: Sequence[str | None],
    encoder: Encoder,
) -> NDArray[np.float32]:
    """(n, width) unit vectors of image plus text; without a text, or with a failure, as they were."""
    described = [
        row
        for row, text in enumerate(descriptions)
        if failures[row] is None and isinstance(text, str) and text.strip()
    ]
    if not described:
        return vectors
    texts = [str(descriptions[row]) for row in described]
    distinct = list(dict.fromkeys(texts))
    position = {text: i for i, text in enumerate(distinct)}
    text_vectors = encoder.encode_texts(distinct)[[position[text] for text in texts]]
    summed = vectors[described] + text_vectors
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    result = vectors.copy()
    # An image and a text that cancel exactly leave no direction: the image alone then stands.
    result[described] = np.where(
        lengths > 1e-6, summed / np.maximum(lengths, 1e-6), vectors[described]
    )
    return result
