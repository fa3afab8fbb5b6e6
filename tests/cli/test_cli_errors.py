"""What a newcomer gets wrong: one line on stderr, exit code 1 or 2, never a traceback."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from monitor.cli.project import file_name
from monitor.clusters import Baseline


def edit(project: Path, before: str, after: str) -> None:
    config = project / "monitor.yaml"
    text = config.read_text(encoding="utf-8")
    assert before in text
    config.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [["check"], ["embed"], ["baseline", "fit"], ["baseline", "list"], ["drift"], ["report"]],
    ids=" ".join,
)
def test_no_config(folder, monitor_command, words):
    result = monitor_command(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: there is no config at monitor.yaml: `monitor init` writes one, --config names "
        "another\n"
    )


def test_a_typo_in_the_config(project, monitor_command):
    edit(project, "n_clusters", "n_cluster")
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: monitor.yaml, line 6, features[0].n_cluster: there is no such key; did you mean "
        "'n_clusters'?"
    )


def test_a_typo_in_a_command(folder, monitor_command):
    result = monitor_command("dirft")
    assert result.exit_code == 2
    assert "there is no command 'dirft'; did you mean 'drift'?" in result.stderr
    nested = monitor_command("baseline", "fti")
    assert nested.exit_code == 2
    assert "did you mean 'fit'?" in nested.stderr
    assert "commands: demo, init, check" in monitor_command("zzz").stderr


@pytest.mark.parametrize(
    "words", [["drift", "--fail"], ["init", "a", "b"], ["embed", "--input", "a"]]
)
def test_wrong_usage_is_2(folder, monitor_command, words):
    result = monitor_command(*words)
    assert result.exit_code == 2
    assert "Error:" in result.stderr


def test_no_baseline_yet(project, monitor_command):
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: there is no baseline of feature 'photo' yet: run `monitor baseline fit`\n"
    )


def test_a_feature_that_changed_since_its_baseline(fitted, monitor_command, document):
    edit(fitted, "n_clusters: 3", "n_clusters: 4")
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert "has changed since its baseline was fitted: n_clusters was 3 and is 4" in result.stderr
    assert "`monitor baseline fit`" in result.stderr
    assert document("baseline", "list")["baselines"][0]["state"] == "n_clusters was 3 and is 4"
    assert monitor_command("check").exit_code == 1
    assert monitor_command("baseline", "fit").exit_code == 0
    assert monitor_command("drift").exit_code == 0


def test_given_centroids_that_changed(fitted, monitor_command):
    centroids = Baseline.load(".monitor/baselines/photo.safetensors").centroids.tolist()
    edit(fitted, "n_clusters: 3", f"n_clusters: 3\n    centroids: {json.dumps(centroids)}")
    assert monitor_command("drift").exit_code == 0
    centroids[0][0] += 1
    edit(fitted, "centroids: [[", f"centroids: {json.dumps(centroids)} # [[")
    assert "centroids differ" in monitor_command("drift").stderr


def test_files_that_are_not_there(fitted, monitor_command):
    edit(fitted, "production/*", "producton/*")
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert "data.production.path: no file matches producton" in result.stderr.replace("\\", "/")
    edit(fitted, "train.parquet", "trian.parquet")
    assert "did you mean 'train.parquet'?" in monitor_command("baseline", "fit").stderr


def test_damaged_and_foreign_files(fitted, monitor_command):
    Path("train.parquet").write_bytes(b"no parquet")
    for words in (["baseline", "fit"], ["check"]):
        result = monitor_command(*words)
        assert result.exit_code == 1
        assert "train.parquet cannot be read" in result.stdout + result.stderr
    Path("train.txt").write_text("a")
    edit(fitted, "train.parquet", "train.txt")
    result = monitor_command("baseline", "fit")
    assert "is of kind 'txt': give a .parquet or a .csv file" in result.stderr


def test_a_column_that_one_of_the_files_lacks(fitted, monitor_command):
    frame = pd.read_parquet("production/day1.parquet").drop(columns="embedding")
    frame.to_parquet("production/day1.parquet")
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert "day1.parquet: the feature 'photo' needs the column 'embedding'" in result.stderr


def test_a_column_of_times_is_missed_before_the_work(fitted, monitor_command):
    edit(fitted, "*.parquet, timestamp_column: ts", "*.parquet, timestamp_column: tss")
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert "data.production.timestamp_column names the column 'tss'" in result.stderr
    assert "did you mean 'ts'? the data has embedding, ts, country" in result.stderr


def test_vectors_in_a_csv_are_explained(fitted, monitor_command):
    pd.read_parquet("train.parquet").to_csv("train.csv")
    edit(fitted, "train.parquet", "train.csv")
    result = monitor_command("baseline", "fit")
    assert result.exit_code == 1
    assert "column 'embedding' holds str, not vectors" in result.stderr


def test_an_unknown_feature(fitted, monitor_command):
    result = monitor_command("baseline", "show", "foto")
    assert result.exit_code == 1
    assert "has no monitored feature 'foto'; did you mean 'photo'? it has: photo" in result.stderr


def test_a_saved_report_that_is_none(fitted, monitor_command):
    Path("report.json").write_text("{}")
    result = monitor_command("report")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_errors_under_json_are_a_document_too(folder, document):
    found = document("check", exit_code=1)
    assert found["error"]["type"] == "ConfigError"
    assert "there is no config" in found["error"]["message"]


def test_debug_shows_the_traceback(folder, monitor_command, monkeypatch):
    assert "Traceback" not in monitor_command("check").stderr
    assert "Traceback" in monitor_command("check", "--debug").stderr
    monkeypatch.setenv("MONITOR_DEBUG", "1")
    result = monitor_command("check")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: there is no config")


def test_a_fault_of_ours_is_one_line_as_well(fitted, monitor_command, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("monitor.pipeline.judged.judge_frame", broken)
    result = monitor_command("drift")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: unexpected ZeroDivisionError: division by zero (a fault of monitor's; --debug shows "
        "where, please report it)\n"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(fitted, monitor_command):
    fitted.chmod(0o500)
    try:
        result = monitor_command("init", "new")
    finally:
        fitted.chmod(0o700)
    assert result.exit_code == 1
    assert "Permission denied" in result.stderr


def test_a_file_in_the_place_of_a_folder(fitted, monitor_command):
    edit(fitted, "version: 1", "version: 1\noutput: train.parquet")
    result = monitor_command("baseline", "fit")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "unexpected" not in result.stderr


def test_names_that_are_no_file_names(fitted, monitor_command, document):
    edit(fitted, "name: photo", "name: ../../front left/Ü")
    assert monitor_command("baseline", "fit").exit_code == 0
    path = Path(document("baseline", "list")["baselines"][0]["path"])
    assert path.parent == Path(".monitor/baselines")
    assert path.is_file()
    assert file_name("a b") != file_name("a/b")
    assert len(file_name("x" * 500)) < 100


def test_control_characters_of_the_data_stay_off_the_terminal(fitted, monitor_command):
    edit(fitted, "name: photo", 'name: "pho\\e[2Jto"')
    assert monitor_command("baseline", "fit").exit_code == 0
    for words in (["baseline", "list"], ["baseline", "show"], ["check"], ["drift"]):
        result = monitor_command(*words)
        assert "\x1b" not in result.stdout + result.stderr
