"""The image columns of a space: what may be said for one, and what is written to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import PlainSerializer, WithJsonSchema

from monitor.errors import InvalidSchemaError, InvalidSpaceParamError
from monitor.schema import Blob, DescribedBlob, String

# A str is one column's name, a mapping what a space's `to_dict` writes for one.
ImageColumn = Blob | DescribedBlob | str | Mapping[str, Any]


def parse_images(image: Any) -> tuple[Blob | DescribedBlob, ...]:
    """The image columns that `image` names, in their order, at most one per schema.

    Raises
    ------
    InvalidSpaceParamError
        If there is none, two are of the same schema, or one is not an image column.

    Examples
    --------
    >>> parse_images("image_url")
    (Blob(column='image_url', name='image_url', schema=''),)
    """
    several = isinstance(image, Sequence) and not isinstance(image, (str, bytes))
    images = tuple(_image(i) for i in (image if several else [image]) if i is not None)
    if not images:
        raise InvalidSpaceParamError(
            f"an image space needs at least one image column, not {image!r}; "
            "pass photo.image, photo.image + photo.description or a column's name"
        )
    schemas: set[str] = set()
    for column in images:
        schema = blob_of(column).schema
        if schema in schemas:
            raise InvalidSpaceParamError(
                f"an image space takes at most one image per schema, but the schema "
                f"{schema or '(none)'!r} comes twice; make one space for each image column"
            )
        schemas.add(schema)
    return images


def _image(value: Any) -> Blob | DescribedBlob:
    try:
        image = _described(value) if isinstance(value, Mapping) else _column(Blob, value)
    except (InvalidSchemaError, TypeError, KeyError) as error:
        raise InvalidSpaceParamError(
            f"{value!r} is no image column ({error}); allowed: photo.image, photo.image + "
            "photo.description, a column's name, {column: …, name: …, schema: …}, or "
            "{blob: …, description: …} of two such columns"
        ) from error
    if not blob_of(image).column:
        raise InvalidSpaceParamError(
            "an image column must have a name; take it from a schema's instance (photo.image), or "
            "write Blob(column='image_url')"
        )
    return image


def _described(value: Mapping[str, Any]) -> Blob | DescribedBlob:
    if "blob" not in value:
        return Blob(**value)
    parts = dict(value)
    blob, text = _column(Blob, parts.pop("blob")), _column(String, parts.pop("description"))
    return DescribedBlob(blob, text, **parts)


def _column(kind: Any, value: Any) -> Any:
    """One column of `kind`, or a described image, from what a person or a file says for it."""
    if isinstance(value, (kind, DescribedBlob)):
        return value
    if isinstance(value, Mapping):
        return kind(**value)
    if isinstance(value, str):
        return kind(column=value, name=value)
    raise TypeError(f"a {type(value).__name__} is not a {kind.__name__}")


def _dump_image(image: Blob | DescribedBlob) -> Any:
    if isinstance(image, DescribedBlob):
        return {"blob": _dump_column(image.blob), "description": _dump_column(image.description)}
    return _dump_column(image)


def _dump_column(column: Blob | String) -> Any:
    if column.name == column.column and not column.schema:
        return column.column
    return {"column": column.column, "name": column.name, "schema": column.schema}


def blob_of(image: Blob | DescribedBlob) -> Blob:
    """The image's own column, with or without a description.

    Examples
    --------
    >>> blob_of(Blob(column="image_url") + String(column="caption")).column
    'image_url'
    """
    return image.blob if isinstance(image, DescribedBlob) else image


def _dump_images(images: tuple[Blob | DescribedBlob, ...]) -> Any:
    dumped = [_dump_image(image) for image in images]
    return dumped[0] if len(dumped) == 1 else dumped


_COLUMN_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "properties": {key: {"type": "string"} for key in ("column", "name", "schema")},
            "required": ["column"],
            "additionalProperties": False,
        },
    ]
}
_DESCRIBED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"blob": _COLUMN_SCHEMA, "description": _COLUMN_SCHEMA},
    "required": ["blob", "description"],
    "additionalProperties": False,
}
_IMAGE_SCHEMA: dict[str, Any] = {"anyOf": [*_COLUMN_SCHEMA["anyOf"], _DESCRIBED_SCHEMA]}
ImageColumns = Annotated[
    tuple[Blob | DescribedBlob, ...],
    PlainSerializer(_dump_images, return_type=Any),
    WithJsonSchema({"anyOf": [*_IMAGE_SCHEMA["anyOf"], {"type": "array", "items": _IMAGE_SCHEMA}]}),
]
