"""One small project, judged once; one app; one server for the browser."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from monitor.cli.project import Project
from monitor.cli.scheduled import open_runner
from monitor.cli.served_rows import ConfigRows
from monitor.cli.terminal import Terminal
from monitor.pipeline.fit import fit_baseline
from monitor.store import Store
from monitor.web import Access, Site, create_app

WIDTH = 256
"""Of the compact model's vectors."""
FIRST = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NOW = FIRST + 4 * DAY + dt.timedelta(hours=1)
EVIL = "<img src=x onerror=document.title='taken'>"
CONFIG = """\
version: 1
features:
  - {name: photos, type: FROM_IMAGE_EMBEDDING, source_column: photo, column: vector,
     model: compact, n_clusters: 3}
data:
  baseline: {path: train.parquet, timestamp_column: ts}
  production: {path: prod.parquet, timestamp_column: ts}
sources: {roots: [photos]}
drift: {every: 1d, segment_column: country, explain_columns: [camera]}
schedule: {catchup: all, start: 2026-03-01}
"""
_COLOURS = [(30, 90, 160), (40, 140, 80), (200, 170, 60), (190, 60, 50)]


def rows(
    n: int, seed: int, start: dt.datetime, days: float, new: float, folder: Path
) -> pd.DataFrame:
    """Rows of three kinds, and a share `new` of a fourth; each kind has a picture of its own."""
    rng = np.random.default_rng(seed)
    kinds = np.where(rng.random(n) < new, 3, rng.integers(0, 3, n))
    vectors = (np.eye(WIDTH)[kinds] * 4 + rng.normal(size=(n, WIDTH)) * 0.15).astype(np.float32)
    cells: list[np.ndarray | None] = list(vectors)
    cells[0] = None
    step = days * 86_400 / n
    return pd.DataFrame(
        {
            "photo": [str(folder / "photos" / f"{kind}.png") for kind in kinds[:-1]]
            + [f"no/{EVIL}.png"],
            "vector": cells,
            "ts": [start + dt.timedelta(seconds=i * step) for i in range(n)],
            "country": ["de", "fr"] * (n // 2),
            "camera": np.where(kinds == 3, "phone", "studio"),
            "width": rng.integers(100, 4_000, n),
        }
    )


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """300 rows of baseline and four days of 60 rows, of which the third has a new kind of picture."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "photos").mkdir()
    for number, colour in enumerate(_COLOURS):
        Image.new("RGB", (90, 60), colour).save(folder / "photos" / f"{number}.png")
    train = rows(300, 0, FIRST - 20 * DAY, 20, 0.0, folder)
    train.to_parquet(folder / "train.parquet")
    days = [rows(60, day + 1, FIRST + day * DAY, 1, 0.4 * (day == 2), folder) for day in range(4)]
    pd.concat(days, ignore_index=True).to_parquet(folder / "prod.parquet")
    (folder / "monitor.yaml").write_text(CONFIG, encoding="utf-8")
    project = Project.open(folder / "monitor.yaml", Terminal())
    (feature,) = project.features()
    baseline = fit_baseline(
        train, feature, timestamp_column="ts", explain_columns=["camera"], learn_changes=False
    )
    baseline.save(project.baseline_path(feature))
    with open_runner(project, [feature]) as runner:
        done = replace(runner, clock=lambda: NOW).run_due()
    assert len(done.judged) == 4, done.failed
    return project


@dataclass(frozen=True)
class Served:
    """An app, and the site that it stands on."""

    site: Site
    client: TestClient
    csrf: str

    def json(self, path: str, status: int = 200, **more: object) -> object:
        answer = self.client.get(path, **more)  # type: ignore[arg-type]
        assert answer.status_code == status, answer.text[:500]
        return answer.json()

    def act(self, name: str, body: dict[str, object], status: int = 201) -> dict[str, object]:
        answer = self.client.post(f"/api/acts/{name}", json=body, headers={"x-csrf": self.csrf})
        assert answer.status_code == status, answer.text[:500]
        made: dict[str, object] = answer.json()
        return made


def site_of(project: Project, store: Store, folder: Path) -> Site:
    return Site(
        store=store,
        features={feature.name: feature for feature in project.config.monitored},
        policy=project.config.policy,
        rows=ConfigRows(project),
        folder=folder,
        now=lambda: NOW,
    )


@pytest.fixture(scope="session")
def served(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of the project, for the user `ann` of this machine."""
    with Store(project.config.store_url) as store:
        site = site_of(project, store, tmp_path_factory.mktemp("web"))
        app = create_app(site, Access("ann"))
        with TestClient(app, base_url="http://localhost") as client:  # type: ignore[arg-type]
            page = client.get("/").text
            csrf = page.split('name="csrf" content="')[1].split('"')[0]
            yield Served(site, client, csrf)


@pytest.fixture(scope="session")
def address(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same behind a real server, for the browser."""
    with Store(project.config.store_url) as store:
        site = site_of(project, store, tmp_path_factory.mktemp("web-browser"))
        config = uvicorn.Config(
            create_app(site, Access("ann")), host="127.0.0.1", port=0, log_level="warning"
        )
        socket = config.bind_socket()
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        server.should_exit = True
        thread.join()
        socket.close()
