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

N_IMAGES: Final = 48
LEAST_IMAGES: Final = 10
"""From fewer images the mean movement would be mostly chance."""
_N_THREADS: Final = 8
_MOST_REMEMBERED: Final = 4 * N_IMAGES
_remembered: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
"""Vectors of the last images by encoder and digest: who fits again, with other options or for another week,
has many of the same images."""


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

    # Some images have no file, and so no digest.
    keys = [(encoder.fingerprint, image.sha256 or f"row {i}") for i, image in enumerate(images)]
    known = {key: _remembered[key] for key in keys if key in _remembered}
    new = {key: image.image for key, image in zip(keys, images, strict=True) if key not in known}
    if new:
        pictures = [*new.values()]
        vectors = [encoder.encode_images(pictures)]
        for change in SUSPECTS.values():
            vectors.append(encoder.encode_images([change(picture) for picture in pictures]))
        known |= zip(new, np.stack(vectors, axis=1), strict=True)
    for key, image in zip(keys, images, strict=True):
        if image.sha256:
            _remembered[key] = known[key]
            _remembered.move_to_end(key)
    while len(_remembered) > _MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return [*np.stack([known[key] for key in keys], axis=1)]
