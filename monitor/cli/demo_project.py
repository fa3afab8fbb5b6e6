"""The demo as a project of its own: pictures as files, a config, a baseline, and a store of judged days."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Final

from monitor.cli.project import Project
from monitor.cli.terminal import Terminal

_CONFIG: Final = """\
version: 1
features:
  - name: product_photo
    type: FROM_IMAGE_EMBEDDING
    source_column: photo
    column: image_embedding
    model: compact
    n_clusters: 5
data:
  baseline: {path: february.parquet, timestamp_column: taken_at}
  production: {path: march.parquet, timestamp_column: taken_at}
sources: {roots: [photos]}
drift:
  every: 1d
  explain_columns: [caption]
  vocabulary: []
schedule: {catchup: all, start: 2026-03-01}
"""


def make_project(
    folder: Path, terminal: Terminal, *, n_baseline: int = 800, n_a_day: int = 100
) -> Project:
    """Draw, embed, fit and judge the demo's days in `folder`, unless that was done before.

    Parameters
    ----------
    folder
        Made where need be.
    terminal
        Is told what is done.
    n_baseline, n_a_day
        How many pictures are drawn.
    """
    import numpy as np

    from monitor.cli import fitted_on
    from monitor.cli.embedded import read_part
    from monitor.cli.scheduled import open_runner
    from monitor.cli.tables import find_tables
    from monitor.demo.shop import FIRST_DAY, N_DAYS, baseline_photos, daily_photos, table
    from monitor.pipeline.fit import fit_baseline

    path = folder / "monitor.yaml"
    if path.is_file() and (folder / ".monitor" / "monitor.db").is_file():
        terminal.say(f"{folder} has the demo already")
        return Project.open(path, terminal)
    rng = np.random.default_rng(0)
    terminal.say(f"drawing {n_baseline + N_DAYS * n_a_day:,} pictures of a little shop")
    parts = {"february": baseline_photos(n_baseline, rng), "march": daily_photos(n_a_day, rng)}
    for name, photos in parts.items():
        for photo in photos:
            file = folder / "photos" / photo.path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if photo.jpeg is not None:
                file.write_bytes(photo.jpeg)
        frame = table(photos, lambda photo: f"photos{photo.path}").rename(
            columns={"image_url": "photo"}
        )
        # A source that is no web address is a path seen from where the command runs.
        frame["photo"] = [str((folder / source).resolve()) for source in frame["photo"]]
        frame.to_parquet(folder / f"{name}.parquet")
    path.write_text(_CONFIG, encoding="utf-8")
    project = Project.open(path, terminal)
    features = project.features()
    config = project.config
    files = find_tables(config, config.data.baseline, "data.baseline")
    rows = read_part(project, "baseline", features)
    for feature in features:
        terminal.say(f"fitting {feature.name}")
        fitted = fit_baseline(
            rows, feature, timestamp_column="taken_at", every="1d", explain_columns=["caption"],
            policy=config.policy, vocabulary=config.vocabulary,
        )  # fmt: skip
        fitted_on.record(fitted.save(project.baseline_path(feature)), files, config.folder)
    evening = FIRST_DAY + dt.timedelta(days=N_DAYS, hours=1)
    with open_runner(project, features) as runner:
        # The demo's days are over: it is told that it is the evening after the last one.
        then = replace(runner, clock=lambda: evening)
        done = then.run_due(
            lambda claim, _: terminal.say(f"judged {claim.feature}, {claim.period.start:%d %B}")
        )
    drifted = sum(judged.report.has_drift for _, judged in done.judged)
    terminal.say(f"{drifted} of {len(done.judged)} days drifted")
    return project
