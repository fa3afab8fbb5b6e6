"""Which model turns an image into a vector, and how it runs: small, frozen, picklable."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Precision = Literal["float32", "float16", "bfloat16", "int8"]
Preprocessing = Literal["exact", "fast"]

COMPACT: Final = "compact"
CONFIG_FILE: Final = "open_clip_config.json"
WEIGHTS_FILE: Final = "open_clip_model.safetensors"
"""What open_clip calls the two files of a model in a folder or a hub repository."""
SELF_CONTAINED_PREFIXES: Final = ("hf-hub:", "local-dir:")


class ModelHandler(StrEnum):
    """Who loads the model.

    ``MODAL`` runs elsewhere: it needs a loader of yours, see `register_handler`.

    Examples
    --------
    >>> ModelHandler("open_clip") is ModelHandler.OPEN_CLIP
    True
    """

    SENTENCE_TRANSFORMERS = "sentence_transformers"
    OPEN_CLIP = "open_clip"
    MODAL = "modal"


def is_self_contained(model: str) -> bool:
    """Whether `model` brings its own weights, so that no `pretrained` goes with it.

    Examples
    --------
    >>> is_self_contained("compact"), is_self_contained("local-dir:/models/mine")
    (True, True)
    >>> is_self_contained("ViT-B-32")
    False
    """
    return model == COMPACT or model.startswith(SELF_CONTAINED_PREFIXES)


def _no_bool(value: object) -> object:
    # pydantic reads True as 1, and a batch of True is a mistake.
    if isinstance(value, bool):
        raise ValueError(f"must be a whole number, not {value}")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Text = Annotated[str, AfterValidator(_not_blank)]
BatchSize = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=65_536)]


class EmbeddingEngineConfig(BaseModel):
    """How a model runs: its numbers, its device and how many images at once.

    Parameters
    ----------
    preprocessing
        ``"exact"`` (default) is the model's own, to the last bit. ``"fast"`` decodes large JPEGs at a half, a
        quarter or an eighth of their size and resizes only what the model sees; for open_clip models. The
        vectors are close but not equal (docs/benchmarks.md), so it is part of an encoder's fingerprint.
    precision
        ``"float32"`` (default), ``"float16"``, ``"bfloat16"`` or ``"int8"``. Vectors of different precisions
        are close but not equal, so the precision is part of an encoder's fingerprint. The two
        16-bit ones are for accelerators: on a CPU they can be slower than float32. ``"int8"`` is for
        open_clip's vision transformers on a CPU, and needs the extra ``onnx``.
    device
        ``"auto"`` takes CUDA, else MPS, else the CPU; or any name torch knows, such as ``"cuda:1"``.
    batch_size
        Images encoded at once, at least 1. It bounds memory and does not change the vectors.

    Raises
    ------
    pydantic.ValidationError
        A `ValueError`, for any other value or field.

    Examples
    --------
    >>> EmbeddingEngineConfig(batch_size=8).precision
    'float32'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preprocessing: Preprocessing = "exact"
    precision: Precision = "float32"
    device: Text = "auto"
    batch_size: BatchSize = 32


class EncoderSpec(BaseModel):
    """Everything needed to load an encoder, and nothing else.

    It travels to workers and into files; the loaded model never does.

    Parameters
    ----------
    handler
        A `ModelHandler`, or the name of a handler given to `register_handler`.
    model
        The model's name: an open_clip architecture, ``"hf-hub:org/repo"``, ``"local-dir:/path"``,
        ``"compact"``, or what the handler understands.
    pretrained
        open_clip's tag of the weights, or the path of a checkpoint. None for models that bring
        their own.
    revision
        Which commit, tag or branch of the model's hub repository; a commit stays what it is. None: what is
        in the cache, else the newest.
    fingerprint
        What the loaded encoder's fingerprint must be, which holds the hash of its weights. None: anything.
    model_cache_dir
        Where downloaded weights are kept. None: the library's own cache.
    preprocessing, precision, device, batch_size
        As in `EmbeddingEngineConfig`.

    Examples
    --------
    >>> spec = EncoderSpec(handler="open_clip", model="ViT-B-32", pretrained="laion2b_s34b_b79k")
    >>> EncoderSpec.model_validate(spec.model_dump()) == spec
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    handler: Text
    model: Text
    pretrained: Text | None = None
    revision: Text | None = None
    fingerprint: Text | None = None
    model_cache_dir: Text | None = None
    preprocessing: Preprocessing = "exact"
    precision: Precision = "float32"
    device: Text = "auto"
    batch_size: BatchSize = 32
