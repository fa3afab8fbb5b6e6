"""`ImageSpace`: how an image column, with or without a description, becomes a vector."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.encoders.architecture import architecture_config
from monitor.encoders.columns import ImageColumn, ImageColumns, blob_of, parse_images
from monitor.encoders.registry import load_encoder, require_handler
from monitor.encoders.spec import (
    COMPACT,
    EmbeddingEngineConfig,
    EncoderSpec,
    ModelHandler,
    is_self_contained,
)
from monitor.errors import InvalidSpaceParamError
from monitor.schema import Blob, DescribedBlob
from monitor.validation import explained

DEFAULT_MODEL: Final = "clip-ViT-B-32"
# The models that sentence-transformers offers for images, and the width of their vectors:
# https://sbert.net/docs/sentence_transformer/pretrained_models.html#image-text-models
_SENTENCE_TRANSFORMERS_WIDTH: Final = {
    "clip-ViT-B-32": 512,
    "clip-ViT-B-16": 512,
    "clip-ViT-L-14": 768,
    "clip-ViT-B-32-multilingual-v1": 512,
}


class TransformationConfig(BaseModel):
    """What happens between an image column and its vectors.

    Parameters
    ----------
    encoder
        The model and how it runs.
    aggregation
        An image and its description are unit vectors that are added.
    normalization
        The result has L2 norm 1.
    missing
        A row without image has no vector: it is null, never zeros.

    Examples
    --------
    >>> ImageSpace("image_url", model="compact").transformation_config.normalization
    'l2'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderSpec
    aggregation: Literal["sum_of_unit_vectors"] = "sum_of_unit_vectors"
    normalization: Literal["l2"] = "l2"
    missing: Literal["null"] = "null"


class ImageSpace(BaseModel):
    """How an image column becomes a vector: the column, the model and how it runs.

    Parameters
    ----------
    image
        A `Blob` (``photo.image``), a described one (``photo.image + photo.description``), the name
        of a column, or a sequence of these with at most one per schema. None in a sequence is
        left out.
    model
        The model's name. The default is a model of sentence-transformers.
    model_handler
        Who loads the model. When it is not given, models that only open_clip knows go to
        open_clip: with `pretrained`, ``"compact"``, ``"hf-hub:…"`` and ``"local-dir:…"``.
    pretrained
        open_clip's tag of the weights or a checkpoint's path.
    revision, fingerprint
        Pins: the commit of the model's hub repository, and the fingerprint that the loaded encoder must have
        (`monitor baseline show` prints it).
    model_cache_dir
        Where downloaded weights are kept.
    embedding_engine_config
        Precision, device and batch size.

    Raises
    ------
    InvalidSpaceParamError
        If there is no image column, two of the same schema, an image and a description of
        different schemas, a handler that is not configured, or a value of the wrong kind.

    Examples
    --------
    >>> space = ImageSpace("image_url", model="ViT-B-32", pretrained="laion2b_s34b_b79k")
    >>> space.model_handler, space.length
    ('open_clip', 512)
    >>> ImageSpace.from_dict(space.to_dict()) == space
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: ImageColumns
    model: str = DEFAULT_MODEL
    model_handler: str = ModelHandler.SENTENCE_TRANSFORMERS.value
    pretrained: str | None = None
    revision: str | None = None
    fingerprint: str | None = None
    model_cache_dir: str | None = None
    embedding_engine_config: EmbeddingEngineConfig = EmbeddingEngineConfig()

    def __init__(
        self,
        image: ImageColumn | Sequence[ImageColumn | None] | None,
        *,
        model: str = DEFAULT_MODEL,
        model_handler: ModelHandler | str | None = None,
        pretrained: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        fingerprint: str | None = None,
        model_cache_dir: str | os.PathLike[str] | None = None,
        embedding_engine_config: EmbeddingEngineConfig | Mapping[str, Any] | None = None,
    ) -> None:
        images = parse_images(image)
        try:
            engine = EmbeddingEngineConfig.model_validate(embedding_engine_config or {})
            spec = EncoderSpec(
                handler=_handler(model, model_handler, pretrained),
                model=model,
                pretrained=_path(pretrained),
                revision=revision,
                fingerprint=fingerprint,
                model_cache_dir=_path(model_cache_dir),
                **engine.model_dump(),
            )
        except ValidationError as error:
            raise InvalidSpaceParamError(f"ImageSpace: {explained(error, EncoderSpec)}") from error
        require_handler(spec.handler)
        _check_pretrained(spec)
        _check_revision(spec)
        super().__init__(
            image=images,
            model=spec.model,
            model_handler=spec.handler,
            pretrained=spec.pretrained,
            revision=spec.revision,
            fingerprint=spec.fingerprint,
            model_cache_dir=spec.model_cache_dir,
            embedding_engine_config=engine,
        )

    @property
    def spec(self) -> EncoderSpec:
        """The encoder of this space, as a description that can travel."""
        return EncoderSpec(
            handler=self.model_handler,
            model=self.model,
            pretrained=self.pretrained,
            revision=self.revision,
            fingerprint=self.fingerprint,
            model_cache_dir=self.model_cache_dir,
            **self.embedding_engine_config.model_dump(),
        )

    @property
    def length(self) -> int:
        """The number of components of each vector, from the architecture, without its weights.

        Only a model that publishes no architecture, such as a remote one, is loaded for it.
        """
        if self.model_handler == ModelHandler.OPEN_CLIP:
            return int(
                architecture_config(self.model, self.model_cache_dir, self.revision)["embed_dim"]
            )
        name = self.model.removeprefix("sentence-transformers/")
        if (
            self.model_handler == ModelHandler.SENTENCE_TRANSFORMERS
            and name in _SENTENCE_TRANSFORMERS_WIDTH
        ):
            return _SENTENCE_TRANSFORMERS_WIDTH[name]
        return load_encoder(self.spec).width

    @property
    def transformation_config(self) -> TransformationConfig:
        """What happens between the column and its vectors."""
        return TransformationConfig(encoder=self.spec)

    @property
    def annotation(self) -> str:
        """What this space does, in a sentence for a person or a language model."""
        columns = ", ".join(
            f"{i.blob.column} described by {i.description.column}"
            if isinstance(i, DescribedBlob)
            else i.column
            for i in self.image
        )
        return (
            f"The space encodes images using {self.model} embeddings. Affected columns: {columns}. "
            "Accepts an image, or a text that describes one, to search for similar images."
        )

    def image_for(self, column: str) -> Blob | DescribedBlob | None:
        """The image of this space that lies in `column` of the data, or None."""
        for image in self.image:
            if blob_of(image).column == column:
                return image
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or YAML; `from_dict` makes an equal space of them."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImageSpace:
        """The space that `to_dict` wrote.

        Raises
        ------
        InvalidSpaceParamError
            If a field is missing, unknown or holds a wrong value.
        """
        unknown = [key for key in values if key not in cls.model_fields]
        if unknown or "image" not in values:
            wrong = f"unknown fields {unknown}" if unknown else "no field 'image'"
            raise InvalidSpaceParamError(
                f"an image space with {wrong}; allowed: {', '.join(cls.model_fields)}"
            )
        return cls(**values)


def _handler(model: Any, handler: ModelHandler | str | None, pretrained: Any) -> str:
    if handler is not None:
        return str(handler)
    if pretrained is not None or is_self_contained(str(model)):
        return ModelHandler.OPEN_CLIP.value
    return ModelHandler.SENTENCE_TRANSFORMERS.value


def _check_pretrained(spec: EncoderSpec) -> None:
    if spec.pretrained is None:
        return
    if spec.handler == ModelHandler.SENTENCE_TRANSFORMERS or is_self_contained(spec.model):
        raise InvalidSpaceParamError(
            f"pretrained={spec.pretrained!r} does not go with the model {spec.model!r} of "
            f"{spec.handler}, which brings its own weights; leave pretrained out"
        )


def _check_revision(spec: EncoderSpec) -> None:
    is_file = any(Path(place).exists() for place in (spec.pretrained, spec.model) if place)
    is_file |= spec.model == COMPACT or spec.model.startswith("local-dir:")
    if spec.revision is not None and is_file:
        raise InvalidSpaceParamError(
            f"revision={spec.revision!r} does not go with {spec.pretrained or spec.model!r}, which comes "
            "from no hub; leave revision out, and pin the model by its fingerprint"
        )


def _path(value: str | os.PathLike[str] | None) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value
