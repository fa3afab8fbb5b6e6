"""The command line's cache, failures table and resuming, on real files and a real server."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import monitor
from monitor import frames
from monitor.cli.failed_rows import failures_path
from tests.embedding import plain
from tests.images.pictures import encode
from tests.images.servers import Server, answer, reset, silence
from tests.preloaded import run_script

CONFIG = """\
features:
  - name: photo
    type: FROM_IMAGE_EMBEDDING
    source_column: image
    column: vector
    model: compact
    n_clusters: 2
data:
  baseline: {{path: train.parquet}}
  production: {{path: train.parquet}}
sources:
  hosts: ["{host}"]
  allow_private: true
  retries: 0
"""
ROOT = Path(monitor.__file__).parent.parent
WORDS = ("embed", "--input", "train.parquet", "--output", "out.parquet")


def picture(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    return encode(small.resize((40, 40)))


@pytest.fixture
def site(folder):
    """A server of four pictures and one broken address, and a project that reads them."""
    with Server({f"/{i}": answer(picture(i)) for i in range(4)}) as server:
        server.routes["/down"] = reset
        (folder / "monitor.yaml").write_text(CONFIG.format(host=server.host), encoding="utf-8")
        cells = [f"{server.url}/{i}" for i in range(4)]
        cells += [f"{server.url}/down?token=hunter2", f"{server.url}/gone", "=1+1", None]
        pd.DataFrame({"image": cells}).to_parquet("train.parquet")
        yield server


def listed() -> list[dict[str, str]]:
    with open("out.failures.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_failures_table_stands_beside_the_vectors(site, monitor_command):
    before = pd.Timestamp.now("UTC").floor("s")
    assert monitor_command(*WORDS).exit_code == 0
    after = pd.Timestamp.now("UTC")
    rows = listed()
    assert [(r["row"], r["column"], r["reason"], r["attempts"]) for r in rows] == [
        ("4", "vector", "network", "1"),
        ("5", "vector", "http_404", "1"),
        ("6", "vector", "path_outside_roots", "1"),
        ("7", "vector", "missing", "1"),
    ]
    assert rows[0]["source"] == f"{site.url}/down?…"
    # A spreadsheet takes it for text.
    assert rows[2]["source"] == "'=1+1"
    assert all(row["detail"] for row in rows[:3])
    times = pd.to_datetime([row["failed_at"] for row in rows], utc=True)
    assert before <= times.min() <= times.max() <= after
    assert "hunter2" not in failures_path(Path("out.parquet")).read_text(encoding="utf-8")


def test_retrying_asks_for_the_failed_rows_alone(site, monitor_command, document):
    monitor_command(*WORDS)
    before = pd.read_parquet("out.parquet")
    site.routes["/down"] = answer(picture(9))
    site.routes["/gone"] = answer(picture(8))
    site.requests.clear()
    kept = document(*WORDS)["files"][0]
    assert (kept["n_columns_embedded"], kept["n_rows_retried"]) == (0, 0)
    assert site.requests == []
    again = document(*WORDS, "--retry-failed")["files"][0]
    assert (again["n_columns_embedded"], again["n_rows_retried"]) == (0, 1)
    assert len(site.requests) == 1
    assert "/down" in site.requests[0]
    assert [(r["row"], r["attempts"]) for r in listed()] == [("5", "1"), ("6", "1"), ("7", "1")]
    after = frames.read_vectors(pd.read_parquet("out.parquet"), "vector")
    assert after.usable.tolist() == [True] * 5 + [False] * 3
    assert after.fingerprint == frames.read_vectors(before, "vector").fingerprint is not None
    for row in range(4):
        assert after.matrix[row].tobytes() == np.asarray(before["vector"][row]).tobytes()
        old, new = (
            before["vector_quality"][row],
            pd.read_parquet("out.parquet")["vector_quality"][row],
        )
        np.testing.assert_array_equal(old, new)
    everything = monitor_command(*WORDS, "--retry-failed", "all")
    assert "3 tried again" in everything.stdout
    assert [(r["row"], r["attempts"]) for r in listed()] == [("6", "2"), ("7", "2")]
    assert not frames.is_missing(pd.read_parquet("out.parquet")["vector"][5])
    assert monitor_command(*WORDS, "--retry-failed", "--force").exit_code == 2


def test_retrying_in_vain_counts_and_keeps(site, monitor_command):
    monitor_command(*WORDS)
    before = pd.read_parquet("out.parquet")
    assert monitor_command(*WORDS, "--retry-failed").exit_code == 0
    assert [r["attempts"] for r in listed()] == ["2", "1", "1", "1"]
    pd.testing.assert_frame_equal(before, pd.read_parquet("out.parquet"))


def test_a_table_of_nothing_but_failures_can_be_retried(site, monitor_command):
    pd.DataFrame({"image": [f"{site.url}/down"] * 2}).to_parquet("train.parquet")
    monitor_command(*WORDS)
    assert monitor_command(*WORDS, "--retry-failed").exit_code == 1  # still no vector
    assert [row["attempts"] for row in listed()] == ["2", "2"]
    site.routes["/down"] = answer(picture(0))
    assert monitor_command(*WORDS, "--retry-failed").exit_code == 0
    assert not Path("out.failures.csv").exists()
    assert pd.read_parquet("out.parquet")["vector"].notna().all()


def test_another_table_of_the_same_images_costs_nothing(site, monitor_command, monkeypatch):
    monitor_command(*WORDS)
    site.requests.clear()
    pd.DataFrame({"image": [f"{site.url}/{i}" for i in (3, 1, 0)]}).to_parquet("train.parquet")

    def no_encoding(self, tensors):
        raise AssertionError("an image was encoded")

    monkeypatch.setattr("monitor.encoders.open_clip.OpenClipEncoder.encode_batch", no_encoding)
    result = monitor_command(*WORDS)
    assert result.exit_code == 0, result.stderr
    assert site.requests == []
    assert len(pd.read_parquet("out.parquet")) == 3


def test_force_fetches_again(site, monitor_command):
    monitor_command(*WORDS)
    before = pd.read_parquet("out.parquet")["vector"]
    site.routes["/0"] = answer(picture(30))
    site.requests.clear()
    assert monitor_command(*WORDS, "--force").exit_code == 0
    assert len(site.requests) == 6
    after = pd.read_parquet("out.parquet")["vector"]
    assert not np.allclose(before[0], after[0])
    assert np.asarray(before[1]).tobytes() == np.asarray(after[1]).tobytes()


def test_cache_info_and_prune(site, monitor_command, document):
    monitor_command(*WORDS)
    found = document("cache", "info")
    assert found["path"] == str(Path(".monitor/cache/vectors-1.sqlite"))
    assert (found["n_vectors"], found["n_sources"], found["max_bytes"]) == (4, 4, 2_000_000_000)
    (encoder,) = found["n_vectors_by_encoder"]
    assert found["n_vectors_by_encoder"][encoder] == 4
    assert f"{encoder}: 4 vectors" in monitor_command("cache", "info").stdout
    assert document("cache", "prune")["n_forgotten"] == 0
    assert document("cache", "prune", "--unused-days", "1")["n_forgotten"] == 0
    assert "forgot 4 vectors, kept 0" in monitor_command("cache", "prune", "--unused-days=0").stdout
    assert document("cache", "prune", "--all") == {"is_deleted": True}
    assert not Path(".monitor/cache/vectors-1.sqlite").exists()
    assert "there is no cache" in monitor_command("cache", "prune", "--all").stdout
    both = monitor_command("cache", "prune", "--all", "--unused-days=1")
    assert both.exit_code == 2


def test_the_config_places_and_bounds_the_cache(site, monitor_command, document):
    config = Path("monitor.yaml")
    text = config.read_text(encoding="utf-8")
    cache = "cache: {folder: shared, ttl_seconds: 0, max_bytes: 100000}\n"
    config.write_text(text + cache, encoding="utf-8")
    monitor_command(*WORDS)
    assert document("cache", "info")["max_bytes"] == 100_000
    assert Path("shared/vectors-1.sqlite").is_file()
    assert not Path(".monitor").exists()
    site.requests.clear()
    pd.DataFrame({"image": [f"{site.url}/{i}" for i in (3, 1, 0)]}).to_parquet("train.parquet")
    monitor_command(*WORDS)
    assert len(site.requests) == 3


def test_a_damaged_cache_is_an_error_in_one_line(site, monitor_command):
    monitor_command(*WORDS)
    path = Path(".monitor/cache/vectors-1.sqlite")
    path.write_bytes(b"not a database, not at all" * 1_000)
    result = monitor_command(*WORDS, "--force")
    assert result.exit_code == 1
    assert "is damaged" in result.stderr
    assert "Traceback" not in result.stderr
    assert monitor_command("cache", "prune", "--all").exit_code == 0
    assert monitor_command(*WORDS, "--force").exit_code == 0


def test_an_earlier_table_stays_until_the_new_one_is_whole(site, monitor_command, tmp_path_factory):
    """Killed in the middle, an embed leaves the table of last time as it was."""
    monitor_command(*WORDS)
    # By a model without torch, which takes five seconds to load and has nothing to do with it.
    plugins = tmp_path_factory.mktemp("plugins")
    plain.install(plugins)
    config = Path("monitor.yaml").read_text(encoding="utf-8")
    space = f"space: {{image: image, model: plain, model_handler: {plain.HANDLER}}}"
    Path("monitor.yaml").write_text(config.replace("model: compact", space), encoding="utf-8")
    before = Path("out.parquet").read_bytes()
    site.routes["*"] = silence
    pd.DataFrame({"image": [f"{site.url}/slow{i}" for i in range(3)]}).to_parquet("train.parquet")
    site.requests.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", *WORDS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(plugins), str(ROOT)])},
        stderr=subprocess.PIPE,
    )
    while not site.await_requests(seconds=1):
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Path("out.parquet").read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="there are no benchmarks here")
@pytest.mark.slow
def test_kills_at_random_moments_leave_a_whole_and_equal_table():
    words = ("--kills=2", "--kills-per-embed=2", "--urls=100", "--most-repeated=1.5")
    done = run_script(ROOT / "benchmarks" / "killed_embeds.py", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every output whole and the same" in " ".join(done.stdout.split())
