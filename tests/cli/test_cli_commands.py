"""Each command on ready-made vectors: what it says, what it writes, how it ends."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

import monitor
from monitor.clusters import Baseline


def test_init_writes_a_config_once(folder, monitor_command):
    first = monitor_command("init")
    assert first.exit_code == 0
    assert "wrote monitor.yaml" in first.stdout
    assert "monitor check" in first.stdout
    Path("monitor.yaml").write_text("mine", encoding="utf-8")
    second = monitor_command("init")
    assert second.exit_code == 1
    assert second.stderr == "error: monitor.yaml is there already: --force replaces it\n"
    assert Path("monitor.yaml").read_text(encoding="utf-8") == "mine"
    assert monitor_command("init", "--force").exit_code == 0
    assert yaml.safe_load(Path("monitor.yaml").read_text(encoding="utf-8"))["version"] == 1


def test_init_makes_the_folder_and_says_how_to_go_on(folder, monitor_command):
    result = monitor_command("init", "deep/er")
    assert result.exit_code == 0
    assert Path("deep/er/monitor.yaml").is_file()
    assert f"monitor check --config {Path('deep/er/monitor.yaml')}" in result.stdout


def test_schema_is_one_document(folder, monitor_command, document):
    plain = monitor_command("schema")
    assert json.loads(plain.stdout) == document("schema")
    assert plain.stderr == ""


def test_check_says_what_it_looked_at(project, monitor_command, document):
    result = monitor_command("check")
    assert result.exit_code == 0
    lines = [line.split(None, 1) for line in result.stdout.splitlines()]
    assert [state for state, _ in lines] == ["ok", "ok", "ok", "note", "next:"]
    assert "train.parquet, 400 rows" in result.stdout
    assert "2 files, 200 rows" in result.stdout
    assert lines[-1][1] == "monitor baseline fit"
    assert document("check")["ok"] is True


def test_check_goes_on_after_a_fault_and_tells_all(project, monitor_command, document):
    Path("train.parquet").rename("trian.parquet")
    day = pd.read_parquet("production/day2.parquet").rename(columns={"embedding": "embeding"})
    day.to_parquet("production/day2.parquet")
    result = monitor_command("check")
    assert result.exit_code == 1
    assert "path: there is no file train.parquet: did you mean 'trian.parquet'?" in result.stdout
    assert "production/day2.parquet: the feature 'photo' needs the column 'embedding'" in (
        result.stdout.replace("\\", "/")
    )
    assert "did you mean 'embeding'?" in result.stdout
    assert result.stderr == "error: 2 of 4 checks failed\n"
    found = document("check", exit_code=1)
    assert [f["state"] for f in found["findings"]] == ["ok", "error", "error", "note"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("timestamp_column: ts}\n  p", "timestamp_column: t}\n  p"),
            "data.baseline.timestamp_col",
        ),
        (("every: 1d", "segment_column: contry"), "'contry', which the data does not have; did yo"),
    ],
)
def test_check_knows_the_other_columns(project, monitor_command, change, told):
    config = project / "monitor.yaml"
    config.write_text(config.read_text().replace(*change))
    result = monitor_command("check")
    assert result.exit_code == 1
    assert told in result.stdout


def test_baseline_fit_list_and_show(project, monitor_command, document):
    assert "not fitted yet" in monitor_command("baseline", "list").stdout
    fitted = monitor_command("baseline", "fit")
    assert fitted.exit_code == 0
    path = Path(".monitor/baselines/photo.safetensors")
    assert f"wrote {path}" in fitted.stdout
    assert "next: monitor drift" in fitted.stdout
    baseline = Baseline.load(path)
    listed = document("baseline", "list")["baselines"]
    assert listed == [
        {
            "feature": "photo",
            "id": baseline.id,
            "n_clusters": 3,
            "rows": 400,
            "encoder": None,
            "path": str(path),
            "state": "ok",
        }
    ]
    table = monitor_command("baseline", "list").stdout
    assert table.splitlines()[0].split() == [*listed[0]]
    shown = document("baseline", "show", "photo")["baselines"][0]
    assert sum(shown["cluster_sizes"]) == shown["rows"] == 400
    page = monitor_command("baseline", "show").stdout
    for size in shown["cluster_sizes"]:
        assert f"  {size} " in page
    assert "as the feature says" in page


def test_baseline_show_says_why_so_many_clusters(project, monitor_command):
    config = project / "monitor.yaml"
    config.write_text(config.read_text().replace("n_clusters: 3", "n_clusters: null"))
    assert monitor_command("baseline", "fit").exit_code == 0
    baseline = Baseline.load(".monitor/baselines/photo.safetensors")
    assert baseline.choice
    assert baseline.choice in monitor_command("baseline", "show").stdout


def test_drift_writes_the_report_and_finds_the_moved_day(fitted, monitor_command, document):
    result = monitor_command("drift")
    assert result.exit_code == 0
    assert "wrote report.html" in result.stdout
    assert "wrote report.json" in result.stdout
    assert result.stdout.count("photo") >= 2
    found = document("drift")
    assert found["has_drift"] is True
    assert [w["verdict"] for w in found["windows"]] == ["no drift", "drift"]
    assert found["windows"][0]["window_start"] == "2026-02-01T00:00:00+00:00"
    assert 0 < found["windows"][1]["p_value"] < 1e-8  # not rounded away
    saved = monitor.DriftReport.from_json("report.json")
    assert [w.n_rows for w in saved.windows] == [100, 100]


def test_rows_of_several_files_are_named_by_file(drifted):
    saved = monitor.DriftReport.from_json("report.json")
    rows = {e.row.partition(":")[0] for w in saved.windows for c in w.examples for e in c}
    assert rows == {"day1.parquet", "day2.parquet"}


def test_exit_code_3_only_when_asked_for(fitted, monitor_command, document):
    assert monitor_command("drift", "--fail-on-alert").exit_code == 3
    assert document("drift", "--fail-on-alert", exit_code=3)["has_drift"] is True
    Path("production/day2.parquet").unlink()
    assert monitor_command("drift", "--fail-on-alert").exit_code == 0


def test_segments_come_from_the_config(fitted, monitor_command, document):
    config = fitted / "monitor.yaml"
    config.write_text(config.read_text() + "  segment_column: country\n")
    assert monitor_command("baseline", "fit").exit_code == 0
    found = document("drift")
    assert {w["segment"] for w in found["windows"]} == {None, "de", "fr"}
    assert document("baseline", "show")["baselines"][0]["segments"] == ["de", "fr"]


def test_report_makes_the_page_again(drifted, monitor_command, document):
    before = Path("report.html").read_bytes()
    Path("report.html").unlink()
    result = monitor_command("report")
    assert result.exit_code == 0
    assert Path("report.html").read_bytes() == before
    assert document("report")["written"] == {"html": "report.html"}


def test_report_needs_no_config_for_named_files(drifted, folder, monitor_command):
    Path("monitor.yaml").unlink()
    words = ["report", "--input", "report.json", "--output", "sub/again.html", "--no-thumbnails"]
    result = monitor_command(*words)
    assert result.exit_code == 0, result.stderr
    assert Path("sub/again.html").is_file()
    assert monitor_command("report").exit_code == 1


def test_report_without_files_in_the_config(fitted, monitor_command):
    config = fitted / "monitor.yaml"
    config.write_text(config.read_text() + "report: {html: null, json: null}\n")
    drift = monitor_command("drift")
    assert drift.exit_code == 0
    assert "wrote" not in drift.stdout
    result = monitor_command("report")
    assert result.exit_code == 1
    assert "names no file for it: give --input and --output" in result.stderr


def test_embed_has_nothing_to_do_for_ready_made_vectors(project, monitor_command):
    result = monitor_command("embed")
    assert result.exit_code == 1
    assert "no feature is made from images" in result.stderr


def test_a_config_elsewhere(fitted, folder, monitor_command, monkeypatch):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("monitor.yaml", "train.parquet", "production", ".monitor"):
        shutil.move(folder / name, elsewhere / name)
    config = str(Path("elsewhere/monitor.yaml"))
    check = monitor_command("check", "--config", config)
    assert check.exit_code == 0, check.stdout
    assert f"next: monitor drift --config {config}" in check.stdout
    assert monitor_command("drift", "--config", config).exit_code == 0
    assert (elsewhere / "report.html").is_file()
    assert not (folder / "report.html").exists()


def test_demo_tells_where_the_report_is(drifted, monitor_command, document, monkeypatch):
    saved = monitor.DriftReport.from_json("report.json")
    given = []

    def run_demo(output, *, echo):
        given.append(output)
        echo("drawing")
        return saved

    monkeypatch.setattr("monitor.demo.run_demo", run_demo)
    result = monitor_command("demo")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "drawing"
    assert "monitor init" in result.stdout
    found = document("demo", "--output", "there")
    assert found["written"]["html"] == str(Path("there/report.html"))
    assert given == [Path("monitor-demo"), Path("there")]


def test_drift_of_many_rows_reads_them_in_pieces(fitted, document, monkeypatch):
    whole = document("drift")
    monkeypatch.setattr("monitor.pipeline.judged.MOST_HELD", 100)
    monkeypatch.setattr("monitor.pipeline.judged.judge_frame", None)
    assert document("drift") == whole
    assert whole["has_drift"]
