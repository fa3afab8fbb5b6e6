"""A little shop's pictures: a calm February, and ten days of March of which three are not like it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from monitor.demo.render import KINDS, NEW_KIND, draw

if TYPE_CHECKING:
    import pandas as pd

FIRST_DAY: Final = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
N_DAYS: Final = 10
_BASELINE_LENGTH: Final = dt.timedelta(days=28)
SHARES: Final = (0.3, 0.25, 0.2, 0.15, 0.1)
"""How often each of `KINDS` is photographed."""
DELETED_SHARE: Final = 0.02
"""Pictures whose URL no longer works: a real table has some of these."""


@dataclass(frozen=True)
class Day:
    """What is unusual about a day: a share of pictures of a new kind, or the light."""

    new_kind_share: float = 0.0
    brightness: float = 1.0


UNUSUAL_DAYS: Final = {
    4: Day(new_kind_share=0.15),
    5: Day(new_kind_share=0.3),
    8: Day(brightness=0.55),
}
"""By day, 0 the first. All others are drawn exactly as the baseline is."""


@dataclass(frozen=True)
class Photo:
    """One picture of the shop.

    Parameters
    ----------
    path
        Such as "/2026-03-05/017.jpg".
    taken_at
        With zone.
    caption
        What it shows.
    jpeg
        The file, or None when it was deleted since.
    """

    path: str
    taken_at: dt.datetime
    caption: str
    jpeg: bytes | None


def baseline_photos(n: int, rng: np.random.Generator) -> list[Photo]:
    """`n` pictures of the four weeks before `FIRST_DAY`."""
    return list(_photos(n, FIRST_DAY - _BASELINE_LENGTH, _BASELINE_LENGTH, Day(), rng))


def daily_photos(n_a_day: int, rng: np.random.Generator) -> list[Photo]:
    """`n_a_day` pictures of each of the ten days."""
    one_day = dt.timedelta(days=1)
    return [
        photo
        for day in range(N_DAYS)
        for photo in _photos(
            n_a_day, FIRST_DAY + day * one_day, one_day, UNUSUAL_DAYS.get(day, Day()), rng
        )
    ]


def example_tables(
    *, n_baseline: int = 400, n_rows_a_day: int = 60
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables to try things on: a baseline, and ten days of production.

    Returns
    -------
    Two pandas DataFrames with the columns `image_url` (a `data:` URI; a few are empty), `taken_at` and
    `caption`. In the second, days 5 and 6 hold receipts, which the first has none of, and day 9 is dark.

    Examples
    --------
    >>> train, prod = example_tables(n_baseline=3, n_rows_a_day=2)
    >>> len(train), len(prod), list(prod)
    (3, 20, ['image_url', 'taken_at', 'caption'])
    """
    rng = np.random.default_rng(0)
    train, prod = baseline_photos(n_baseline, rng), daily_photos(n_rows_a_day, rng)
    return table(train, _data_uri), table(prod, _data_uri)


def table(photos: list[Photo], address: Callable[[Photo], str | None]) -> pd.DataFrame:
    """The pictures as a table, with what `address` says in the column `image_url`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "image_url": [address(photo) for photo in photos],
            "taken_at": pd.to_datetime([photo.taken_at for photo in photos], utc=True),
            "caption": [photo.caption for photo in photos],
        }
    )


def _data_uri(photo: Photo) -> str | None:
    if photo.jpeg is None:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(photo.jpeg).decode()


def _photos(
    n: int, start: dt.datetime, length: dt.timedelta, day: Day, rng: np.random.Generator
) -> Iterator[Photo]:
    for i in range(n):
        is_new = rng.random() < day.new_kind_share
        kind = NEW_KIND if is_new else str(rng.choice(KINDS, p=SHARES))
        picture = draw(kind, rng, brightness=day.brightness)
        yield Photo(
            path=f"/{start:%Y-%m-%d}/{i:03d}.jpg",
            taken_at=start + length * float(rng.random()),
            caption=picture.caption,
            jpeg=picture.jpeg() if rng.random() >= DELETED_SHARE else None,
        )
