"""Ten days of a shop's pictures, of which three are not like the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from monitor.clusters import Baseline
from monitor.demo.render import KINDS, NEW_KIND, draw
from monitor.demo.server import serve
from monitor.features import ImageEmbedding
from monitor.images import SourcePolicy
from monitor.pipeline import detect_drift, embed, fit_baseline
from monitor.reports import DriftReport
from monitor.reports.text import summary

if TYPE_CHECKING:
    import pandas as pd

FIRST_DAY: Final = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
N_DAYS: Final = 10
N_BASELINE_ROWS: Final = 800
N_ROWS_A_DAY: Final = 100
SHARES: Final = (0.3, 0.25, 0.2, 0.15, 0.1)
"""How often each of `KINDS` is photographed."""


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

FEATURE: Final = ImageEmbedding(
    name="product_photo",
    source_column="image_url",
    column="image_embedding",
    model="compact",
    n_clusters=len(KINDS),
)


def run_demo(output: Path, *, echo: Callable[[str], object] = print) -> DriftReport:
    """Draw, serve, embed, fit, judge; write `report.html` and `report.json` into `output`.

    Nothing is a shortcut: the images are fetched from a local HTTP server by the fetcher that production
    uses, with a policy that allows this one host.

    Parameters
    ----------
    output
        A directory; made if it is not there.
    echo
        Called with each line that is for the user.
    """
    rng = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    echo(f"drawing {N_BASELINE_ROWS + N_DAYS * N_ROWS_A_DAY:,} pictures")
    february = FIRST_DAY - dt.timedelta(days=28)
    train = _draw_rows(files, rng, N_BASELINE_ROWS, february, dt.timedelta(days=28), Day())
    days = [
        _draw_rows(
            files,
            rng,
            N_ROWS_A_DAY,
            FIRST_DAY + dt.timedelta(days=day),
            dt.timedelta(days=1),
            UNUSUAL_DAYS.get(day, Day()),
        )
        for day in range(N_DAYS)
    ]
    with serve(files) as host:
        policy = SourcePolicy(schemes=("http",), hosts=(host,), allow_private=True)
        echo(f"embedding them through http://{host} with the compact CLIP model")
        baseline = _baseline(_table(train, host), policy)
        production = embed(
            _table([row for day in days for row in day], host), FEATURE, policy=policy
        )
        report = detect_drift(production, baseline, timestamp_column="taken_at", every="1d")
        report.to_html(output / "report.html", policy=policy)
    report.to_json(output / "report.json")
    echo("")
    echo(summary(report))
    echo("")
    echo(f"what to look at: {output / 'report.html'}; the same as data: {output / 'report.json'}")
    return report


def _baseline(frame: pd.DataFrame, policy: SourcePolicy) -> Baseline:
    return fit_baseline(embed(frame, FEATURE, policy=policy), FEATURE, timestamp_column="taken_at")


@dataclass(frozen=True)
class _Row:
    path: str
    taken_at: dt.datetime
    caption: str


def _draw_rows(
    files: dict[str, bytes],
    rng: np.random.Generator,
    n: int,
    start: dt.datetime,
    length: dt.timedelta,
    day: Day,
) -> list[_Row]:
    rows = []
    for i in range(n):
        is_new = rng.random() < day.new_kind_share
        kind = NEW_KIND if is_new else str(rng.choice(KINDS, p=SHARES))
        picture = draw(kind, rng, brightness=day.brightness)
        path = f"/{start:%Y-%m-%d}/{i:03d}.jpg"
        # One in fifty was deleted since: a real table has some of these.
        if rng.random() >= 0.02:
            files[path] = picture.jpeg()
        rows.append(_Row(path, start + length * float(rng.random()), picture.caption))
    return rows


def _table(rows: list[_Row], host: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "image_url": [f"http://{host}{row.path}" for row in rows],
            "taken_at": [row.taken_at for row in rows],
            "caption": [row.caption for row in rows],
        }
    )
