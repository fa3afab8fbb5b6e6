"""How a feature's vectors come about, and which columns hold them: all that a verb asks of a feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.encoders.spec import EncoderSpec


class OriginKind(StrEnum):
    """Where vectors come from.

    Examples
    --------
    >>> OriginKind.IMAGES.value
    'images'
    """

    READY_MADE = "ready-made"
    IMAGES = "images"
    TEXTS = "texts"
    COLUMNS = "columns"


@dataclass(frozen=True)
class VectorOrigin:
    """How a feature's vectors come about.

    Parameters
    ----------
    kind
        Ready-made in one column, made by us from images or texts, or several numeric columns side by side.
    columns
        Where the vectors stand: one column of lists, or for `OriginKind.COLUMNS` several of numbers.
    source_column
        What a row shows to a person, and what its vector is made from; None where there is no such column.
    description_column
        Texts that are added to the images' vectors.
    encoder
        The model that makes the vectors; None where they are there already.
    noun
        What a person calls a row, such as "image".

    Examples
    --------
    >>> origin = VectorOrigin(OriginKind.READY_MADE, ("embedding",))
    >>> origin.is_embedded, origin.written_columns
    (False, ())
    """

    kind: OriginKind
    columns: tuple[str, ...]
    source_column: str | None = None
    description_column: str | None = None
    encoder: EncoderSpec | None = None
    noun: str = "row"

    @property
    def column(self) -> str:
        """The column of vectors; the first of several."""
        return self.columns[0]

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns that data must bring: what vectors are made from, or the vectors and what they show."""
        beside = (self.source_column, self.description_column)
        read = tuple(name for name in beside if name is not None)
        return read if self.is_embedded else (*self.columns, *read)

    @property
    def is_embedded(self) -> bool:
        """Whether `monitor.embed` makes the vectors."""
        return self.encoder is not None

    @property
    def failure_column(self) -> str:
        """What `embed` calls the column that says why a row has no vector."""
        return f"{self.column}_failure"

    @property
    def failure_detail_column(self) -> str:
        """What `embed` calls the column with a line about each failure."""
        return f"{self.failure_column}_detail"

    @property
    def quality_column(self) -> str:
        """What `embed` calls the column of pixel statistics."""
        return f"{self.column}_quality"

    @property
    def written_columns(self) -> tuple[str, ...]:
        """The columns that `embed` adds to a frame."""
        if not self.is_embedded:
            return ()
        quality = (self.quality_column,) if self.kind is OriginKind.IMAGES else ()
        return (self.column, self.failure_column, *quality)

    def is_missing_from(self, columns: tuple[str, ...] | list[str]) -> bool:
        """Whether the vectors are still to be made for data with these `columns`."""
        return self.is_embedded and self.column not in columns
