"""Images on this machine through the compact model, from the command line."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from monitor import frames
from monitor.cli.models import look_for_model
from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE, EncoderSpec

pytestmark = pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)

CONFIG = """\
features:
  - name: photo
    type: FROM_IMAGE_EMBEDDING
    source_column: image
    column: vector
    model: compact
    n_clusters: 2
data:
  baseline: {path: train.parquet}
  production: {path: production/*.csv, timestamp_column: ts}
sources:
  roots: [images]
drift: {minimum_rows: 2}
report: {thumbnails: false}
"""


def images(name: str, n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    for i in range(n):
        colour = (220, 40, 40) if i % 2 else (40, 40, 220)
        pixels = np.clip(np.array(colour) + rng.normal(0, 25, (32, 32, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(f"images/{name}{i}.png")
    return [f"{name}{i}.png" for i in range(n)]


@pytest.fixture
def photos(folder) -> Path:
    """Sixteen images for the baseline, six in production and two rows without one."""
    (folder / "monitor.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "images").mkdir()
    (folder / "production").mkdir()
    pd.DataFrame({"image": images("train", 16, 0)}).to_parquet("train.parquet")
    rows = [*images("new", 6, 1), "gone.png", "http://127.0.0.1/a.png"]
    frame = pd.DataFrame({"image": rows, "ts": "2026-03-01"})
    frame.to_csv("production/day1.csv", index=False)
    return folder


def test_the_whole_walk(photos, monitor_command, document):
    check = document("check")
    assert check["ok"] is True
    assert {"state": "ok", "looked_at": "model of photo", "text": "compact comes with monitor"} in (
        check["findings"]
    )
    first = document("embed")["files"]
    assert [file["n_columns_embedded"] for file in first] == [1, 1]
    assert first[1]["failures"] == {
        "vector": {
            "not_found": {"n_rows": 1, "example": "gone.png"},
            "blocked_address": {"n_rows": 1, "example": "127.0.0.1 is no public address"},
        }
    }
    table = pd.read_parquet(first[1]["output"])
    assert list(table.columns) == [
        "image",
        "ts",
        "vector",
        "vector_failure",
        "vector_failure_detail",
        "vector_quality",
    ]
    assert len(table) == 8

    plain = monitor_command("embed")
    assert plain.stdout.count("kept ") == 2
    assert "vector: 1 row without vector: not_found, such as gone.png" in plain.stdout
    assert "--retry-failed tries rows again: those that failed by the network" in plain.stdout
    assert "embedding" not in plain.stderr

    fit = monitor_command("baseline", "fit")
    assert fit.exit_code == 0
    assert "embedding" not in fit.stderr
    window = document("drift")["windows"][0]
    assert (window["n_rows"], window["n_failed"]) == (8, 2)


def test_drift_embeds_what_is_missing(photos, monitor_command, document):
    assert "embedding 16 rows" in monitor_command("baseline", "fit").stderr
    assert "embedding 8 rows" in monitor_command("drift").stderr
    # A new file costs its own rows only.
    pd.DataFrame({"image": images("more", 3, 2), "ts": "2026-03-02"}).to_csv("production/day2.csv")
    result = monitor_command("drift")
    assert result.exit_code == 0
    assert (
        result.stderr == f"embedding 3 rows of {Path('production/day2.csv')} for photo (compact)\n"
    )


def test_vectors_are_made_again_when_they_must(photos, document):
    def embedded() -> list[int]:
        return [file["n_columns_embedded"] for file in document("embed")["files"]]

    assert embedded() == [1, 1]
    assert embedded() == [0, 0]
    os.utime("production/day1.csv", (1, 1))
    assert embedded() == [0, 1]
    config = photos / "monitor.yaml"
    config.write_text(config.read_text().replace("roots: [images]", "roots: [images, production]"))
    assert embedded() == [1, 1]
    assert [f["n_columns_embedded"] for f in document("embed", "--force")["files"]] == [1, 1]


def test_a_second_feature_leaves_the_first_ones_vectors(photos, monitor_command, document):
    assert monitor_command("embed").exit_code == 0
    config = photos / "monitor.yaml"
    second = CONFIG[CONFIG.index("  - name") : CONFIG.index("data:")]
    second = second.replace("photo", "precise").replace("column: vector", "column: other")
    config.write_text(CONFIG.replace("data:", second + "data:"))
    words = ["embed", "--feature", "precise"]
    assert [f["n_columns_embedded"] for f in document(*words)["files"]] == [1, 1]
    assert [f["n_columns_embedded"] for f in document("embed")["files"]] == [0, 0]
    both = pd.read_parquet(".monitor/embedded/baseline/train.parquet")
    assert {"vector", "other"} <= set(both.columns)


def test_one_file(photos, monitor_command):
    words = ["embed", "--input", "production/day1.csv", "--output", "out/one.parquet"]
    result = monitor_command(*words, "--feature", "photo")
    assert result.exit_code == 0, result.stderr
    assert "wrote out/one.parquet: 8 rows" in result.stdout.replace("\\", "/")
    assert pd.read_parquet("out/one.parquet")["vector"].notna().sum() == 6
    # Nothing but the vectors' cache stands beside it.
    assert [path.name for path in Path(".monitor").iterdir()] == ["cache"]
    same = monitor_command("embed", "--input", "train.parquet", "--output", "train.parquet")
    assert "is the input: name another file" in same.stderr
    done = monitor_command("embed", "--input", "out/one.parquet", "--output", "out/two.parquet")
    assert done.exit_code == 1
    assert "brings the vectors already, so nothing was written" in done.stderr
    text = monitor_command("embed", "--input", "train.parquet", "--output", "train.csv")
    assert "vectors are written to .parquet files only" in text.stderr


def test_files_of_one_name_in_two_folders(photos, document):
    (photos / "production" / "sub").mkdir()
    (photos / "production" / "day1.csv").rename(photos / "production" / "sub" / "day1.csv")
    pd.DataFrame({"image": images("b", 2, 3), "ts": "2026-03-02"}).to_csv("production/day1.csv")
    config = photos / "monitor.yaml"
    config.write_text(CONFIG.replace("production/*.csv", "production/**/*.csv"))
    files = document("embed")["files"]
    assert len({file["output"] for file in files}) == 3
    assert sorted(file["n_rows"] for file in files) == [2, 8, 16]


def test_the_output_folder_is_never_data(photos, document):
    config = photos / "monitor.yaml"
    text = CONFIG.replace("production/*.csv", "'**/*.parquet'").replace(
        ", timestamp_column: ts", ""
    )
    config.write_text(text + "output: out\n")
    assert len(document("embed")["files"]) == 2
    assert len(document("embed")["files"]) == 2


def test_a_table_that_cannot_be_written_fails_before_the_work(photos, monitor_command):
    lines = (photos / "production" / "day1.csv").read_text().splitlines()
    twice = [f"{line},1,2" for line in lines]
    (photos / "production" / "day1.csv").write_text(
        "\n".join([f"{lines[0]},size,size", *twice[1:]])
    )
    assert monitor_command("baseline", "fit").exit_code == 0
    result = monitor_command("embed")
    assert result.exit_code == 1
    assert "day1.csv has 2 columns 'size': rename all but one of them" in result.stderr
    assert "embedding" not in result.stderr


def test_a_replaced_model_folder_is_noticed(photos, document):
    """Its path starts at the config's folder, and new weights there make new vectors."""
    shutil.copytree(COMPACT_DIR, "models/mine")
    config = photos / "monitor.yaml"
    config.write_text(CONFIG.replace("model: compact", "model: local-dir:models/mine"))
    assert document("check")["ok"] is True
    assert [f["n_columns_embedded"] for f in document("embed")["files"]] == [1, 1]
    (photos / "beside.txt").write_text("changes nothing")
    assert [f["n_columns_embedded"] for f in document("embed")["files"]] == [0, 0]
    os.utime(Path("models/mine", WEIGHTS_FILE), (1, 1))
    assert [f["n_columns_embedded"] for f in document("embed")["files"]] == [1, 1]
    # The vectors are those of the same weights elsewhere: so says the encoder's fingerprint.
    mine = frames.read_vectors(
        pd.read_parquet(".monitor/embedded/baseline/train.parquet"), "vector"
    )
    config.write_text(CONFIG)
    document("embed")
    ours = frames.read_vectors(
        pd.read_parquet(".monitor/embedded/baseline/train.parquet"), "vector"
    )
    assert mine.fingerprint == ours.fingerprint is not None


@pytest.mark.parametrize(
    ("spec", "state", "text"),
    [
        ({"model": "compact"}, "ok", "comes with monitor"),
        ({"model": "local-dir:/nowhere"}, "error", "there is no such folder"),
        ({"model": "ViT-B-33", "pretrained": "openai"}, "error", "close names: "),
        ({"model": "RN50", "pretrained": "/nowhere/a.pt"}, "error", "is neither a file"),
        ({"model": "RN50", "pretrained": "cc12m"}, "note", "is not on this machine"),
        ({"model": "hf-hub:no/such"}, "note", "is not on this machine"),
        ({"model": "clip-ViT-B-32", "handler": "sentence_transformers"}, "note", "is loaded by"),
    ],
)
def test_models_are_looked_up_without_network(spec, state, text, tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.create_connection", no_network)
    values = {"handler": "open_clip", "model_cache_dir": str(tmp_path), **spec}
    found = look_for_model(EncoderSpec(**values))
    assert found[0] == state
    assert text in found[1]


def test_without_any_vector_it_fails_and_does_not_go_on(photos, monitor_command):
    Path("monitor.yaml").write_text(CONFIG.replace("roots: [images]", "schemes: [https]"))
    result = monitor_command("embed")
    assert result.exit_code == 1
    assert "error: no row has a vector in 'vector': see why above" in result.stderr
    assert "path_outside_roots" in result.stdout
    assert "sources.roots names the folders that images may lie in" in result.stdout
    assert "next:" not in result.stdout
    one = monitor_command("embed", "--input", "train.parquet", "--output", "out.parquet")
    assert one.exit_code == 1


def test_a_file_of_its_own_leads_nowhere_else(photos, monitor_command):
    result = monitor_command("embed", "--input", "train.parquet", "--output", "out.parquet")
    assert result.exit_code == 0
    assert "next:" not in result.stdout


def test_who_stops_it_is_told_how_it_goes_on(photos, monitor_command, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("monitor.pipeline.embed.embed", stop)
    for words in (["embed"], ["baseline", "fit"]):
        result = monitor_command(*words)
        assert result.exit_code == 130
        assert result.stderr.splitlines()[-1] == (
            "stopped: the vectors made so far are kept, and the same command continues from there"
        )


def test_a_sample_says_what_would_fail(photos, document):
    def findings(*words: str, exit_code: int = 0) -> dict[str, tuple[str, str]]:
        found = document("check", *words, exit_code=exit_code)["findings"]
        return {
            f["looked_at"]: (f["state"], f["text"]) for f in found if "sample" in f["looked_at"]
        }

    assert findings() == {}
    sampled = findings("--sample", "8")
    assert sampled["sample of data.baseline"] == (
        "ok",
        "8 of 8 rows of train.parquet can be embedded for photo",
    )
    state, text = sampled["sample of data.production"]
    assert state == "note"
    assert text.startswith(
        "6 of 8 rows of production/day1.csv can be embedded for photo; 1 not_found"
    )
    assert "blocked_address: 127.0.0.1" in text
    assert "(sources.hosts with sources.allow_private lets a private address be asked)" in text
    assert not (photos / "monitor_output").exists()
    shutil.rmtree("images")
    Path("images").mkdir()
    state, text = findings("--sample", "2", exit_code=1)["sample of data.baseline"]
    assert state == "error"
    assert text.startswith("0 of 2 rows")
