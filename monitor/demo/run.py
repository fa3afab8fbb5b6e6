"""The demo: draw, serve, embed, fit, judge, report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from monitor.demo.render import KINDS
from monitor.demo.server import serve
from monitor.demo.shop import N_DAYS, baseline_photos, daily_photos, table
from monitor.features import ImageEmbedding
from monitor.images import SourcePolicy
from monitor.pipeline.detect import detect_drift
from monitor.pipeline.embed import embed
from monitor.pipeline.fit import fit_baseline
from monitor.reports import DriftReport
from monitor.reports.text import summary

N_BASELINE_ROWS: Final = 1_400
N_ROWS_A_DAY: Final = 100

FEATURE: Final = ImageEmbedding(
    name="product_photo",
    source_column="image_url",
    column="image_embedding",
    model="compact",
    n_clusters=len(KINDS),
)


def run_demo(
    output: Path,
    *,
    n_baseline: int = N_BASELINE_ROWS,
    n_rows_a_day: int = N_ROWS_A_DAY,
    echo: Callable[[str], object] = print,
) -> DriftReport:
    """Draw, serve, embed, fit, judge; write `report.html` and `report.json` into `output`.

    Nothing is a shortcut: the images are fetched from a local HTTP server by the fetcher that production
    uses, with a policy that allows this one host.

    Parameters
    ----------
    output
        A directory; made if it is not there.
    n_baseline, n_rows_a_day
        How many pictures are drawn for the four weeks of the baseline, and for each of ten days.
    echo
        Called with each line that is for the user.
    """
    echo(f"drawing {n_baseline + N_DAYS * n_rows_a_day:,} pictures of a little shop")
    rng = np.random.default_rng(0)
    february, march = baseline_photos(n_baseline, rng), daily_photos(n_rows_a_day, rng)
    files = {p.path: p.jpeg for p in [*february, *march] if p.jpeg is not None}
    with serve(files) as host:
        policy = SourcePolicy(schemes=("http",), hosts=(host,), allow_private=True)
        echo(f"embedding them from http://{host} with the compact CLIP model")
        train, prod = (
            embed(table(photos, lambda p: f"http://{host}{p.path}"), FEATURE, policy=policy)
            for photos in (february, march)
        )
        # The compact model learned few words, and those for photos: it takes a drawn receipt for a carton.
        baseline = fit_baseline(train, FEATURE, timestamp_column="taken_at", vocabulary=())
        report = detect_drift(prod, baseline, timestamp_column="taken_at", every="1d")
        page = report.to_html(output / "report.html", policy=policy)
    report.to_json(output / "report.json")
    echo("")
    echo(summary(report))
    echo("")
    echo(f"open {page} to see what changed; {output / 'report.json'} holds the same as data")
    return report
