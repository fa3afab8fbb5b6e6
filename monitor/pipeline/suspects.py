"""How suspected changes of the pipeline move the vectors of a baseline's images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from monitor import frames
from monitor.clusters import Baseline, Movements
from monitor.errors import MonitorError
from monitor.failures import Failure
from monitor.features import CustomFeature, OriginKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.encoders import Encoder
    from monitor.images import DecodedImage, SourcePolicy

N_IMAGES: Final = 60
LEAST_IMAGES: Final = 10
"""From fewer images the mean movement would be mostly chance."""
_N_THREADS: Final = 8
_MOST_REMEMBERED: Final = 4
_remembered: OrderedDict[tuple[str, ...], list[NDArray[np.float32]]] = OrderedDict()
"""Vectors of the last images by their digests: who fits again, with other options, has the same images."""


def suspected_movements(
    frame: Any,
    feature: CustomFeature,
    baseline: Baseline,
    rows: NDArray[np.int64],
    policy: SourcePolicy,
) -> Movements | None:
    """Read some of the baseline's images again, change them, and see how their vectors move.

    Parameters
    ----------
    frame
        The baseline's rows.
    feature
        Whose images they are.
    baseline
        Brings the vectors to its scale.
    rows
        (n,) the rows with vectors; the first `N_IMAGES` that can be read are used.
    policy
        From where images may be fetched.

    Returns
    -------
    None where the feature has no images, or fewer than `LEAST_IMAGES` can be read.
    """
    from monitor.encoders import load_encoder
    from monitor.images import ImageReader
    from monitor.images.suspects import SUSPECTS

    origin = feature.origin
    if (
        origin.kind is not OriginKind.IMAGES
        or origin.encoder is None
        or origin.source_column is None
        or origin.source_column not in frames.column_names(frame)
    ):
        return None
    cells = frames.cells(frame, origin.source_column)
    with ImageReader(policy) as reader, ThreadPoolExecutor(_N_THREADS) as threads:
        read = threads.map(reader.read, [cells[row] for row in rows[:N_IMAGES]])
        images = [image for image in read if not isinstance(image, Failure)]
    if len(images) < LEAST_IMAGES:
        return None
    try:
        encoder = load_encoder(origin.encoder)
    except MonitorError:
        # The vectors are here, the model is not: verdicts need none.
        return None
    before, *after = map(baseline.scaling.apply, _encoded(encoder, images))
    moved = [vectors - before for vectors in after]
    means = np.stack([np.mean(movement, axis=0) for movement in moved]).astype(np.float32)
    return Movements(tuple(SUSPECTS), means, len(images))


def _encoded(encoder: Encoder, images: Sequence[DecodedImage]) -> list[NDArray[np.float32]]:
    """Vectors, (n, width) each: of the images as they are, then after each change."""
    from monitor.images.suspects import SUSPECTS

    key = (encoder.fingerprint, *(image.sha256 for image in images))
    if key in _remembered:
        return _remembered[key]
    pictures = [image.image for image in images]
    vectors = [encoder.encode_images(pictures)]
    for change in SUSPECTS.values():
        vectors.append(encoder.encode_images([change(picture) for picture in pictures]))
    # Some images have no file, and so no digest.
    if all(key):
        _remembered[key] = vectors
        while len(_remembered) > _MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return vectors
