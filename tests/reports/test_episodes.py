"""Episodes: first and last windows of shifts, from the windows of a report."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.clusters import Baseline
from monitor.drift import ShiftKind, Verdict
from monitor.reports import DriftReport, WindowDrift
from monitor.reports.answer import answer
from monitor.reports.episodes import episodes, episodes_of
from monitor.reports.sentences import episodes_in_words
from monitor.reports.shifts import report_shifts, shifts
from monitor.reports.text import summary

from .samples import FIRST_DAY, detected_report, quiet_report

DAY = dt.timedelta(days=1)
CONTENT = np.random.default_rng(99).normal(size=(6, 32)) * 1.5
MOVE = np.random.default_rng(98).normal(size=32) * 0.0675


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
    windows[5] = replace(windows[5], judgement=calm()[5].judgement)
    windows[6] = replace(windows[6], began=FIRST_DAY + 3 * DAY, ended=FIRST_DAY + 5 * DAY)
    assert days(windows) == [(3, 4, 2, 0, False)]


def test_a_window_that_was_called_drifted_stays_in_the_episode() -> None:
    windows = calm()
    windows[4], windows[5] = drifted(windows[4], began=2), drifted(windows[5], began=2)
    windows[6] = replace(windows[6], began=FIRST_DAY + 2 * DAY, ended=FIRST_DAY + 4 * DAY)
    assert days(windows) == [(2, 5, 4, 0, False)]


def test_an_older_shift_that_is_told_late_leaves_a_newer_one_alone() -> None:
    windows = calm()
    windows[6] = drifted(windows[6], began=6, together=False)
    windows[8] = replace(windows[8], began=FIRST_DAY + 2 * DAY, ended=FIRST_DAY + 4 * DAY)
    assert days(windows) == [(2, 3, 2, 0, False), (6, 6, 1, 1, False)]


def test_a_shift_that_was_over_before_the_first_window_is_none_of_the_report() -> None:
    windows = calm()
    windows[1] = replace(windows[1], began=FIRST_DAY - 5 * DAY, ended=FIRST_DAY - 2 * DAY)
    assert days(windows) == []


def test_an_episode_that_began_before_the_report_says_so() -> None:
    windows = calm()[:2]
    windows = [drifted(window, began=-3) for window in windows]
    assert days(windows) == [(-3, 1, 2, 0, True)]
    assert episodes_in_words(windows) == ("26 Feb – 2 Mar 2026, 2 windows of it here, goes on",)
    assert answer(shifts(windows)[0]).since.startswith("Since 26 Feb 2026, and still so")


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


def rows(rng: np.random.Generator, start: str, n_days: int, move: float = 0.0) -> pd.DataFrame:
    """A hundred rows a day, all moved by so many times `MOVE`."""
    n = 100 * n_days
    at = pd.to_timedelta(np.sort(rng.uniform(0, 86_400 * n_days, n)), unit="s")
    vectors = CONTENT[rng.choice(len(CONTENT), n)] + rng.normal(size=(n, 32)) * 0.6 + move * MOVE
    return pd.DataFrame({"ts": pd.Timestamp(start, tz="UTC") + at, "vector": list(vectors)})


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    feature = monitor.VectorFeature(name="points", column="vector", n_clusters=5)
    table = rows(np.random.default_rng(0), "2026-01-05", 28)
    return monitor.fit_baseline(table, feature, timestamp_column="ts")


def judged(baseline: Baseline, seed: int, move: float, missing: str = "") -> DriftReport:
    """Ten calm days, five from 12 Feb on that moved, and six calm ones; all but a missing day."""
    rng = np.random.default_rng(seed)
    table = pd.concat(
        [
            rows(rng, "2026-02-02", 10),
            rows(rng, "2026-02-12", 5, move),
            rows(rng, "2026-02-17", 6),
        ]
    )
    table = table[table["ts"].dt.strftime("%Y-%m-%d") != missing]
    return monitor.detect_drift(table, baseline, timestamp_column="ts", every="1d")


@pytest.mark.parametrize("seed", [16, 22, 26])
def test_every_form_tells_one_episode_that_holds_all_drifted_windows(
    baseline: Baseline, seed: int, tmp_path: Path
) -> None:
    report = judged(baseline, seed, 1.2)
    (told,) = [w for w in report.windows if w.ended is not None]
    called = [w for w in report.windows if w.judgement.verdict is Verdict.DRIFT]
    assert told.ended is not None
    # The day after the end is told to be none of it, although it was called drifted before.
    assert called[-1].start is not None
    assert called[-1].start >= told.ended

    (episode,) = episodes(report)
    assert all(episode.covers(window) for window in called)
    assert not any(episode.covers(w) for w in report.windows if w.start and w.start.day > 17)
    frame = report.to_frame()
    held = frame[frame["began"].notna()]
    assert set(held["began"]) == {episode.start}
    assert held["window_start"].dt.day.tolist() == list(range(12, 18))
    assert "Shifts: 12–17 Feb 2026, 6 windows" in report.to_markdown()
    since = "12–17 Feb 2026. The 5 windows since then show it no more."
    assert "(12–17 Feb 2026)\n\n- Why" in report.to_markdown()
    assert f"- Since when: {since}" in report.to_markdown()
    assert since in report.to_html(tmp_path / "report.html").read_text()
    (saved,) = json.loads(report.to_json(tmp_path / "report.json"))["episodes"]
    assert (saved["start"][:10], saved["end"][:10]) == ("2026-02-12", "2026-02-18")


def test_a_day_without_rows_does_not_part_the_story_of_an_episode(baseline: Baseline) -> None:
    report = judged(baseline, 0, 6, missing="2026-02-14")
    ((shift, _),) = report_shifts(report)
    assert [w.start.day for w in shift.windows if w.start] == [12, 13, 15, 16]
    text = report.to_markdown()
    assert text.count("look different from your baseline") == 1
    assert "Since when: 12–16 Feb 2026. The 6 windows since then show it no more." in text
    assert "Shifts: 12–16 Feb 2026, 4 windows" in text


def test_a_window_that_reaches_back_makes_one_story_of_two(baseline: Baseline) -> None:
    windows = list(judged(baseline, 0, 6, missing="2026-02-14").windows)
    for at in (13, 14):
        windows[at] = replace(windows[at], kinds=(ShiftKind.NEW_MIX,), change=None)
    windows[13] = replace(windows[13], began=windows[13].start)
    # What is unlike the days before by itself may turn out to be the same shift a day later.
    assert windows[14].began == windows[10].start
    (shift,) = shifts(windows)
    assert (shift.start, shift.end) == (windows[10].start, windows[14].end)


def test_a_last_window_without_rows_does_not_end_the_story(baseline: Baseline) -> None:
    windows = judged(baseline, 0, 6, missing="2026-02-14").windows[:13]
    assert windows[-1].n_rows == 0
    (episode,) = episodes_of(windows)
    assert episode.goes_on
    (shift,) = shifts(windows)
    assert answer(shift).since == "Since 12 Feb 2026, and still so in the newest window."
