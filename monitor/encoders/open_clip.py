"""The only door to open_clip: its architectures, its weights, its own preprocessing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from monitor.encoders import int8, threads  # noqa: F401 - forked children must not wait for torch's threads
from monitor.encoders.architecture import architecture_config, known_architectures
from monitor.encoders.checkpoint import Checkpoint, find_checkpoint
from monitor.encoders.class_token import keep_class_token
from monitor.encoders.fingerprint import fingerprint, weight_hash
from monitor.encoders.folding import fold_batch_norms
from monitor.encoders.graph import GraphTower
from monitor.encoders.imports import bring_text_towers, open_clip
from monitor.encoders.pictures import Pictures, Staging
from monitor.encoders.preprocessing import FAST_VERSION, FastPreprocessing, Preprocessing
from monitor.encoders.spec import EncoderSpec
from monitor.encoders.traits import EncoderTraits
from monitor.encoders.vectors import (
    first_line,
    images_in_batches,
    in_batches,
    no_rows,
    resolve_device,
    unit_rows,
)
from monitor.errors import EncoderError, MissingExtraError, ModelNotFoundError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

logger = logging.getLogger(__name__)

Tokenizer = Callable[[list[str]], torch.Tensor]

_PRECISION: Final = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    # Made of the float32 model; what is no image tower stays as it is.
    "int8": "fp32",
}
_LARGE: Final = 30_000_000
_ENOUGH: Final = 8
"""On a core, ViT-B-32 (88 million parameters) takes the same time for an image among 4, 8, 16 and 32: its
matrices are large already. The compact model (4 million) is a tenth slower among 16 than among 32."""
# Set while a model is built; they say where weights come from, not what the model computes.
_BUILD_KEYS: Final = ("timm_model_pretrained", "hf_model_pretrained")


class OpenClipEncoder:
    """An open_clip model in evaluation mode; see `monitor.encoders.Encoder`.

    Use `load_encoder`, which keeps one per process.
    """

    def __init__(
        self,
        spec: EncoderSpec,
        checkpoint: Checkpoint,
        model: torch.nn.Module,
        transform: Callable[[Image.Image], torch.Tensor],
        config: dict[str, Any],
    ) -> None:
        self.spec = spec
        self.width: int = int(config["embed_dim"])
        self.fingerprint = fingerprint(
            architecture_label(config),
            _computing(config),
            weight_hash(model.state_dict()),
            dict(model.visual.preprocess_cfg),  # type: ignore[union-attr,arg-type]
            spec.precision,
            *([FAST_VERSION] if spec.preprocessing == "fast" else []),
            *([int8.RECIPE] if spec.precision == "int8" else []),
        )
        device = next(model.parameters()).device
        if spec.precision == "int8":
            tower: Any = model.visual
            int8.require_fit(spec, tower, device)
            model.visual = int8.Int8Tower(tower, config["vision_cfg"].get("image_size", 224))
        # Convolutions of one image after the other in memory are half as fast again.
        self._model: Any = model.to(memory_format=torch.channels_last)
        visual: Any = self._model.visual
        if spec.precision != "int8":
            # Rounding differs, by less than a batch of another size makes it: too little for a fingerprint
            # of its own. (2e-7 of a component in float32; a cosine of 0.999997 in bfloat16.)
            keep_class_token(visual)
        if spec.precision == "float32":
            fold_batch_norms(visual, _probe(visual.image_size, device))
        is_fast = spec.preprocessing == "fast"
        self._preprocessing = (FastPreprocessing if is_fast else Preprocessing)(transform)
        self._device = device
        self._staging = Staging(device)
        self._n_parameters = sum(values.numel() for values in visual.parameters())
        is_small = self._n_parameters < _LARGE
        self._is_graph = is_small and device.type == "cpu" and spec.precision == "float32"
        if self._is_graph:
            self._model.visual = GraphTower(visual, self._preprocessing.batch)
        self._dtype = open_clip.get_input_dtype(_PRECISION[spec.precision])
        self._checkpoint = checkpoint
        self._tokenizer: Tokenizer | None = None

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """The model's own validation transform of one image, shape (3, height, width).

        Its geometry, that is: the pixels stay uint8, and `pixel_values` scales them with their batch.
        """
        return self._preprocessing.picture(image)

    def pixel_values(self, tensors: Pictures) -> torch.Tensor:
        """What the model sees of preprocessed images, (n, 3, height, width), as open_clip makes it."""
        return self._preprocessing.batch(self._staging.on_device(tensors))

    @property
    def traits(self) -> EncoderTraits:
        """Batches may be encoded side by side on the CPU; a GPU has one brought while it encodes another."""
        is_cpu = self._device.type == "cpu"
        return EncoderTraits(
            is_parallel=is_cpu,
            least_side=self._preprocessing.least_side,
            enough=_ENOUGH if is_cpu and self._n_parameters >= _LARGE else None,
            at_once=2 if self._device.type == "cuda" else 1,
            geometry=self._preprocessing.geometry,
        )

    def encode_batch(self, tensors: Pictures) -> NDArray[np.float32]:
        """Unit vectors (n, width) of preprocessed images, in one batch; in more where a GPU has no room."""
        if len(tensors) == 0:
            return no_rows(self.width)
        try:
            with self._staging.lane():
                if self._is_graph:
                    pixels = self._staging.on_device(tensors)
                else:
                    pixels = self.pixel_values(tensors).to(self._dtype)
                batch = pixels.contiguous(memory_format=torch.channels_last)
                return self._unit_rows(self._model.encode_image, batch)
        except torch.OutOfMemoryError as error:
            if len(tensors) == 1:
                raise self._failed(1, error) from error
        # Not above: the exception holds on to what filled the memory.
        return self._encode_halves(tensors)

    def _encode_halves(self, tensors: Pictures) -> NDArray[np.float32]:
        middle = len(tensors) // 2
        logger.warning(
            "%s has no room on %s for %d images at once: they are encoded in halves. A smaller batch_size "
            "saves the attempt",
            self.spec.model,
            self._device,
            len(tensors),
        )
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        halves = (tensors[:middle], tensors[middle:])
        return np.concatenate([self.encode_batch(half) for half in halves])

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit vectors (n, width) of `images`, in batches of ``spec.batch_size``."""
        return images_in_batches(self, images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, width) of `texts`; what exceeds the context length is cut off."""
        return in_batches(texts, self.spec.batch_size, self._encode_text_batch, self.width)

    def _encode_text_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._tokenizer is None:
            self._tokenizer = _tokenizer(self.spec, self._checkpoint)
        tokens = self._tokenizer(list(texts))
        try:
            with self._staging.lane():
                return self._unit_rows(self._model.encode_text, tokens.to(self._device))
        except torch.OutOfMemoryError as error:
            raise self._failed(len(tokens), error) from error

    def _unit_rows(
        self, encode: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor
    ) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                features = self._staging.on_host(encode(batch))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise self._failed(len(batch), error) from error
        return unit_rows(features, self.spec.model)

    def _failed(self, n: int, error: RuntimeError) -> EncoderError:
        return EncoderError(
            f"{self.spec.model} failed on a batch of {n} on {self._device} with "
            f"precision {self.spec.precision}: {first_line(error)}. Try a smaller batch_size "
            "or precision='float32'"
        )


def load(spec: EncoderSpec) -> OpenClipEncoder:
    """The encoder that `spec` describes, with weights, in evaluation mode.

    Raises
    ------
    MissingWeightsError, ModelNotFoundError, MissingExtraError, EncoderError
        As `monitor.encoders.load_encoder` says.
    """
    device = resolve_device(spec.device)
    checkpoint = find_checkpoint(spec)
    config = architecture_config(checkpoint.model)
    with _quiet(), _mapped(spec):
        if "hf_model_name" in config.get("text_cfg", {}):
            bring_text_towers()
        model, transform = open_clip.create_model_from_pretrained(
            checkpoint.model,
            checkpoint.pretrained,
            precision=_PRECISION[spec.precision],
            device=device,
            cache_dir=spec.model_cache_dir,
            weights_only=True,
            **dict(checkpoint.preprocess),
        )
    # open_clip leaves models in training mode, where dropout and batch norm make vectors random.
    return OpenClipEncoder(spec, checkpoint, model.eval(), transform, config)


def _probe(image_size: int | tuple[int, int], device: torch.device) -> torch.Tensor:
    """Noise of the size of one image, the same each time."""
    height, width = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    noise = torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(0))
    return (2 * noise - 1).to(device, memory_format=torch.channels_last)


def architecture_label(config: dict[str, Any]) -> str:
    """A short name for the architecture `config`: open_clip's own where it has one.

    The name depends on the architecture alone, so that the same model has the same fingerprint
    wherever its files lie.

    Examples
    --------
    >>> architecture_label(architecture_config("RN50"))
    'RN50'
    >>> architecture_label({"embed_dim": 64, "vision_cfg": {"layers": 2, "image_size": 32}})
    'ViT-32px-64d'
    """
    computing = _computing(config)
    for name in known_architectures():
        if _computing(architecture_config(name)) == computing:
            return name
    vision = config["vision_cfg"]
    tower = "RN" if isinstance(vision.get("layers"), list) else "ViT"
    return (
        f"{vision.get('timm_model_name', tower)}-{vision.get('image_size', 224)}px-"
        f"{config['embed_dim']}d"
    )


def _computing(config: dict[str, Any]) -> dict[str, Any]:
    """`config` without the keys that do not change what the model computes."""
    return {
        key: _computing(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if key not in _BUILD_KEYS
    }


def _tokenizer(spec: EncoderSpec, checkpoint: Checkpoint) -> Tokenizer:
    """open_clip's tokenizer for the model."""
    model = checkpoint.model
    if spec.model.startswith("hf-hub:") and architecture_config(model)["text_cfg"].get(
        "hf_tokenizer_name"
    ):
        # Such a tokenizer is a model of its own on the hub, which the snapshot does not hold.
        model = spec.model
    with _quiet(), _mapped(spec):
        tokenizer: Tokenizer = open_clip.get_tokenizer(model, cache_dir=spec.model_cache_dir)
    return tokenizer


@contextmanager
def _mapped(spec: EncoderSpec) -> Iterator[None]:
    """open_clip's errors as ours."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError.of(error.name or "transformers", "sentence-transformers") from error
    except FileNotFoundError as error:
        raise ModelNotFoundError(
            f"a file of the model {spec.model!r} is missing: {first_line(error)}"
        ) from error
    # Reading weights can fail in as many ways as there are libraries under open_clip.
    except Exception as error:
        raise EncoderError(
            f"the model {spec.model!r} with pretrained={spec.pretrained!r} cannot be loaded: "
            f"{first_line(error)}. The weights must be a safetensors file or a state dict of "
            "tensors, made for this architecture"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip's log lines, which it writes to the root logger, out of the caller's log."""
    root, handler = logging.getLogger(), logging.NullHandler()

    def is_ours(record: logging.LogRecord) -> bool:
        return "open_clip" not in Path(record.pathname).parts

    # Without any handler, logging.info() installs one on the root logger, for good.
    root.addHandler(handler)
    root.addFilter(is_ours)
    try:
        yield
    finally:
        root.removeFilter(is_ours)
        root.removeHandler(handler)
