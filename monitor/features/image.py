"""`ImageEmbedding`: an image column, the model that embeds it, and the column of its vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from monitor.encoders.space import ImageSpace
from monitor.encoders.spec import ModelHandler, is_self_contained
from monitor.features.base import CustomFeatureType
from monitor.features.family import SourcedFeature
from monitor.features.field_types import Name
from monitor.features.origin import OriginKind, VectorOrigin
from monitor.schema import DescribedBlob

if TYPE_CHECKING:
    from monitor.encoders.spec import EncoderSpec

DEFAULT_MODEL: Final = "ViT-B-32"
DEFAULT_PRETRAINED: Final = "laion2b_s34b_b79k"
_LOCAL: Final = "local-dir:"


def _space(value: Any) -> Any:
    return ImageSpace.from_dict(value) if isinstance(value, Mapping) else value


class ImageEmbedding(SourcedFeature):
    """An image column to be embedded and monitored.

    Parameters
    ----------
    name
        The feature's name, unique in a config.
    source_column
        The column that holds the images: addresses, paths, bytes or pixels.
    column
        The column that holds their vectors; made by `monitor.embed`.
    n_clusters
        How many clusters, from 2 to 100,000 (default 5); None chooses the number from the data.
    centroids
        Ready-made centroids, n_clusters rows of n_dimensions numbers. None: fitted.
    random_state
        The seed of the fit.
    model
        An open_clip architecture, ``"hf-hub:org/repo"``, ``"local-dir:/path"`` or ``"compact"``.
    pretrained
        open_clip's tag of the weights, or a checkpoint's path. The default belongs to the default
        model only; models that bring their weights take none.
    space
        An `ImageSpace` over `source_column`, instead of `model` and `pretrained`: for another
        handler, a precision, a device or a description.

    Raises
    ------
    InvalidFeatureError
        If a field is missing, unknown or holds what it must not, or two contradict each other.

    Examples
    --------
    >>> photos = ImageEmbedding(name="photos", source_column="image_url", column="image_embedding")
    >>> photos.n_clusters, photos.model, photos.pretrained
    (5, 'ViT-B-32', 'laion2b_s34b_b79k')
    >>> ImageEmbedding.from_dict(photos.to_dict()) == photos
    True
    """

    type: Literal[CustomFeatureType.FROM_IMAGE_EMBEDDING] = CustomFeatureType.FROM_IMAGE_EMBEDDING
    model: Name = DEFAULT_MODEL
    pretrained: Name | None = DEFAULT_PRETRAINED
    space: Annotated[ImageSpace | None, BeforeValidator(_space)] = None

    @model_validator(mode="before")
    @classmethod
    def _one_model(cls, values: Any) -> Any:
        """Take the model from the space, or leave the default weights to the default model."""
        if not isinstance(values, dict):
            return values
        space = _space(values.get("space"))
        if isinstance(space, ImageSpace):
            both = [key for key in ("model", "pretrained") if key in values]
            if both:
                raise ValueError(
                    f"{' and '.join(both)} given beside space, which names the model "
                    f"{space.model!r} already; leave out {' and '.join(both)}, or space"
                )
            return {**values, "space": space, "model": space.model, "pretrained": space.pretrained}
        if "pretrained" not in values and values.get("model", DEFAULT_MODEL) != DEFAULT_MODEL:
            return {**values, "pretrained": None}
        return values

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if self.space is not None:
            return self
        if is_self_contained(self.model):
            if self.pretrained is not None:
                raise ValueError(
                    f"pretrained={self.pretrained!r} does not go with model={self.model!r}, which "
                    "brings its own weights; leave pretrained out"
                )
        elif self.pretrained is None:
            raise ValueError(
                f"pretrained is missing for model={self.model!r}, and without weights its vectors "
                "would be random; pass a tag, as open_clip.list_pretrained_tags_by_model"
                f"({self.model!r}) lists them, or a checkpoint's path; or use 'compact', "
                "'hf-hub:org/repo' or 'local-dir:/path', which need none; or a space, such as "
                "ImageSpace(source_column, model='clip-ViT-B-32') for sentence-transformers"
            )
        return self

    @model_validator(mode="after")
    def _space_reads_the_source(self) -> Self:
        if self.space is not None and self.space.image_for(self.source_column) is None:
            names = [i.blob if isinstance(i, DescribedBlob) else i for i in self.space.image]
            raise ValueError(
                f"space reads {', '.join(repr(blob.column) for blob in names)} but source_column "
                f"is {self.source_column!r}; both must be the same column"
            )
        return self

    @model_validator(mode="after")
    def _vectors_apart_from_description(self) -> Self:
        if self.column == self.description_column:
            raise ValueError(
                f"column and the space's description are both {self.column!r}; "
                "name two different columns"
            )
        return self

    @model_validator(mode="after")
    def _failures_apart_from_sources(self) -> Self:
        names = VectorOrigin(OriginKind.IMAGES, (self.column,))
        for name in (self.source_column, self.description_column):
            if name in (names.failure_column, names.failure_detail_column):
                raise ValueError(
                    f"column={self.column!r} writes its failures into {name!r}, which holds the "
                    "source; give column another name"
                )
        return self

    @model_serializer(mode="wrap")
    def _without_repetition(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A space names its model; beside it the fields would contradict `_one_model`."""
        values: dict[str, Any] = dump(self)
        if self.space is not None:
            values.pop("model", None)
            values.pop("pretrained", None)
        return values

    @property
    def image_space(self) -> ImageSpace:
        """The space given, or the one that `model` and `pretrained` make over `source_column`."""
        if self.space is not None:
            return self.space
        return ImageSpace(
            self.source_column,
            model=self.model,
            model_handler=ModelHandler.OPEN_CLIP,
            pretrained=self.pretrained,
        )

    @property
    def encoder_spec(self) -> EncoderSpec:
        """The encoder of the images, as a description that can travel."""
        return self.image_space.spec

    @property
    def description_column(self) -> str | None:
        """The column of texts that describe the images, if the space has one."""
        image = self.space.image_for(self.source_column) if self.space is not None else None
        return image.description.column if isinstance(image, DescribedBlob) else None

    @property
    def origin(self) -> VectorOrigin:
        """Made by `encoder_spec` from the images of `source_column`, and written to `column`."""
        return VectorOrigin(
            OriginKind.IMAGES,
            (self.column,),
            self.source_column,
            self.description_column,
            self.encoder_spec,
            "image",
        )

    def located(self, resolve: Callable[[str], Path], model_cache_dir: str | None) -> Self:
        """This feature with the folders and files of its model seen from the working folder."""
        space = self.image_space
        values = space.to_dict()
        if space.model.startswith(_LOCAL):
            values["model"] = f"{_LOCAL}{resolve(space.model.removeprefix(_LOCAL))}"
        if space.pretrained is not None and resolve(space.pretrained).is_file():
            values["pretrained"] = str(resolve(space.pretrained))
        cache = space.model_cache_dir or model_cache_dir
        values["model_cache_dir"] = None if cache is None else str(resolve(cache))
        rest = self.model_dump(exclude={"model", "pretrained", "space"})
        return type(self)(**rest, space=ImageSpace.from_dict(values))

    def to_config(self) -> dict[str, Any]:
        """See `CustomFeature.to_config`."""
        values = super().to_config()
        if "model" in values:
            # The default tag belongs to the default model; beside another one it must be said.
            values["pretrained"] = self.pretrained
            if self.pretrained is None:
                del values["pretrained"]
        return values
