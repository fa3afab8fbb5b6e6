"""What every feature is: a frozen value with a name and a type, and errors in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.errors import InvalidFeatureError, MissingFeatureTypeError
from monitor.features.field_types import Name
from monitor.validation import explained, short


class CustomFeatureType(StrEnum):
    """The kinds of feature, by the names that they have in a dictionary.

    Examples
    --------
    >>> CustomFeatureType("FROM_IMAGE_EMBEDDING").name
    'FROM_IMAGE_EMBEDDING'
    """

    FROM_COLUMNS = "FROM_COLUMNS"
    FROM_VECTOR = "FROM_VECTOR"
    FROM_TEXT_EMBEDDING = "FROM_TEXT_EMBEDDING"
    FROM_IMAGE_EMBEDDING = "FROM_IMAGE_EMBEDDING"
    ENRICHMENT = "ENRICHMENT"


class CustomFeature(BaseModel):
    """What every feature is: a name and a type. Use one of its subclasses.

    Parameters
    ----------
    name
        The feature's name, unique in a config.
    type
        Its kind; fixed by the subclass.

    Raises
    ------
    InvalidFeatureError
        A `ValueError`, for any field that is missing, unknown or holds what it must not.

    Examples
    --------
    >>> feature = CustomFeature.from_dict(
    ...     {"type": "FROM_VECTOR", "name": "vector", "column": "embedding"}
    ... )
    >>> feature.n_clusters
    5
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    _kinds: ClassVar[dict[CustomFeatureType, type[CustomFeature]]] = {}

    name: Name
    type: CustomFeatureType

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        default = cls.model_fields["type"].default
        if isinstance(default, CustomFeatureType):
            # The first class of a type is its own; those below it only narrow it.
            cls._kinds.setdefault(default, cls)

    if not TYPE_CHECKING:  # type checkers read the fields' signature instead

        def __init__(self, **values: Any) -> None:
            if type(self) is CustomFeature:
                raise InvalidFeatureError(
                    "CustomFeature is the family, not a feature; use one of: "
                    + ", ".join(sorted(kind.__name__ for kind in self._kinds.values()))
                )
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise InvalidFeatureError(
                    f"{type(self).__name__}: {explained(error, type(self))}"
                ) from error

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns that the data must have for this feature."""
        raise NotImplementedError

    def missing_columns(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the required columns that are not among `columns`."""
        return tuple(column for column in self.required_columns if column not in columns)

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain values for JSON or YAML, fitted centroids included."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The feature that `to_dict` wrote, of the class that its ``type`` names.

        Raises
        ------
        MissingFeatureTypeError
            A `KeyError`, if there is no ``type``.
        InvalidFeatureError
            A `ValueError`, if the type is unknown or not of this class, or a field is wrong.
        """
        if not isinstance(values, Mapping):
            raise InvalidFeatureError(f"a feature's dictionary is a mapping, not {short(values)}")
        odd = [key for key in values if not isinstance(key, str)]
        if odd:
            raise InvalidFeatureError(
                f"a feature's dictionary has texts for keys, not {short(odd)}"
            )
        allowed = ", ".join(kind.value for kind in CustomFeatureType)
        if "type" not in values:
            raise MissingFeatureTypeError(
                f"a feature's dictionary needs 'type'; got the keys {short(list(values))}; "
                f"allowed types: {allowed}"
            )
        try:
            kind = cls._kinds[CustomFeatureType(values["type"])]
        except ValueError as error:
            raise InvalidFeatureError(
                f"{short(values['type'])} is not a valid CustomFeatureType; allowed: {allowed}"
            ) from error
        if not issubclass(kind, cls):
            raise InvalidFeatureError(
                f"type {values['type']} is a {kind.__name__}, not a {cls.__name__}; "
                "use CustomFeature.from_dict for any type"
            )
        return kind(**values)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic's, with our error."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise InvalidFeatureError(f"{cls.__name__}: {explained(error, cls)}") from error

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """As pydantic's, with our error."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            raise InvalidFeatureError(f"{cls.__name__}: {explained(error, cls)}") from error

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update`; unlike pydantic's, it is checked like a new one."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**{**self.to_dict(), **update})
