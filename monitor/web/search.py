"""Rows by what they show: a text, a picture or another row ─► the nearest rows, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import InvalidInputError
from monitor.features import ClusteredFeature, OriginKind
from monitor.web.cloud import Cloud

if TYPE_CHECKING:
    from PIL import Image

    from monitor.encoders import Encoder

MOST: Final = 200
LONGEST_TEXT: Final = 300


@dataclass(frozen=True)
class Match:
    """A point and its cosine similarity to what was asked for, in [-1, 1]."""

    point: int
    similarity: float


def can_search(feature: ClusteredFeature | None) -> bool:
    """Whether texts and pictures can be looked for: only a model of ours understands them."""
    return feature is not None and feature.origin.kind is OriginKind.IMAGES


def text_vector(feature: ClusteredFeature, text: str) -> NDArray[np.float32]:
    """(width,) what the feature's model makes of a text.

    Raises
    ------
    InvalidInputError
        If it is empty or too long, or the feature has no model that reads texts.
    MonitorError
        If the model cannot be loaded.
    """
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise InvalidInputError(f"give 1 to {LONGEST_TEXT} characters to look for")
    return np.asarray(_encoder(feature).encode_texts([text.strip()])[0], dtype=np.float32)


def image_vector(feature: ClusteredFeature, image: Image.Image) -> NDArray[np.float32]:
    """(width,) what the feature's model makes of a picture.

    Raises
    ------
    MonitorError
        If the feature has no model, or it cannot be loaded.
    """
    return np.asarray(_encoder(feature).encode_images([image])[0], dtype=np.float32)


def point_vector(cloud: Cloud, point: int) -> NDArray[np.float32]:
    """(width,) the vector of a row that is there."""
    placed, row = cloud.placed(point)
    return placed.part.vector(row)


def nearest(
    cloud: Cloud, vector: NDArray[np.float32], n: int, *, side: str | None = None
) -> list[Match]:
    """The `n` points whose vectors are most like `vector`, the most alike first; each one is looked at."""
    length = float(np.linalg.norm(vector))
    if vector.shape != (cloud.baseline.width,) or not length:
        raise InvalidInputError(
            f"the model gives {len(vector)} numbers, the rows have {cloud.baseline.width}: they were "
            "embedded with another model"
        )
    wanted = vector.astype(np.float32) / np.float32(length)
    points: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for placed in cloud.parts:
        is_window = placed.window is not None
        if side is not None and is_window != (side == "window"):
            continue
        for first, block in placed.part.vectors():
            lengths = np.linalg.norm(block, axis=1)
            alike = block @ wanted / np.maximum(lengths, 1e-12)
            if len(placed.rows) == placed.part.n:
                numbers = np.arange(first, first + len(block)) + placed.first
            else:
                low, high = np.searchsorted(placed.rows, (first, first + len(block)))
                numbers = np.arange(low, high) + placed.first
                alike = alike[placed.rows[low:high] - first]
            best = _best(alike, n)
            points.append(numbers[best])
            values.append(alike[best])
    if not points:
        return []
    all_points, all_values = np.concatenate(points), np.concatenate(values)
    best = _best(all_values, n)
    return [Match(int(all_points[i]), float(all_values[i])) for i in best]


def _best(values: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """The positions of the largest, the largest first; of equal ones the first."""
    kept = np.arange(len(values))
    if len(values) > n:
        kept = np.sort(np.argpartition(-values, n - 1)[:n])
    return np.asarray(kept[np.argsort(-values[kept], kind="stable")], dtype=np.int64)


def _encoder(feature: ClusteredFeature) -> Encoder:
    from monitor.encoders import load_encoder

    spec = feature.origin.encoder
    if spec is None or feature.origin.kind is not OriginKind.IMAGES:
        raise InvalidInputError(
            f"feature {feature.name!r} has ready-made vectors: only rows that are there can be looked for, "
            "by another row"
        )
    return load_encoder(spec)
