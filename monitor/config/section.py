"""What every section of a monitoring config is, and the texts that several of them hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)

from monitor.windows import Every


def _not_blank(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise ValueError("must not be empty or blank")
    return value


def _duration(value: str) -> str:
    if Every.parse(value).unit == "M":
        raise ValueError("a month has no fixed length: give days, such as '30d'")
    return value


Length = Annotated[
    Every,
    BeforeValidator(lambda value: value if isinstance(value, Every) else Every.parse(value)),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""A window's length, such as 6h; a text in YAML and JSON."""
Text = Annotated[str, AfterValidator(_not_blank), Field(min_length=1)]
Duration = Annotated[Text, AfterValidator(_duration)]
"""A number and min, h, d or w."""


class Section(BaseModel):
    """Frozen, and strict about keys and truth values."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, value: object, info: object) -> object:
        # Pydantic reads `yes`, which YAML makes True, as 1.
        field = cls.model_fields[str(getattr(info, "field_name", ""))]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("expected a value, not true or false")
        return value
