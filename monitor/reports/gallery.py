"""Example rows side by side: as pictures, or by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.clusters import Example
from monitor.redaction import redact_url
from monitor.reports.thumbnails import Thumbnail, link_of
from monitor.reports.wording import iso_moment, plain, prose

_BY_POLICY: Final = frozenset({"path_outside_roots", "scheme", "host", "port", "blocked_address"})
"""Reasons that an image is not read for which a policy decides."""


@dataclass(frozen=True)
class Tile:
    """One example row: a picture, or what stands for it.

    Parameters
    ----------
    picture
        The number of its thumbnail, or None.
    label, name
        What the row is called, in full and in short, both safe to show.
    row, when
        Its index label, and when it happened; "" where that is not known.
    href
        Where its image is, when that is a web address.
    failure
        Why there is no picture: the reason, and the same in a sentence.
    distance
        From the centroid.
    """

    picture: int | None
    label: str
    name: str
    href: str | None
    failure: tuple[str, str] | None
    distance: float
    row: str = ""
    when: str = ""


@dataclass(frozen=True)
class Gallery:
    """Examples side by side: as tiles, or by name when none of them was fetched."""

    tiles: tuple[Tile, ...] = ()
    names: tuple[Tile, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tiles or self.names)


class Pictures:
    """The thumbnails of a page, each once, numbered."""

    def __init__(self, thumbnails: Mapping[str, Thumbnail]) -> None:
        self._thumbnails = thumbnails
        shown = (source for source, thumbnail in thumbnails.items() if thumbnail.data)
        self._numbers = {source: i for i, source in enumerate(shown)}

    @property
    def data(self) -> list[str]:
        """`data:` URIs, by number."""
        return [t.data for t in self._thumbnails.values() if t.data]

    def gallery(self, examples: Sequence[Example], most: int) -> Gallery:
        """The first `most` of these examples."""
        tiles = tuple(self._tile(example) for example in examples[:most])
        fetched = tuple(tile for tile in tiles if tile.picture is not None or tile.failure)
        return Gallery(tiles=fetched) if fetched else Gallery(names=tiles)

    def _tile(self, example: Example) -> Tile:
        source = example.source
        thumbnail = self._thumbnails.get(source) if source is not None else None
        failure = thumbnail.failure if thumbnail else None
        label = f"row {plain(example.row)}" if source is None else plain(redact_url(source))
        return Tile(
            picture=None if source is None else self._numbers.get(source),
            label=label,
            name=label.removesuffix("?…").rstrip("/").rpartition("/")[2] or label,
            href=None if source is None else link_of(source),
            failure=(failure.reason, plain(f"{failure.meaning} ({failure})")) if failure else None,
            distance=example.distance,
            row=plain(example.row),
            when="" if example.timestamp is None else iso_moment(example.timestamp),
        )

    def number_of(self, source: str | None) -> int | None:
        """The number of a source's thumbnail, if it has one."""
        return None if source is None else self._numbers.get(source)

    @property
    def blank(self) -> str:
        """Why there is no picture at all where there should be some; "" otherwise."""
        failures = [t.failure for t in self._thumbnails.values() if t.failure is not None]
        if self._numbers or not failures:
            return ""
        (reason, n), *_ = Counter(failure.reason for failure in failures).most_common(1)
        meaning = next(f.meaning for f in failures if f.reason == reason)
        cure = (
            "give `to_html(policy=…)` the policy that these images were embedded under, or make the report "
            "where they were embedded"
            if reason in _BY_POLICY
            else "they may be gone, or not within reach of this machine"
        )
        return prose(
            f"No picture could be read: of {len(failures)} example images, {n} failed with {reason} "
            f"({meaning.rstrip('.')}); {cure}."
        )
