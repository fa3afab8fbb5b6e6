"""`monitor check` fails for what a long run would fail for later, and names the key that cures it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

IMAGES = {
    "version": 1,
    "features": [
        {
            "name": "photo",
            "type": "FROM_IMAGE_EMBEDDING",
            "source_column": "image",
            "column": "vector",
            "model": "compact",
        }
    ],
    "data": {
        "baseline": {"path": "train.parquet", "timestamp_column": "ts"},
        "production": {"path": "train.parquet", "timestamp_column": "ts"},
    },
    "drift": {"every": "1d"},
}
TIMES = pd.date_range("2026-01-01", periods=40, freq="h", tz="UTC")


@pytest.fixture
def errors(folder, document):
    """The errors of a check of this config over these images and times."""

    def run(
        images=("https://example.com/a.jpg",) * 40, times=TIMES, tags=("a",) * 40, **sections
    ) -> dict[str, str]:
        pd.DataFrame({"image": images, "ts": times, "tags": tags}).to_parquet("train.parquet")
        Path("monitor.yaml").write_text(yaml.safe_dump(IMAGES | sections), encoding="utf-8")
        findings = document("check", exit_code=None)["findings"]
        return {f["looked_at"]: f["text"] for f in findings if f["state"] == "error"}

    return run


def test_what_holds_passes(errors):
    assert errors() == {}
    Path("a.jpg").touch()
    # One that is missing is a row without a vector; all of them are a mistake.
    assert errors(["a.jpg"] * 39 + ["b.jpg"], sources={"roots": ["."]}) == {}
    assert errors([None, b"bytes"] * 20) == {}
    assert errors(times=TIMES.strftime("%Y-%m-%d")) == {}


def test_local_paths_need_roots(errors):
    found = errors(["photos/a.jpg", "https://example.com/a.jpg"] * 20)
    assert (
        "20 of the first 40 cells, such as 'photos/a.jpg', are local files"
        in found["data.baseline"]
    )
    assert "sources.roots is empty: name their folder in it" in found["data.baseline"]


def test_roots_must_be_there(errors):
    found = errors(["a.jpg"] * 40, sources={"roots": ["nowhere"]})
    assert "there is no folder nowhere" in found["sources.roots"]


def test_local_images_must_be_there(errors):
    found = errors(["photos/a.jpg"] * 40, sources={"roots": ["."]})
    assert "would be refused (not_found): sources.roots names" in found["data.production"]


@pytest.mark.parametrize(
    ("key", "sections", "message"),
    [
        ("schedule.cron", {"schedule": {"cron": "every day"}}, "is not a cron expression"),
        (
            "store.url",
            {"store": {"url": "postgres://me:hunter2@h/d"}},
            "a store in 'postgres' is not",
        ),
        ("store.url", {"store": {"url": "postgresql://me:hunter2@h:no/d"}}, "cannot be read"),
        (
            "alerts.channels[0]",
            {"alerts": {"channels": [{"name": "a", "url": "slakc://hunter2/b"}]}},
            "none that apprise knows",
        ),
        ("output", {"output": "train.parquet/below"}, "train.parquet is no folder"),
    ],
)
def test_settings_that_only_a_later_command_reads(errors, key, sections, message):
    found = errors(**sections)
    assert list(found) == [key]
    assert message in found[key]
    assert "hunter2" not in found[key]


@pytest.mark.parametrize(
    ("production", "message"),
    [
        ({"function": "nowhere:rows"}, "'nowhere:rows' names no function"),
        ({"function": "os:sep"}, "is str, not a function"),
        ({"query": "SELECT 1", "url": "sqlite:///rows.db"}, "the query lacks :start and :end"),
        (
            {
                "query": "SELECT * FROM t WHERE ts >= :start AND ts < :end",
                "url": "sqlite:///rows.db",
            },
            "no such table: t",
        ),
        (
            {"query": "SELECT :start AS ts WHERE 1 < :end", "url": "sqlite:///rows.db"},
            "needs the column 'image', which the data does not have",
        ),
        (
            {"query": "SELECT :start, :end", "url": "postgresql://me:hunter2@h:no/d"},
            "cannot be read as SQLAlchemy's",
        ),
    ],
)
def test_a_query_or_function_that_gives_no_rows(errors, production, message):
    data = IMAGES["data"] | {"production": production | {"timestamp_column": "ts"}}
    found = errors(data=data)
    assert list(found) == ["data.production"]
    assert message in found["data.production"]
    assert "hunter2" not in found["data.production"]


def test_columns_without_vectors(errors):
    feature = {"name": "v", "type": "FROM_VECTOR", "column": "image", "n_clusters": 2}
    found = errors(features=[feature])
    assert "feature v: column 'image' holds str, not vectors" in found["data.baseline"]


@pytest.mark.parametrize(
    "drift",
    [{"segment_column": "tags"}, {"context": ["tags"]}, {"explain_columns": ["tags"]}],
    ids=lambda drift: next(iter(drift)),
)
def test_columns_of_lists_are_no_categories(errors, drift):
    found = errors(drift=drift, tags=[["a"]] * 40)
    assert "column 'tags' holds list, not single values" in found["data.baseline"]


def test_cells_that_are_no_times_are_counted(errors, document):
    assert errors(times=["2026-01-01"] * 38 + ["01.01.2026", ""]) == {}
    notes = [f["text"] for f in document("check")["findings"] if f["state"] == "note"]
    assert any("2 of the first 40 cells are no times, such as '01.01.2026'" in n for n in notes)


@pytest.mark.parametrize(
    ("address", "sources", "cure"),
    [
        ("ftp://example.com/a.jpg", {}, "(scheme): sources.schemes"),
        ("https://example.org/a.jpg", {"hosts": ["example.com"]}, "(host): sources.hosts"),
        ("https://example.com:81/a.jpg", {"ports": [443]}, "(port): sources.ports"),
        ("s3://bucket/a.jpg", {}, "(scheme): sources.schemes"),
    ],
)
def test_addresses_that_the_policy_refuses(errors, address, sources, cure):
    assert cure in errors([address] * 40, sources=sources)["data.production"]


@pytest.mark.parametrize(
    "times", [["01.01.2026"] * 40, [1_767_225_600] * 40], ids=["day first", "epoch"]
)
def test_times_that_nobody_can_read(errors, times):
    assert "data.baseline.timestamp_column: " in errors(times=times)["data.baseline"]


def test_environment_variables_that_are_not_set(errors, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("IS_SET", "json://127.0.0.1/a")
    channels = [{"name": "a", "url": "${NOT_SET}"}, {"name": "b", "url": "${IS_SET}"}]
    found = errors(store={"url": "sqlite:///${NOT_SET}.db"}, alerts={"channels": channels})
    assert list(found) == ["store.url", "alerts.channels[0].url"]
    assert "needs the environment variable NOT_SET" in found["store.url"]


def test_what_is_not_built_yet(errors):
    columns = {"name": "size", "type": "FROM_COLUMNS", "columns": ["ts", "image"]}
    found = errors(features=[columns | {"monitor_components": True}])
    assert "monitor_components=True, which is not built yet" in found["feature size"]


def test_more_clusters_than_rows(errors):
    feature = IMAGES["features"][0] | {"n_clusters": 100_000}
    found = errors(features=[feature])
    assert "100,000 clusters need 200,000 rows or more" in found["features[0].n_clusters"]


def test_a_baseline_file_that_changed_since_the_fit(fitted, document):
    assert document("check")["ok"]
    # A copy of it is the same rows, whenever it was made.
    same = Path("train.parquet").read_bytes()
    Path("train.parquet").unlink()
    Path("train.parquet").write_bytes(same)
    assert document("check")["ok"]
    pd.read_parquet("train.parquet").iloc[:-1].to_parquet("train.parquet")
    [error] = [f for f in document("check", exit_code=1)["findings"] if f["state"] == "error"]
    assert error["looked_at"] == "baseline of photo"
    assert "train.parquet has changed: monitor baseline fit" in error["text"]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"context": ["hour"]}, "context was [] and is ['hour']"),
        ({"group_column": "ts"}, "group_column was None and is 'ts'"),
    ],
)
def test_rows_that_are_compared_otherwise_than_at_the_fit(fitted, document, before, said):
    config = yaml.safe_load(Path("monitor.yaml").read_text(encoding="utf-8"))
    config["drift"] = config.get("drift", {}) | before
    Path("monitor.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    found = document("check", exit_code=1)["findings"]
    [error] = [finding for finding in found if finding["state"] == "error"]
    assert error["looked_at"].startswith("baseline of ")
    assert said in error["text"]
    assert "monitor baseline fit" in error["text"]
