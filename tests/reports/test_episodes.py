"""Episodes: first and last windows of shifts, from the windows of a report."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

from monitor.drift import Verdict
from monitor.reports import DriftReport, WindowDrift
from monitor.reports.episodes import episodes, episodes_of
from monitor.reports.text import summary

from .samples import FIRST_DAY, detected_report, quiet_report

DAY = dt.timedelta(days=1)


def calm() -> list[WindowDrift]:
    return list(quiet_report(10).windows)


def drifted(window: WindowDrift, began: int, *, together: bool = True) -> WindowDrift:
    judgement = replace(window.judgement, verdict=Verdict.DRIFT, is_by_pooled_test=together)
    return replace(window, judgement=judgement, began=FIRST_DAY + began * DAY)


def days(windows: list[WindowDrift]) -> list[tuple[int, int, int, int, bool]]:
    return [
        (
            (episode.start - FIRST_DAY).days,
            (episode.end - FIRST_DAY).days - 1,
            episode.n_windows,
            episode.n_alone,
            episode.goes_on,
        )
        for episode in episodes_of(windows)
    ]


def test_a_shift_reaches_from_its_first_window_to_its_last() -> None:
    windows = calm()
    for day in (4, 5, 7):
        windows[day] = drifted(windows[day], began=2, together=day != 5)
    assert days(windows) == [(2, 7, 6, 1, False)]


def test_the_newest_estimate_of_both_ends_counts() -> None:
    windows = calm()
    windows[4], windows[5] = drifted(windows[4], began=1), drifted(windows[5], began=3)
    assert days(windows) == [(3, 5, 3, 0, False)]
    windows[6] = replace(windows[6], began=FIRST_DAY + 3 * DAY, ended=FIRST_DAY + 5 * DAY)
    assert days(windows) == [(3, 4, 2, 0, False)]


def test_shifts_apart_are_two_and_the_last_goes_on() -> None:
    windows = calm()
    windows[2] = drifted(windows[2], began=2, together=False)
    windows[9] = drifted(windows[9], began=8)
    assert days(windows) == [(2, 2, 1, 1, False), (8, 9, 2, 0, True)]


def test_one_that_was_found_when_it_was_over_is_listed() -> None:
    windows = calm()
    windows[6] = replace(windows[6], began=FIRST_DAY + 3 * DAY, ended=FIRST_DAY + 5 * DAY)
    assert days(windows) == [(3, 4, 2, 0, False)]


def test_every_form_of_the_report_has_them(tmp_path: Path) -> None:
    report = detected_report()
    *earlier, episode = episodes(report)
    assert episode.goes_on
    assert episode.n_windows == 18
    frame = report.episodes()
    assert frame["start"].dt.strftime("%Y-%m-%d").tolist()[-1] == "2026-04-01"
    saved = json.loads(report.to_json(tmp_path / "report.json"))
    assert saved["episodes"][-1]["n_windows"] == 18
    assert episodes(DriftReport.from_json(tmp_path / "report.json")) == (*earlier, episode)
    assert "1–18 Apr 2026, 18 windows, goes on" in report.to_markdown()
    assert "shift: 1–18 Apr 2026, 18 windows, goes on" in summary(report)
    assert len(quiet_report(3).episodes()) == 0
