"""JSON: complete, strict, and the same again after a round trip."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitor.drift import Verdict
from monitor.errors import ReportError
from monitor.reports import DriftReport
from monitor.reports.json_report import read_json, to_json

from .samples import detected_report, explained_report, segmented_report, threshold_report


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.fixture
def saved(report: DriftReport) -> dict[str, Any]:
    loaded = json.loads(to_json(report), parse_constant=refuse)
    assert isinstance(loaded, dict)
    return loaded


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize(
    "build", [None, segmented_report, detected_report, explained_report, threshold_report]
)
def test_nothing_is_lost(report: DriftReport, tmp_path: Path, build: Any) -> None:
    given = build() if build else report
    text = to_json(given, tmp_path / "new folder" / "report.json")
    again = read_json(tmp_path / "new folder" / "report.json", DriftReport)

    assert to_json(again) == text
    for before, after in zip(given.windows, again.windows, strict=True):
        assert (after.start, after.end, after.segment) == (before.start, before.end, before.segment)
        assert after.examples == before.examples
        assert after.novel_examples == before.novel_examples
        assert after.judgement.tests == before.judgement.tests
        assert after.judgement.pooled_test == before.judgement.pooled_test
        assert (after.kinds, after.began) == (before.kinds, before.began)
        assert (after.quality, after.failure_shifts) == (before.quality, before.failure_shifts)
        assert after.explanations == before.explanations
        assert after.judgement.verdict is before.judgement.verdict
        assert after.judgement.window_histogram.dtype == np.int64
        np.testing.assert_array_equal(
            after.judgement.window_histogram, before.judgement.window_histogram
        )
    assert again.features[0].time_range == given.features[0].time_range


def test_it_is_what_the_report_itself_writes(report: DriftReport, tmp_path: Path) -> None:
    report.to_json(tmp_path / "report.json")

    assert DriftReport.from_json(tmp_path / "report.json").has_drift


def test_what_is_not_defined_is_null_and_comes_back_as_nan(
    report: DriftReport, saved: dict[str, Any], tmp_path: Path
) -> None:
    assert saved["windows"][3]["judgement"]["p_value"] is None

    report.to_json(tmp_path / "report.json")
    empty = read_json(tmp_path / "report.json", DriftReport).windows[3].judgement

    assert empty.verdict is Verdict.INCONCLUSIVE
    assert math.isnan(empty.p_value)
    assert math.isnan(empty.scores["jsd"].value)


def test_infinity_comes_back(report: DriftReport, tmp_path: Path) -> None:
    judgement = replace(report.windows[0].judgement, content_shift=math.inf)
    odd = replace(report, windows=(replace(report.windows[0], judgement=judgement),))
    json.loads(to_json(odd, tmp_path / "r.json"), parse_constant=refuse)

    assert (
        read_json(tmp_path / "r.json", DriftReport).windows[0].judgement.content_shift == math.inf
    )


def test_times_keep_their_zone(report: DriftReport, tmp_path: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    there = replace(
        report,
        windows=tuple(window.in_zone(berlin) for window in report.windows),
        timezone="Europe/Berlin",
    )

    saved = json.loads(to_json(there, tmp_path / "report.json"))
    assert saved["windows"][0]["start"] == "2026-03-01T01:00:00+01:00"
    again = DriftReport.from_json(tmp_path / "report.json")
    assert again.windows[0].start.tzinfo == berlin
    assert again.to_markdown() == there.to_markdown()


def test_times_are_of_the_reports_zone(report: DriftReport) -> None:
    window = report.windows[0]
    assert window.start is not None
    east = dt.timezone(dt.timedelta(hours=5))
    moved = replace(report, windows=(replace(window, start=window.start.astimezone(east)),))

    assert json.loads(to_json(moved))["windows"][0]["start"] == "2026-03-01T00:00:00+00:00"


def test_keys_stand_in_the_order_of_the_fields(saved: dict[str, Any]) -> None:
    assert list(saved) == [
        "format",
        "features",
        "windows",
        "every",
        "segment_column",
        "notes",
        "timezone",
        "episodes",
    ]
    assert saved["format"] == "monitor.report/3"
    for window in saved["windows"]:
        assert window["judgement"]["look"] == window["judgement"]["pooled_test"]


def test_halves_of_surrogate_pairs_survive(report: DriftReport, tmp_path: Path) -> None:
    odd = replace(report, notes=("\ud83d broken",))
    to_json(odd, tmp_path / "report.json")

    assert read_json(tmp_path / "report.json", DriftReport).notes == ("\ud83d broken",)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"cannot be read .*report\.to_json\(path\)"):
        read_json(tmp_path / "none.json", DriftReport)


@pytest.mark.parametrize("text", ["", "{", "\x00", '{"a": 1}', "[]", "3", '{"format": "other/1"}'])
def test_a_file_of_another_kind(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)

    with pytest.raises(ReportError, match=r"write it again with report\.to_json\(path\)"):
        read_json(tmp_path / "report.json", DriftReport)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("windows"), "report lacks windows"),
        (lambda s: s.update(extra=1), "report has unknown fields extra"),
        (lambda s: s["windows"][0].update(start="soon"), r"report.windows\[0\].start"),
        (lambda s: s["windows"][0].update(segment=3), "segment is '3', expected str"),
        (lambda s: s["windows"][0].update(failures={"dns": True}), "expected int"),
        (lambda s: s["windows"][0]["judgement"].update(verdict="maybe"), "'maybe' is not a valid"),
        (lambda s: s["features"][0].update(histogram=[1.5]), "'1.5', expected int"),
        (lambda s: s["features"][0].update(histogram=[2**70]), "beyond 64 bits"),
        (lambda s: s["features"][0].update(time_range=["2026-01-01"]), "has 1 entries, expected 2"),
    ],
)
def test_a_damaged_file(saved: dict[str, Any], tmp_path: Path, change: Any, message: str) -> None:
    change(saved)

    with pytest.raises(ReportError, match=message):
        read_json(write(tmp_path / "report.json", saved), DriftReport)


def test_a_folder_that_cannot_be_written(report: DriftReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ReportError, match="give a file in a folder that you may write to"):
        report.to_json(tmp_path / "file" / "report.json")
