"""An encoder without weights, a source in memory, and pictures: real parts, small and without files."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from PIL import Image

from monitor import frames
from monitor.encoders.fingerprint import fingerprint
from monitor.encoders.registry import register_handler
from monitor.encoders.spec import EncoderSpec
from monitor.encoders.vectors import images_in_batches, in_batches, no_rows, stacked, unit_rows
from monitor.frames import CHUNK_ROWS
from monitor.sources.source import within

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SIDE: Final = 8
_WIDTH: Final = 16


class FakeEncoder:
    """An `Encoder` without weights: a fixed random projection of an image's 8 × 8 thumbnail.

    Similar images have similar vectors. Another `model` or `pretrained` is another projection, as other
    weights would be. Texts are projected by their bytes.

    Examples
    --------
    >>> encoder = FakeEncoder(FakeEncoder.spec_of("a model"))
    >>> encoder.encode_images(pictures(2)).shape
    (2, 16)
    """

    HANDLER: Final = "fake"

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self.width = _WIDTH
        self.fingerprint = fingerprint(
            f"fake-{_WIDTH}d", spec.model, spec.pretrained, spec.precision
        )
        seed = hashlib.sha256(f"{spec.model} {spec.pretrained}".encode()).digest()
        rng = np.random.default_rng(list(seed))
        self._dtype = getattr(torch, spec.precision)
        self._of_pixels = torch.from_numpy(
            rng.normal(size=(3 * _SIDE * _SIDE, _WIDTH)).astype(np.float32)
        )
        self._of_bytes = torch.from_numpy(rng.normal(size=(257, _WIDTH)).astype(np.float32))

    @classmethod
    def spec_of(cls, model: str = "fake", **fields: Any) -> EncoderSpec:
        """The spec of a fake model, which `load_encoder` and configs can then load by it."""
        register_handler(cls.HANDLER, cls)
        return EncoderSpec(handler=cls.HANDLER, model=model, **fields)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """See `Encoder.preprocess`."""
        small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        pixels = np.asarray(small, dtype=np.float32) / 255
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())

    def encode_batch(self, tensors: Sequence[torch.Tensor] | torch.Tensor) -> NDArray[np.float32]:
        """See `Encoder.encode_batch`."""
        if len(tensors) == 0:
            return no_rows(self.width)
        # Without the shift a black image would have no direction.
        flat = stacked(tensors).flatten(1) + 0.1
        return self._projected(flat, self._of_pixels)

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """See `Encoder.encode_images`."""
        return images_in_batches(self, images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        return in_batches(texts, self.spec.batch_size, self._encode_text_batch, self.width)

    def _encode_text_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # 256 stands for the end, so that an empty text has a direction too.
        counts = [np.bincount([*text.encode(), 256], minlength=257) for text in texts]
        return self._projected(torch.from_numpy(np.array(counts, dtype=np.float32)), self._of_bytes)

    def _projected(self, rows: torch.Tensor, onto: torch.Tensor) -> NDArray[np.float32]:
        return unit_rows(rows.to(self._dtype) @ onto.to(self._dtype), self.spec.model)


@dataclass(frozen=True, eq=False)
class MemorySource:
    """A `Source` whose rows are in memory.

    Parameters
    ----------
    frame
        A pandas or polars DataFrame or a pyarrow Table.
    timestamp_column
        When each row happened.
    chunk_rows
        How many rows come at a time.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"ts": pd.date_range("2026-01-01", periods=3, tz="UTC")})
    >>> day = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    >>> [len(part) for part in MemorySource(rows, "ts").chunks(day, day + dt.timedelta(days=1))]
    [1]
    """

    frame: Any
    timestamp_column: str
    chunk_rows: int = CHUNK_ROWS

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        table = frames.as_arrow(self.frame)
        if columns is not None:
            wanted = {*columns, self.timestamp_column}
            table = table.select([name for name in table.column_names if name in wanted])
        firsts = range(0, max(len(table), 1), self.chunk_rows)
        parts = (table.slice(first, self.chunk_rows) for first in firsts)
        return within(parts, self.timestamp_column, start, end)


def pictures(n: int, seed: int = 0) -> list[Image.Image]:
    """`n` smooth random pictures of many sizes, some of them grey.

    Examples
    --------
    >>> {picture.mode for picture in pictures(11)} == {"RGB", "L"}
    True
    """
    rng = np.random.default_rng(seed)
    images = []
    for i in range(n):
        small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        size = (int(rng.integers(20, 200)), int(rng.integers(20, 200)))
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        images.append(picture.convert("L") if i % 11 == 5 else picture)
    return images
