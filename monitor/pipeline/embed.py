"""Frame ─► frame with vectors."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.errors import InvalidInputError
from monitor.features import CustomFeature, OriginKind
from monitor.frames import Frame

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding import Executor
    from monitor.images import SourcePolicy

logger = logging.getLogger(__name__)


def embed(
    frame: Frame,
    feature: CustomFeature,
    *,
    policy: SourcePolicy | None = None,
    cache: str | Path | VectorCache | None = None,
    executor: str | Executor = "local",
    progress: bool | None = None,
    details: bool = False,
) -> Frame:
    """A copy of `frame` with the vectors of an image column.

    Parameters
    ----------
    frame
        A pandas or polars DataFrame or a pyarrow Table; left as it is. The same kind comes back, with
        the same index and order.
    feature
        Says which column holds the images, which model embeds them and which column takes the vectors.
    policy
        From where images may be fetched; public http(s) addresses and `data:` URIs by default.
    cache
        A folder for the vectors of images that were seen before, or a `VectorCache`. A URL is fetched
        again after a day, and downloaded again if it has changed; a file is read again when it has
        changed. By default nothing is kept.
    executor
        Where the work is done: `"local"`, threads of this process; the name of a plug-in's; or an
        `Executor`, such as `monitor.embedding.LocalExecutor(threads=8)`.
    progress
        Show a progress bar on stderr; by default only when that is a terminal.
    details
        Add a column `{feature.column}_failure_detail` with one line about each failure.

    Returns
    -------
    The frame with three columns, which replace those of their names:

    - `feature.column`: fixed-size lists of float32 of length 1.
    - `{feature.column}_failure`: the reason where there is no vector and null elsewhere (see
      `monitor.failures.REASONS`).
    - `{feature.column}_quality`: fixed-size lists of float32, brightness, sharpness and what else
      `monitor.images.quality.QUALITY_FIELDS` names; null where there is no vector.

    Raises
    ------
    MissingColumnError
        If the frame lacks `feature.source_column`.
    EncoderError
        If the model cannot be loaded; no image is fetched then.
    CacheError
        If the cache is damaged or of another program.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
    >>> photos = monitor.ImageEmbedding(
    ...     name="photos", source_column="image", column="vector", model="compact"
    ... )
    >>> grey = np.full((64, 64, 3), 128, dtype=np.uint8)
    >>> table = monitor.embed(pd.DataFrame({"image": [grey, None]}), photos)
    >>> table["vector_failure"].tolist()
    [nan, 'missing']
    """
    from monitor.embedding import Cells, EmbeddingTask, progress_bar
    from monitor.embedding.executors.executor import executor_of
    from monitor.images import SourcePolicy
    from monitor.images.remembered import remember_policy

    origin = feature.origin if isinstance(feature, CustomFeature) else None
    if origin is None or origin.encoder is None or origin.source_column is None:
        raise InvalidInputError(
            f"embed needs an ImageEmbedding, got {type(feature).__name__}: other features bring their "
            "vectors with them and go straight into fit_baseline and detect_drift"
        )
    if origin.kind is not OriginKind.IMAGES:
        raise InvalidInputError(
            f"feature {feature.name!r} makes its vectors from {origin.kind}, and embed makes them from "
            "images only"
        )
    policy = policy or SourcePolicy()
    remember_policy(origin.source_column, policy)
    described = origin.description_column
    cells = Cells(
        frames.cells(frame, origin.source_column),
        None if described is None else frames.read_texts(frame, described),
    )
    with (
        _opened(cache) as vector_cache,
        progress_bar(len(cells), f"embed {feature.name}", progress) as bar,
    ):
        embedded = executor_of(executor).embed(
            cells,
            EmbeddingTask(origin.encoder, policy),
            cache=vector_cache,
            on_progress=bar.update,
        )
    logger.info(
        "%s: %d rows, %d without a vector, encoder %s",
        feature.name, len(cells), sum(map(bool, embedded.failures)), embedded.fingerprint,
    )  # fmt: skip
    reasons = [None if failure is None else failure.reason for failure in embedded.failures]
    lines = [None if failure is None else failure.detail for failure in embedded.failures]
    columns: dict[str, NDArray[np.float32] | list[str | None]] = {
        origin.column: embedded.vectors,
        origin.failure_column: reasons,
    }
    if details:
        columns[origin.failure_detail_column] = lines
    columns[origin.quality_column] = embedded.quality
    return frames.with_columns(
        frame,
        columns,
        failed=np.array([reason is not None for reason in reasons], dtype=bool),
        fingerprints={origin.column: embedded.fingerprint},
    )


def _opened(cache: str | Path | VectorCache | None) -> AbstractContextManager[VectorCache | None]:
    """`cache` for a with-block that closes what it opened, and leaves open what it was given."""
    if not isinstance(cache, str | Path):
        return nullcontext(cache)
    from monitor.cache import VectorCache

    return VectorCache(cache)
