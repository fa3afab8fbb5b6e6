"""What every feature is: a frozen value with a name and a type, and errors in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.errors import InvalidFeatureError, MissingFeatureTypeError
from monitor.features.field_types import Name
from monitor.features.origin import VectorOrigin
from monitor.registry import Registry
from monitor.validation import explained, short


class CustomFeatureType(StrEnum):
    """The built-in kinds of feature, by the names that they have in a dictionary.

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


Kind: TypeAlias = "type[CustomFeature]"


class CustomFeature(BaseModel):
    """What every feature is: a name and a type. Use one of its subclasses.

    A new kind of feature is a subclass with a `type` of its own, as a literal text and its default, that
    says its `origin`. Once its module is imported, dictionaries and configs may
    name it; see docs/plugins.md.

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

    _kinds: ClassVar[dict[str, Kind]] = {}

    name: Name
    type: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        default = cls.model_fields["type"].default
        if isinstance(default, str):
            # The first class of a type is its own; those below it only narrow it.
            cls._kinds.setdefault(str(default), cls)

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
        return self.origin.required_columns

    @property
    def is_monitored(self) -> bool:
        """Whether the feature has vectors that can drift."""
        return False

    @property
    def origin(self) -> VectorOrigin:
        """How the vectors come about.

        Raises
        ------
        InvalidFeatureError
            If the feature has none.
        """
        raise InvalidFeatureError(
            f"feature {self.name!r} is of type {self.type}, which has no vectors to monitor: "
            "use a VectorFeature, TextEmbedding, ImageEmbedding or Multivariate"
        )

    @classmethod
    def kinds(cls) -> dict[str, Kind]:
        """The kinds of feature by what `type` calls them, those of plug-ins among them."""
        return {name: cls.kind(name) for name in cls.type_names()}

    @classmethod
    def type_names(cls) -> tuple[str, ...]:
        """What `type` may be; imports nothing of plug-ins."""
        built_in = [kind.value for kind in CustomFeatureType if kind.value in cls._kinds]
        return tuple(dict.fromkeys([*built_in, *cls._kinds, *registry.names()]))

    @classmethod
    def kind(cls, type_name: str) -> Kind:
        """The class of features whose `type` is `type_name`.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        return cls._kinds[type_name] if type_name in cls._kinds else registry[type_name]

    def located(self, resolve: Callable[[str], Path], model_cache_dir: str | None) -> Self:
        """This feature with the files that it names seen from the working folder.

        Parameters
        ----------
        resolve
            A path as written in a config ─► the path from here.
        model_cache_dir
            Where the config keeps downloaded weights, as it is written there.
        """
        return self

    def missing_columns(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the required columns that are not among `columns`; none, where vectors to be made are."""
        if self.is_monitored and self.origin.is_embedded and self.origin.column in columns:
            return ()
        return tuple(column for column in self.required_columns if column not in columns)

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain values for JSON or YAML, fitted centroids included."""
        return self.model_dump(mode="json")

    def to_config(self) -> dict[str, Any]:
        """What a config file says of the feature: its name, its type, and what is not the default."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return {"name": self.name, "type": str(self.type), **values}

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
        allowed = ", ".join(cls.type_names())
        if "type" not in values:
            raise MissingFeatureTypeError(
                f"a feature's dictionary needs 'type'; got the keys {short(list(values))}; "
                f"allowed types: {allowed}"
            )
        wanted = values["type"]
        if not isinstance(wanted, str) or wanted not in cls.type_names():
            raise InvalidFeatureError(
                f"{short(wanted)} is not a valid CustomFeatureType; allowed: {allowed}"
            )
        kind = cls.kind(wanted)
        if not issubclass(kind, cls):
            raise InvalidFeatureError(
                f"type {wanted} is a {kind.__name__}, not a {cls.__name__}; "
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


def _check(name: str, value: object) -> None:
    if not (isinstance(value, type) and issubclass(value, CustomFeature)):
        raise TypeError("it is no subclass of monitor.features.CustomFeature")
    if value.model_fields["type"].default != name:
        raise ValueError(f"its type is {value.model_fields['type'].default!r}: use one name")


registry: Final = Registry[Kind]("monitor.features", "type of feature", {}, _check)
"""The kinds of feature that plug-ins bring."""
