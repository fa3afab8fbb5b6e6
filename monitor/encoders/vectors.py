"""From a model's raw output to unit float32 rows, or a clear error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from monitor.errors import EncoderError, InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from monitor.encoders.registry import Encoder

T = TypeVar("T")


def unit_rows(features: torch.Tensor, model: str) -> NDArray[np.float32]:
    """Each row of `features` (n, width), divided by its length, as float32 on the CPU.

    Raises
    ------
    EncoderError
        If a row holds NaN or infinity or is all zeros; such a vector has no direction.

    Examples
    --------
    >>> unit_rows(torch.tensor([[3.0, 4.0]]), "a model").tolist()
    [[0.6..., 0.8...]]
    """
    raw = features.detach().to("cpu", torch.float32)
    norms = torch.linalg.vector_norm(raw, dim=-1, keepdim=True)
    good = torch.isfinite(norms) & (norms > 0)
    if not bool(good.all()):
        row = int((~good).flatten().nonzero()[0])
        raise EncoderError(
            f"{model} gave a vector without a direction for input {row} of this batch (norm "
            f"{float(norms[row]):g}); allowed: finite vectors with a norm above 0. Check the "
            "weights, or use precision='float32'"
        )
    rows: NDArray[np.float32] = (raw / norms).numpy()
    return rows


def stacked(tensors: Sequence[torch.Tensor] | torch.Tensor) -> torch.Tensor:
    """`tensors` as one, (n, ...); what is stacked already is not copied.

    Examples
    --------
    >>> stacked([torch.zeros(3, 2), torch.ones(3, 2)]).shape
    torch.Size([2, 3, 2])
    """
    return tensors if isinstance(tensors, torch.Tensor) else torch.stack(list(tensors))


def no_rows(width: int) -> NDArray[np.float32]:
    """The vectors of no input: shape (0, `width`).

    Examples
    --------
    >>> no_rows(512).shape
    (0, 512)
    """
    return np.empty((0, width), dtype=np.float32)


def images_in_batches(encoder: Encoder, images: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Unit vectors (n, width) of `images`, by the encoder's own preprocessing and batches."""
    return in_batches(
        images,
        encoder.spec.batch_size,
        lambda part: encoder.encode_batch([encoder.preprocess(image) for image in part]),
        encoder.width,
    )


def in_batches(
    items: Sequence[T],
    size: int,
    encode: Callable[[Sequence[T]], NDArray[np.float32]],
    width: int,
) -> NDArray[np.float32]:
    """The rows that `encode` gives for `items`, `size` at a time: shape (n, `width`).

    Raises
    ------
    InvalidInputError
        If `items` is one text, whose letters would be encoded one by one.

    Examples
    --------
    >>> in_batches([1.0, 2.0, 3.0], 2, lambda part: np.array(part, np.float32)[:, None], 1).shape
    (3, 1)
    """
    if isinstance(items, str):
        raise InvalidInputError(f"texts must be a list of texts, not the text {items[:40]!r}")
    parts = [encode(items[i : i + size]) for i in range(0, len(items), size)]
    return np.concatenate(parts) if parts else no_rows(width)


def first_line(error: BaseException) -> str:
    """What a foreign error says, short enough to stand in a message of ours.

    Examples
    --------
    >>> first_line(ValueError("bad shape\\nin layer 3\\nand so on"))
    'bad shape in layer 3'
    """
    lines = str(error).strip().splitlines()
    return " ".join(line.strip() for line in lines[:2])[:300] if lines else type(error).__name__


def resolve_device(device: str) -> torch.device:
    """The torch device that `device` names; ``"auto"`` takes CUDA, else MPS, else the CPU.

    Raises
    ------
    EncoderError
        If torch does not know the device or this machine does not have it.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device(_available()[0])
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise EncoderError(
            f"torch knows no device {device!r}; allowed here: auto, {', '.join(_available())}"
        ) from error
    beyond = resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count()
    if resolved.type not in _available() or beyond:
        raise EncoderError(
            f"this machine has no device {device!r}; allowed here: auto, {', '.join(_available())}"
        )
    return resolved


def _available() -> list[str]:
    cuda = ["cuda"] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]
