"""The columns of a data set: `Schema`, `Blob`, `String` and an image with its description.

A schema says once which column holds the images, which the texts, which the times. Annotations
declare the columns; an instance hands them out, bound to their schema, so that a space can be told
``photo.image`` or ``photo.image + photo.description``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from inspect import get_annotations
from typing import Any, ClassVar, Final, get_origin

from monitor.errors import InvalidSchemaError, InvalidSpaceParamError


@dataclass(frozen=True)
class SchemaColumn:
    """One column of a data set; use the kinds below, such as `Blob` or `String`.

    Parameters
    ----------
    column
        The column's name in the data. Empty: the same as the attribute that declares it.
    name
        The attribute in the schema; set by the schema.
    schema
        The schema's name; set by the schema. Empty for a column that stands alone.

    Raises
    ------
    InvalidSchemaError
        If `column` is only white space.

    Examples
    --------
    >>> Blob(column="image_url").column
    'image_url'
    """

    column: str = ""
    name: str = ""
    schema: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.column, str) or (self.column and not self.column.strip()):
            raise InvalidSchemaError(
                f"a column's name must be text with something in it, not {self.column!r}; "
                "leave it out to use the attribute's name"
            )

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.column


class IdField(SchemaColumn):
    """The column that names each row; at most one in a schema."""


class Timestamp(SchemaColumn):
    """A column of times."""


class Integer(SchemaColumn):
    """A column of whole numbers."""


class Float(SchemaColumn):
    """A column of numbers."""


class String(SchemaColumn):
    """A column of texts, such as an image's description.

    Examples
    --------
    >>> String(column="caption") + Blob(column="image_url")
    DescribedBlob(blob=Blob(column='image_url', ...), description=String(column='caption', ...))
    """

    def __add__(self, other: Blob) -> DescribedBlob:
        """Describe the image in `other` by this text."""
        if not isinstance(other, Blob):
            return NotImplemented
        return DescribedBlob(other, self)


class Blob(SchemaColumn):
    """A column of images: addresses, paths, bytes or pixels.

    Examples
    --------
    >>> Blob(column="image_url") + String(column="caption")
    DescribedBlob(blob=Blob(column='image_url', ...), description=String(column='caption', ...))
    """

    def __add__(self, other: String) -> DescribedBlob:
        """Describe this image by the text in `other`."""
        if not isinstance(other, String):
            return NotImplemented
        return DescribedBlob(self, other)


@dataclass(frozen=True)
class DescribedBlob:
    """An image column and the text column that describes it: ``photo.image + photo.description``.

    Parameters
    ----------
    blob, description
        Two columns of the same schema.

    Raises
    ------
    InvalidSpaceParamError
        If the two come from different schemas, or are not a `Blob` and a `String`.

    Examples
    --------
    >>> DescribedBlob(Blob(column="image_url"), String(column="caption")).description.column
    'caption'
    """

    blob: Blob
    description: String

    def __post_init__(self) -> None:
        if not isinstance(self.blob, Blob) or not isinstance(self.description, String):
            raise InvalidSpaceParamError(
                f"a described image is a Blob and a String, not {self.blob!r} and "
                f"{self.description!r}; write photo.image + photo.description"
            )
        if self.blob.schema != self.description.schema:
            raise InvalidSpaceParamError(
                "image and description must be in the same schema, but "
                f"{self.blob} is in {self.blob.schema or 'none'} and {self.description} is in "
                f"{self.description.schema or 'none'}; take both from one schema"
            )
        if self.blob.column == self.description.column:
            raise InvalidSpaceParamError(
                f"image and description are both the column {self.blob.column!r}; "
                "name two different columns"
            )


COLUMN_KINDS: Final = (IdField, Blob, String, Integer, Float, Timestamp)


class Schema:
    """The columns of one data set; subclass it and annotate.

    An instance's attributes are the columns, bound to the schema. A column that has another name
    in the data says so with a default: ``image: Blob = Blob(column="image_url")``.

    Raises
    ------
    InvalidSchemaError
        When the subclass is defined: without any column, with an annotation that is no kind of
        column, with two identifiers, or with two attributes for the same column of the data.

    Examples
    --------
    >>> class Photo(Schema):
    ...     id: IdField
    ...     image: Blob = Blob(column="image_url")
    ...     description: String
    >>> photo = Photo()
    >>> photo.image.column
    'image_url'
    >>> str((photo.image + photo.description).description)
    'Photo.description'
    >>> Photo.columns()
    ('id', 'image_url', 'description')
    """

    _fields: ClassVar[dict[str, SchemaColumn]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._fields = {name: _bind(cls, name, kind) for name, kind in _declared(cls).items()}
        _check(cls)

    def __init__(self) -> None:
        if type(self) is Schema:
            raise InvalidSchemaError(
                "Schema itself declares no columns; write a subclass with annotated columns, "
                "such as: class Photo(Schema): image: Blob"
            )
        for name, column in self._fields.items():
            object.__setattr__(self, name, column)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a schema does not change: {type(self).__name__}.{name} is fixed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        fields = ", ".join(f"{n}={type(c).__name__}" for n, c in self._fields.items())
        return f"{type(self).__name__}({fields})"

    def _key(self) -> tuple[str, tuple[SchemaColumn, ...]]:
        return type(self).__name__, tuple(self._fields.values())

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the declared columns in the data, in the order of declaration."""
        return tuple(column.column for column in cls._fields.values())

    @classmethod
    def fields(cls) -> dict[str, SchemaColumn]:
        """Each attribute's name and its bound column, in the order of declaration."""
        return dict(cls._fields)


def _declared(cls: type[Schema]) -> dict[str, Any]:
    """The annotations of `cls` and its bases that declare columns, resolved to types."""
    # A schema written inside a function has no other place to find these names when its
    # annotations are text.
    kinds = {kind.__name__: kind for kind in COLUMN_KINDS}
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, Schema) or base is Schema:
            continue
        module = vars(sys.modules[base.__module__]) if base.__module__ in sys.modules else {}
        try:
            found |= get_annotations(base, globals={**kinds, **module}, eval_str=True)
        except (NameError, AttributeError, TypeError, SyntaxError) as error:
            raise InvalidSchemaError(
                f"{base.__name__} has an annotation that cannot be read ({error}); "
                f"allowed: {_allowed_kinds()}"
            ) from error
    return {name: kind for name, kind in found.items() if get_origin(kind) is not ClassVar}


def _bind(cls: type[Schema], name: str, kind: Any) -> SchemaColumn:
    """The column that ``name: kind`` declares in `cls`."""
    if kind not in COLUMN_KINDS:
        shown = getattr(kind, "__name__", repr(kind))
        raise InvalidSchemaError(
            f"{cls.__name__}.{name} is annotated with {shown}, which is no kind of column; "
            f"allowed: {_allowed_kinds()}"
        )
    if hasattr(Schema, name):
        raise InvalidSchemaError(
            f"{cls.__name__}.{name} would hide a method of Schema; choose another attribute and "
            f"name the column: images: {kind.__name__} = {kind.__name__}(column={name!r})"
        )
    declared = getattr(cls, name, None)
    if declared is None:
        declared = kind()
    if type(declared) is not kind:
        raise InvalidSchemaError(
            f"{cls.__name__}.{name} is annotated with {kind.__name__} but its default is "
            f"{declared!r}; write {name}: {kind.__name__} = {kind.__name__}(column=...)"
        )
    bound: SchemaColumn = replace(
        declared, column=declared.column or name, name=name, schema=cls.__name__
    )
    return bound


def _check(cls: type[Schema]) -> None:
    if not cls._fields:
        raise InvalidSchemaError(
            f"{cls.__name__} declares no columns; annotate at least one, such as image: Blob"
        )
    ids = [name for name, column in cls._fields.items() if isinstance(column, IdField)]
    if len(ids) > 1:
        raise InvalidSchemaError(
            f"{cls.__name__} has {len(ids)} identifiers ({', '.join(ids)}); at most one IdField"
        )
    seen: dict[str, str] = {}
    for name, column in cls._fields.items():
        if column.column in seen:
            raise InvalidSchemaError(
                f"{cls.__name__}.{seen[column.column]} and {cls.__name__}.{name} are both the "
                f"column {column.column!r}; a column is declared once"
            )
        seen[column.column] = name


def _allowed_kinds() -> str:
    return ", ".join(kind.__name__ for kind in COLUMN_KINDS)
