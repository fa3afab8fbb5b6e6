import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from monitor.cli import main

CONFIG = """\
version: 1
features:
  - name: photo
    type: FROM_VECTOR
    column: embedding
    n_clusters: 3
data:
  baseline: {path: train.parquet, timestamp_column: ts}
  production: {path: production/*.parquet, timestamp_column: ts}
drift:
  every: 1d
"""


def vectors(n: int, seed: int, shift: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.eye(8)[rng.integers(0, 3, n)] * 4
    return list((centres + rng.normal(size=(n, 8)) * 0.5 + shift).astype(np.float32))


def day(n: int, seed: int, date: str, shift: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "embedding": vectors(n, seed, shift),
            "ts": pd.date_range(date, periods=n, freq="10min", tz="UTC"),
            "country": ["de", "fr"] * (n // 2),
        }
    )


@pytest.fixture
def monitor_command() -> Callable[..., Result]:
    """Runs the command in this process, with what it wrote kept apart by stream."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, words)

    return run


@pytest.fixture
def document(monitor_command) -> Callable[..., dict]:
    """Runs the command with --json, and gives the one document that it wrote."""

    def run(*words: str, exit_code: int | None = 0) -> dict:
        result = monitor_command(*words, "--json")
        assert exit_code is None or result.exit_code == exit_code, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_DEBUG", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def project_files(tmp_path_factory) -> Path:
    """What `project` holds, made once."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "monitor.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "production").mkdir()
    day(400, 0, "2026-01-01").to_parquet(folder / "train.parquet")
    day(100, 1, "2026-02-01").to_parquet(folder / "production" / "day1.parquet")
    day(100, 2, "2026-02-02", shift=0.6).to_parquet(folder / "production" / "day2.parquet")
    return folder


@pytest.fixture(scope="session")
def fitted_files(project_files, tmp_path_factory) -> Path:
    """The same with a baseline, which takes a moment to fit."""
    folder = tmp_path_factory.mktemp("fitted")
    shutil.copytree(project_files, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(main, ["baseline", "fit"])
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def drifted_files(fitted_files, tmp_path_factory) -> Path:
    """The same with a report."""
    folder = tmp_path_factory.mktemp("drifted")
    shutil.copytree(fitted_files, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(main, ["drift"])
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def project(folder, project_files) -> Path:
    """A working folder with ready-made vectors: 400 rows of baseline, a calm day and a moved one."""
    shutil.copytree(project_files, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def fitted(folder, fitted_files) -> Path:
    """The same with a baseline."""
    shutil.copytree(fitted_files, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def drifted(folder, drifted_files) -> Path:
    """The same with the report of both days."""
    shutil.copytree(drifted_files, folder, dirs_exist_ok=True)
    return folder
