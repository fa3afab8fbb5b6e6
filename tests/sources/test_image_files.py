"""A folder of images is a table, in Python, in a config and under the schedule."""

import datetime as dt
import json
import os
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

import monitor
from monitor.cli import main
from monitor.config import MonitoringConfig
from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE
from monitor.errors import ConfigError, InvalidInputError
from monitor.images.taken import taken_at
from monitor.sources import ImageFiles, read_window, rows_seen
from monitor.sources.image_files import time_in

UTC = dt.UTC
DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2026, 3, 1, tzinfo=UTC)

needs_model = pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)


def picture(path: Path, seed: int, exif=None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    colour = (220, 40, 40) if seed % 2 else (40, 40, 220)
    pixels = np.clip(np.array(colour) + rng.normal(0, 25, (32, 32, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, **({} if exif is None else {"exif": exif}))
    return path


def test_a_row_for_each_image(tmp_path):
    a = picture(tmp_path / "country=de" / "a.PNG", 0)
    b = picture(tmp_path / "b.jpg", 1)
    (tmp_path / "notes.txt").write_text("no image")
    picture(tmp_path / ".thumbnails" / "a.png", 0)
    os.utime(a, (1_772_366_400, 1_772_366_400))
    frame = monitor.images_frame(str(tmp_path))
    assert list(frame.columns) == ["path", "time", "size", "country"]
    assert frame.path.tolist() == [str(b), str(a)]
    assert frame.time[1] == pd.Timestamp("2026-03-01 12:00", tz="UTC")
    assert frame["size"].tolist() == [b.stat().st_size, a.stat().st_size]
    assert frame.country.tolist()[1] == "de"
    assert monitor.images_frame(f"{tmp_path}/*.jpg", timestamp=None).time.isna().all()
    with pytest.raises(InvalidInputError, match="no file matches"):
        monitor.images_frame(f"{tmp_path}/*.gif")
    with pytest.raises(InvalidInputError, match="allowed are 'path', 'mtime', 'exif' and None"):
        monitor.images_frame(str(tmp_path), timestamp="name")


def test_images_of_another_store():
    store = fsspec.filesystem("memory")
    store.pipe("/photos-here/2026-03-01/a.jpg", b"1234")
    store.pipe("/photos-here/b.jpg", b"12")
    frame = monitor.images_frame("memory://photos-here/**/*.jpg", timestamp="path")
    assert frame.path.tolist() == [
        "memory:///photos-here/2026-03-01/a.jpg",
        "memory:///photos-here/b.jpg",
    ]
    assert frame["size"].tolist() == [4, 2]
    assert frame.time.isna().tolist() == [False, True]
    changed = monitor.images_frame("memory://photos-here")
    assert (changed.time.dt.date <= dt.datetime.now(UTC).date()).all()
    before = ImageFiles("memory://photos-here").state()
    store.pipe("/photos-here/b.jpg", b"123")
    assert ImageFiles("memory://photos-here").state() != before


@pytest.mark.parametrize(
    ("path", "time"),
    [
        ("2026-03-01/a.jpg", "2026-03-01"),
        ("2026/03/01/a.jpg", "2026-03-01"),
        ("year=2026/month=03/day=01/a.jpg", "2026-03-01"),
        ("day=2026-03-01/a.jpg", "2026-03-01"),
        ("20260301.jpg", "2026-03-01"),
        ("IMG_20260301_101112.jpg", "2026-03-01 10:11:12"),
        ("2026-03-01T10:11:12Z.jpg", "2026-03-01 10:11:12"),
        ("2026-03-01 10.11.12.jpg", "2026-03-01 10:11:12"),
        ("cam-2026-03-01T101112+0200.jpg", "2026-03-01 08:11:12"),
        ("2026-02-28/20260301-000001.jpg", "2026-03-01 00:00:01"),
        ("2026-03-01/0012.jpg", "2026-03-01"),
        ("2026-03-01_0012.jpg", "2026-03-01"),
        ("2026-13-01/a.jpg", None),
        ("99920260301.jpg", None),
        ("20260301999.jpg", None),
        ("1234567890.jpg", None),
        ("a.jpg", None),
    ],
)
def test_times_in_paths(path, time):
    expected = None if time is None else pd.Timestamp(time, tz="UTC").to_pydatetime()
    assert time_in(path) == expected


def exif_of(**tags):
    names = {"DateTimeOriginal": 0x9003, "OffsetTimeOriginal": 0x9011, "DateTime": 0x0132}
    exif = Image.Exif()
    below = exif.get_ifd(0x8769)
    for name, text in tags.items():
        (exif if name == "DateTime" else below)[names[name]] = text
    return exif.tobytes()


@pytest.mark.parametrize(
    ("tags", "time"),
    [
        ({"DateTimeOriginal": "2026:03:01 10:11:12"}, "2026-03-01 10:11:12"),
        (
            {"DateTimeOriginal": "2026:03:01 10:11:12", "OffsetTimeOriginal": "+05:30"},
            "2026-03-01 04:41:12",
        ),
        ({"DateTime": "2026:03:02 00:00:00"}, "2026-03-02"),
        (
            {"DateTimeOriginal": "0000:00:00 00:00:00", "DateTime": "2026:03:02 00:00:00"},
            "2026-03-02",
        ),
        ({"DateTimeOriginal": "    :  :     :  :  "}, None),
        ({}, None),
    ],
)
def test_times_of_cameras(tags, time, tmp_path):
    path = picture(tmp_path / "a.jpg", 0, exif=exif_of(**tags))
    expected = None if time is None else pd.Timestamp(time, tz="UTC").to_pydatetime()
    assert taken_at(path.read_bytes()) == expected
    table = ImageFiles(str(path), "exif").read()
    assert table["time"].to_pylist() == [expected]


def test_what_is_no_image_was_never_taken():
    for head in (b"", b"\xff\xd8\xff", b"<html>", b"\x89PNG\r\n\x1a\n" + b"\0" * 100):
        assert taken_at(head) is None


def test_a_source_of_windows(tmp_path):
    for i in range(6):
        picture(tmp_path / f"2026-03-0{1 + i // 2}" / f"{i}.png", i)
    picture(tmp_path / "undated.png", 9)
    source = ImageFiles(str(tmp_path), "path", chunk_rows=2)
    for i in range(3):
        table = read_window(source, FIRST + i * DAY, FIRST + (i + 1) * DAY)
        assert [Path(path).name for path in table["path"].to_pylist()] == [
            f"{2 * i}.png",
            f"{2 * i + 1}.png",
        ]
        assert rows_seen(source, FIRST + i * DAY, FIRST + (i + 1) * DAY).n == 2
    picture(tmp_path / "2026-03-01" / "late.png", 7)
    assert rows_seen(source, FIRST, FIRST + DAY).n == 3
    (note,) = source.outline().notes
    assert note.startswith("1 of 8 images have no time in their path, such as ")


def test_the_config_knows_images(tmp_path):
    feature = {
        "name": "photo",
        "type": "FROM_IMAGE_EMBEDDING",
        "source_column": "path",
        "column": "v",
        "model": "compact",
    }

    def config(**production):
        data = {"baseline": {"images": "photos/train"}, "production": production}
        return MonitoringConfig(features=[feature], data=data)

    made = config(images="photos/new/**/*.jpg", timestamp="exif")
    assert made.data.production.timestamp_column == "time"
    assert made.data.baseline.timestamp_column is None
    assert set(made.policy.roots) == {"photos/train", "photos/new"}
    assert MonitoringConfig.from_dict(made.to_dict()) == made
    for wrong, message in (
        ({"images": "a", "timestamp_column": "ts"}, "'ts' is no column of images"),
        ({"images": "a", "timestamp_column": "time"}, "timestamp: is missing: say where"),
        ({"path": "a.csv", "timestamp": "path"}, "goes with images"),
        ({"path": "a.csv", "images": "b"}, "not path and images"),
        ({}, "is missing: add it, or images"),
    ):
        with pytest.raises(ConfigError, match=message):
            config(**wrong)


@needs_model
@pytest.mark.parametrize("layout", ["two folders", "one folder"])
def test_init_writes_a_config_that_runs(layout, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("train", "new") if layout == "two folders" else ("a [1]", "b")
    for part, n, first in ((names[0], 24, 1), (names[1], 12, 20)):
        for i in range(n):
            picture(Path("my photos", part, f"2026-03-{first + i // 12:02}", f"{i}.png"), i)

    def run(*words):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output + result.stderr
        return result.stdout

    run("init", "--images", "my photos")
    written = yaml.safe_load(Path("monitor.yaml").read_text())
    assert written["data"]["production"]["timestamp"] == "path"
    shown = "my photos/new" if layout == "two folders" else "my photos"
    assert written["data"]["production"]["images"] == shown
    written["features"][0]["n_clusters"] = 2
    written["drift"]["minimum_rows"] = 2
    Path("monitor.yaml").write_text(yaml.safe_dump(written))
    n_rows = 12 if layout == "two folders" else 36
    assert f"{n_rows} rows, has all columns needed" in run("check")
    run("baseline", "fit")
    windows = json.loads(run("drift", "--json"))["windows"]
    assert sum(window["n_rows"] for window in windows) == n_rows
    assert sum(window["n_failed"] for window in windows) == 0
    assert run("embed").count("kept ") == 2


@pytest.mark.skipif(os.name == "nt", reason="names of files are text")
def test_images_that_vanish_or_have_no_name_in_text_are_rows_without_an_image(tmp_path):
    for name in (b"a.png", b"caf\xe9.png", b"gone.png"):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
            file.write(b"...")
    images = ImageFiles(str(tmp_path), "mtime")
    listed = images._listed()
    Path(tmp_path, "gone.png").unlink()
    table = images._table(listed, listed.paths)
    assert table["size"].to_pylist() == [3, 3, None]
    assert [Path(path).name for path in table["path"].to_pylist()] == [
        "a.png",
        "caf\ufffd.png",
        "gone.png",
    ]
    assert table["time"].null_count == 1
