"""The only door to sentence-transformers, for its image-and-text models such as clip-ViT-B-32."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from monitor.encoders.fingerprint import fingerprint, weight_hash
from monitor.encoders.vectors import (
    first_line,
    images_in_batches,
    in_batches,
    no_rows,
    resolve_device,
    stacked,
    unit_rows,
)
from monitor.encoders.weights import why_unreachable
from monitor.errors import EncoderError, MissingExtraError, ModelNotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.encoders.spec import EncoderSpec

_PIXELS = "pixel_values"


class SentenceTransformerEncoder:
    """A sentence-transformers model in evaluation mode; see `monitor.encoders.Encoder`.

    Use `load_encoder`, which keeps one per process.
    """

    def __init__(self, spec: EncoderSpec, model: Any) -> None:
        self.spec = spec
        self._model = model.eval().to(getattr(torch, spec.precision))
        # Names that differ by version: preprocess was tokenize, auto_model was model.
        self._prepare = getattr(model, "preprocess", None) or model.tokenize
        self._device = next(model.parameters()).device
        self._dtype = next(model.parameters()).dtype
        # What goes with the pixels differs by version: a modality, or one entry for each image.
        self._beside_pixels = self._prepare([Image.new("RGB", (32, 32))])
        del self._beside_pixels[_PIXELS]
        self.width = int(self._forward(self._prepare(["a"])).shape[-1])
        inner = model[0]
        config = (inner.auto_model if hasattr(inner, "auto_model") else inner.model).config
        self.fingerprint = fingerprint(
            f"{config.model_type}-{self.width}d",
            weight_hash(model.state_dict()),
            json.loads(inner.processor.image_processor.to_json_string()),
            spec.precision,
        )

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """The model's own preprocessing of one image, shape (3, height, width)."""
        pixels: torch.Tensor = self._prepare([image.convert("RGB")])[_PIXELS][0]
        return pixels

    def encode_batch(self, tensors: Sequence[torch.Tensor] | torch.Tensor) -> NDArray[np.float32]:
        """Unit vectors (n, width) of preprocessed images, in one batch."""
        if len(tensors) == 0:
            return no_rows(self.width)
        pixels = stacked(tensors)
        return unit_rows(self._forward(self._image_features(pixels)), self.spec.model)

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit vectors (n, width) of `images`, in batches of ``spec.batch_size``."""
        return images_in_batches(self, images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, width) of `texts`; what exceeds the context length is cut off."""
        return in_batches(
            texts,
            self.spec.batch_size,
            lambda part: unit_rows(self._forward(self._prepare(list(part))), self.spec.model),
            self.width,
        )

    def _image_features(self, pixels: torch.Tensor) -> dict[str, Any]:
        beside = {
            key: value * len(pixels) if isinstance(value, list) else value
            for key, value in self._beside_pixels.items()
        }
        return {_PIXELS: pixels.to(self._dtype), **beside}

    def _forward(self, features: dict[str, Any]) -> torch.Tensor:
        on_device = {
            key: value.to(self._device) if isinstance(value, torch.Tensor) else value
            for key, value in features.items()
        }
        try:
            with torch.inference_mode():
                rows: torch.Tensor = self._model(on_device)["sentence_embedding"]
        except RuntimeError as error:
            raise EncoderError(
                f"{self.spec.model} failed on {self._device} with precision {self.spec.precision}: "
                f"{first_line(error)}. Try a smaller batch_size or precision='float32'"
            ) from error
        return rows


def load(spec: EncoderSpec) -> SentenceTransformerEncoder:
    """The encoder that `spec` describes, in evaluation mode.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    ModelNotFoundError
        If the model is neither a folder nor cached nor within reach.
    EncoderError
        If it is not a model of images and texts, or the device is not there.
    """
    if spec.preprocessing != "exact":
        raise EncoderError(
            f"preprocessing={spec.preprocessing!r} is for open_clip models; {spec.model!r} of "
            "sentence-transformers has 'exact' only"
        )
    if spec.precision == "int8":
        raise EncoderError(
            f"precision='int8' is for open_clip models; {spec.model!r} of sentence-transformers has "
            "'float32', 'float16' and 'bfloat16'"
        )
    device = resolve_device(spec.device)
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError.of("sentence_transformers", "sentence-transformers") from error

    def open_model(local_files_only: bool) -> Any:
        return SentenceTransformer(
            str(Path(spec.model).expanduser()) if Path(spec.model).is_dir() else spec.model,
            device=str(device),
            cache_folder=spec.model_cache_dir,
            revision=spec.revision,
            local_files_only=local_files_only,
        )

    try:
        # The cache first: without a network the hub's client would retry for minutes.
        model = open_model(local_files_only=True)
    except (OSError, ValueError) as error:
        reason = "no such folder" if Path(spec.model).is_absolute() else why_unreachable()
        if reason:
            raise _missing(spec, reason) from error
        try:
            model = open_model(local_files_only=False)
        except (OSError, ValueError) as again:
            raise _missing(spec, first_line(again)) from again
    try:
        return SentenceTransformerEncoder(spec, model)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EncoderError(
            f"the model {spec.model!r} does not take both images and texts ({first_line(error)}); "
            "name one that does, such as 'clip-ViT-B-32'"
        ) from error


def _missing(spec: EncoderSpec, reason: str) -> ModelNotFoundError:
    cache = spec.model_cache_dir or "the hub's cache"
    option = "" if spec.revision is None else f" --revision {spec.revision}"
    return ModelNotFoundError(
        f"the sentence-transformers model {spec.model!r} is not on this machine and cannot be "
        f"fetched: {reason}. On a machine with network run: hf download "
        f"sentence-transformers/{spec.model}{option} --local-dir DIR, copy DIR here and pass model='DIR'; "
        f"or copy its cache into {cache}"
    )
